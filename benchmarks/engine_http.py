"""The wire of the simulated engine: HTTP/1.1 connections, routes, and scripted answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

import httptools
import orjson

from benchmarks.engine_replies import fault_of, sequences, whole

if TYPE_CHECKING:
    from benchmarks.engine import Engine


@dataclass
class Canned:
    """A scripted answer: bytes as they go over the wire, and then what happens to the connection."""

    raw: bytes = b""
    then: str = "keep"  # or "close", "abort", "hang"
    delay_s: float = 0.0


def canned(body: Any, status: int = 200, headers: dict[str, str] | None = None, then: str = "keep") -> Canned:
    """Returns a scripted answer from a status, headers and a body (bytes as they are, anything else as JSON)."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    head = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return Canned(f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode() + data, then)


@dataclass
class Job:
    """One request being served: its sequences' remaining count, timers, and how to answer."""

    finish: Callable[[], None]
    left: int
    timers: dict[int, asyncio.TimerHandle] = field(default_factory=dict)
    dead: bool = False


class Connection(asyncio.Protocol):
    """One client connection."""

    transport: asyncio.Transport

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.job: Job | None = None
        self.url, self.body, self.head = b"", b"", dict[bytes, bytes]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Counts it."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self.parser = httptools.HttpRequestParser(self)
        self.engine.connections.add(self)
        self.engine.count["connections"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees what it held."""
        self.engine.connections.discard(self)
        if self.job is not None:
            self.engine.abort(self.job)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser."""
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Starts a request."""
        self.body, self.head = b"", {}

    def on_url(self, url: bytes) -> None:
        """Keeps the path."""
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header."""
        self.head[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """Collects the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Routes the request."""
        engine, path = self.engine, self.url.removeprefix(b"/v1")
        if path in (b"/chat/completions", b"/completions"):
            self.completion(chat=path.startswith(b"/chat"))
        elif path == b"/models":
            self.send({"object": "list", "data": [{"id": "mock", "object": "model"}]})
        elif path.startswith((b"/files", b"/batches")):
            self.play(engine.batches.route(self.parser.get_method().decode(), path.decode(), self.head, self.body))
        elif path == b"/stats":
            self.send(engine.stats())
        elif path == b"/reset":
            for name, value in (orjson.loads(self.body) if self.body else {}).items():
                setattr(engine.options, name, value)
            engine.reset()
            self.send({})
        else:
            self.send({"error": {"message": "not found"}}, 200 if path == b"/health" else 404)

    def send(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Sends a JSON answer, unless the client has gone."""
        self.play(canned(body, status, headers))

    def play(self, answer: Canned) -> None:
        """Sends a scripted answer."""
        if self.transport.is_closing() or answer.then == "hang":
            return
        if answer.then == "abort" and not answer.raw:
            self.transport.abort()
            return
        self.transport.write(answer.raw)
        if answer.then in ("close", "abort"):
            self.transport.close()

    def completion(self, *, chat: bool) -> None:
        """Answers a chat or text completion, after its faults and its time."""
        engine, now = self.engine, time.monotonic()
        engine.first = engine.first or now
        engine.last = now
        engine.count["requests"] += 1
        request = orjson.loads(self.body)
        engine.seen.append(request)
        engine.headers.append(self.head)
        scripted = engine.script.popleft() if engine.script else None
        if scripted is not None:
            asyncio.get_running_loop().call_later(scripted.delay_s, self.play, scripted)
            return
        key = blake2b(self.body, digest_size=8).digest()
        engine.asked[key] += 1
        wait = engine.refused()
        fault = "rate" if wait else fault_of(engine)
        if fault:
            engine.count[f"fault_{fault}"] += 1
        if fault in ("rate", "429"):
            seconds = str(max(1, round(wait))) if wait else f"{engine.options.retry_after:g}"
            headers = {"retry-after": seconds} if engine.options.rate_headers else None
            self.send({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, 429, headers)
        elif fault == "500":
            self.send({"error": {"message": "internal error", "type": "server_error"}}, 500)
        elif fault == "drop":
            self.transport.abort()
        else:
            self.admit(request, key, chat, engine.options.slow_factor if fault == "slow" else 1.0)

    def admit(self, request: dict[str, Any], key: bytes, chat: bool, slow: float) -> None:
        """Takes slots for the n sequences and answers when the last one ends."""
        engine, options = self.engine, self.engine.options
        parts = sequences(engine, request, chat, engine.asked[key])
        self.job = job = Job(partial(self.finish, request, key, chat, parts), len(parts))
        seconds = [(options.prefill_ms + tokens * options.tpot_ms) * slow / 1000 for _, tokens in parts]
        if any(seconds):
            engine.submit(job, seconds)
        else:
            job.finish()

    def finish(self, request: dict[str, Any], key: bytes, chat: bool, parts: list[tuple[bytes, int]]) -> None:
        """Sends the answer and counts it."""
        engine, self.job = self.engine, None
        self.send(whole(engine, request, key, chat, parts))
        engine.answered[key] += 1
        engine.count["answered"] += 1
        engine.count["sequences"] += len(parts)
        engine.last = time.monotonic()
