"""Opens what a run holds, and closes it: the lake and its lock, the ledger, worker processes, backends, signals."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import orjson

from flows.plan import Plan
from flows.settings import Settings
from schemas.errors import StoppedError, StoreError, UsageError
from schemas.ids import content_id
from storage import formats
from storage.ledger import Ledger
from storage.store import Store
from tasks import registry
from tasks.backends.openai_spec import one_spelling
from tasks.backends.specs import parse
from tasks.driver import Driver
from tasks.spending import Budget
from tasks.workers import quit_with_parent

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def opened(
    plan: Plan, root: str, settings: Settings, budget: Budget | None, *, offline: bool = False
) -> AsyncIterator[tuple[Store, Driver]]:
    """Opens what a run holds: the lake, its lock, the ledger, workers; closes them, and the backends, in the end."""
    with _disk_errors(root):
        store = Store.open(root)
        with store.run_lock(plan.dataset), _workers(plan, settings) as workers:
            ledger = Ledger.open(settings.ledger or str(Path(root) / "ledger.sqlite"), patience_s=settings.patience_s)
            try:
                plan.elders, plan.names = older(store, plan)
                driver = Driver(plan.backends, ledger, budget=budget, workers=workers, offline=offline)
                driver.elders, driver.names = plan.elders, plan.names
                yield store, driver
            finally:
                for backend in plan.backends.values():
                    await backend.close()
                ledger.close()


def older(store: Store, plan: Plan) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Brings the lake to today's format, and returns what its older answers go by; see ``tasks.driver.Driver``."""
    if formats.migrate(store) < formats.FORMAT:
        log.warning(
            "the lake at %s had format 1 and has format %d now: its answers are found as before, and an older "
            "Pairwright does not run on it any more; `pairwright migrate` carries its audits over", store.root,
            formats.FORMAT,
        )  # fmt: skip
    elders = formats.elders(store)
    names: dict[str, list[str]] = {}
    for spec in _specs(store) if elders or formats.from_first(store) else ():
        one = parse(spec).text
        if one != spec and one in plan.backends:
            names.setdefault(one, []).append(spec)
    return elders, names


def _specs(store: Store) -> list[str]:
    """Returns the SPECs that runs of this lake have used."""
    found: dict[str, None] = {}
    for settings in store.read("runs", columns=["settings"]).collect()["settings"]:
        found |= dict.fromkeys(orjson.loads(settings)["backends"])
    return list(found)


async def start(plan: Plan) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Starts the backends; returns SPEC -> fingerprint, and SPEC -> what the backend says it runs."""
    told = {spec: await backend.start() for spec, backend in plan.backends.items()}
    return {spec: content_id("backend", answer) for spec, answer in told.items()}, told


def remembered(plan: Plan, store: Store) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Returns what ``start`` returned the last time each backend was used on this lake, without starting it.

    Raises:
        UsageError: one of them never answered here.
    """
    told: dict[str, dict[str, str]] = {}
    runs = store.read("runs", columns=["created_at", "settings"]).sort("created_at").collect()
    for settings in runs["settings"]:
        for spec, answer in orjson.loads(settings)["backends"].items():
            told[parse(spec).text] = respelt(answer)
            told[spec] = answer
    for spec in plan.backends:
        if spec not in told:
            raise UsageError(f"{spec} has answered nothing on this lake; run the recipe first")
    told = {spec: told[spec] for spec in plan.backends}
    return {spec: content_id("backend", answer) for spec, answer in told.items()}, told


def respelt(answer: Mapping[str, str]) -> dict[str, str]:
    """Returns what a backend said it runs, with its endpoint in the one way that all spellings share."""
    return {name: one_spelling(value) if name == "endpoint" else value for name, value in answer.items()}


def revisions(told: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Returns SPEC -> revision, of the backends that know what they run; the word of an endpoint is not enough."""
    return {spec: content_id("revision", answer) for spec, answer in told.items() if answer.get("revision")}


@contextlib.contextmanager
def _workers(plan: Plan, settings: Settings) -> Iterator[Executor | None]:
    """Opens worker processes for rules that need CPU; without such rules, or with ``workers`` 0, there are none."""
    rules = [spec for spec in plan.recipe.of("judge") if not registry.find("judge", spec.name).mark.asks]
    if not rules or not settings.workers:
        yield None
        return
    pool = ProcessPoolExecutor(settings.workers, mp_context=get_context("spawn"), initializer=quit_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def interrupts(driver: Driver) -> Iterator[None]:
    """Makes the first Ctrl-C stop asking and let everything in flight land; a second one ends the process."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        driver.stop(StoppedError("stopped by Ctrl-C; every answer is kept, the same command goes on from here"))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
    except (ValueError, RuntimeError, NotImplementedError):  # not the main thread: whoever owns it handles signals
        pass
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


@contextlib.contextmanager
def _disk_errors(root: str) -> Iterator[None]:
    """Turns what the operating system says of a disk into one message."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{root}: the disk is full; nothing half-written is visible, free space and run again"
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StoreError(f"{root}: cannot be written: {error.strerror}; choose another --root") from error
        raise
