"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings

from benchmarks.engine import Engine

settings.register_profile("here", deadline=None)  # these machines are shared: a slow example says nothing
settings.load_profile("here")


@pytest.fixture(scope="session", autouse=True)
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fixes where scratch folders are before any test moves ``tempfile.tempdir`` to a folder that ends with it."""
    tmp_path_factory.getbasetemp()


@dataclass
class Served:
    """A simulated engine on a real socket: its base URL, and the engine to script and to read counters from."""

    url: str
    engine: Engine


@pytest.fixture
def serve_engine() -> Iterator[Callable[..., Served]]:
    """Starts simulated engines in a thread: ``serve_engine(tpot_ms=0, …)``; for code that runs its own event loop."""
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, threading.Thread]] = []

    def start(**options: Any) -> Served:
        ready: Future[Served] = Future()

        async def run() -> None:
            engine, stop = Engine(**{"prefill_ms": 1.0, "tpot_ms": 0.0, **options}), asyncio.Event()
            async with engine.serve() as url:
                stops.append((asyncio.get_running_loop(), stop, thread))
                ready.set_result(Served(url, engine))
                await stop.wait()

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        return ready.result(10)

    yield start
    for loop, stop, thread in stops:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
