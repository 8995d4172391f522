"""A local OpenAI-compatible server that takes time like an inference engine, and fails like an endpoint.

No model: texts and verdicts are functions of the content. A sequence holds one of ``slots`` places for
``prefill_ms + out_tokens * tpot_ms`` (out_tokens is log-normal, by content); beyond that, sequences queue first come,
first served. A request with n > 1 is n sequences. Counters stand at ``/stats``; ``POST /reset`` zeroes them and
overrides options.

The model's *name* picks the answer: ``judge-score`` a JSON score, ``judge-pair`` a JSON winner, anything else text.
``python -m benchmarks.engine --port 8100 --slots 256``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from random import Random
from typing import Any

import uvloop

from benchmarks.engine_batch import Batches
from benchmarks.engine_http import Canned, Connection, Job, canned

__all__ = ["Canned", "Engine", "Options", "canned"]


@dataclass
class Options:
    """What the engine is like. Faults are shares of attempts; ``rate`` is requests a second (0: no limit).

    Without ``scores`` it knows neither ``prompt_logprobs`` nor ``echo``, and answers as if they were not there.

    A batch job takes ``batch_s``; with ``batch_done`` below 1 it expires with that share of its requests answered.
    """

    slots: int = 256
    prefill_ms: float = 20.0
    tpot_ms: float = 1.0
    out_tokens: int = 180
    judge_out_tokens: int = 180
    sigma: float = 0.4
    fault_429: float = 0.0
    retry_after: float = 1.0
    fault_500: float = 0.0
    fault_drop: float = 0.0
    fault_slow: float = 0.0
    slow_factor: float = 20.0
    fault_malformed: float = 0.0
    rate: float = 0.0
    burst: float = 0.0
    rate_headers: bool = True
    scores: bool = True
    batch_s: float = 0.2
    batch_done: float = 1.0
    seed: int = 0


class Engine:
    """Slots, queue, faults and counters.

    Attributes:
        script: answers to give instead, one a request, in order (null: serve that one normally).
        speak: what to say instead: the request's JSON body -> text.
        seen: the bodies of the last requests, and ``headers`` theirs.
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        self.script: deque[Canned | None] = deque()
        self.speak: Callable[[dict[str, Any]], str] | None = None
        self.seen: deque[dict[str, Any]] = deque(maxlen=4096)
        self.headers: deque[dict[bytes, bytes]] = deque(maxlen=4096)
        self.connections: set[Connection] = set()
        self.running, self.queue = 0, deque[tuple[Job, int, float]]()
        self.batches = Batches(self)
        self.reset()

    def reset(self) -> None:
        """Zeroes the counters and starts the draw of faults anew."""
        self.count: Counter[str] = Counter()
        self.asked: Counter[bytes] = Counter()
        self.answered: Counter[bytes] = Counter()
        self.by_second: dict[int, list[int]] = {}
        self.random = Random(self.options.seed)
        self.service_s = 0.0
        self.first = self.last = 0.0
        self.tokens, self.tokens_at = self.options.burst or max(1.0, self.options.rate), time.monotonic()
        self.cpu_s = time.process_time()

    def stats(self) -> dict[str, Any]:
        """Returns the counters, and how busy the slots were between the first request and the last answer."""
        span = self.last - self.first
        ideal = self.service_s / self.options.slots
        return {
            **self.count,
            "ideal_s": round(ideal, 3), "span_s": round(span, 3),
            "utilisation": round(ideal / span, 4) if span > 0 else None,
            "distinct_bodies": len(self.asked),
            "answers_per_body_hist": {str(k): v for k, v in sorted(Counter(self.answered.values()).items())},
            "by_second": list(self.by_second.values()),
            "connections_open": len(self.connections),
            "server_cpu_s": round(time.process_time() - self.cpu_s, 3),
        }  # fmt: skip

    def refused(self) -> float:
        """Takes one from the bucket; returns the seconds to wait when it is empty, else 0."""
        rate = self.options.rate
        if not rate:
            return 0.0
        now = time.monotonic()
        full = self.options.burst or max(1.0, rate)
        self.tokens, self.tokens_at = min(full, self.tokens + (now - self.tokens_at) * rate), now
        second = self.by_second.setdefault(int(now - self.first), [0, 0])
        if self.tokens < 1:
            second[1] += 1
            return (1 - self.tokens) / rate
        second[0] += 1
        self.tokens -= 1
        return 0.0

    def submit(self, job: Job, services: list[float]) -> None:
        """Gives every sequence a slot, or a place in the queue."""
        for number, service in enumerate(services):
            self.service_s += service
            if self.running < self.options.slots:
                self._start(job, number, service)
            else:
                self.queue.append((job, number, service))
        self.count["queue_peak"] = max(self.count["queue_peak"], len(self.queue))

    def _start(self, job: Job, number: int, service: float) -> None:
        self.running += 1
        job.timers[number] = asyncio.get_running_loop().call_later(service, self._end, job, number)

    def _end(self, job: Job, number: int) -> None:
        del job.timers[number]
        job.left -= 1
        if not job.left:
            job.finish()
        self._free(1)

    def _free(self, places: int) -> None:
        self.running -= places
        while self.queue and self.running < self.options.slots:
            job, number, service = self.queue.popleft()
            if not job.dead:
                self._start(job, number, service)

    def abort(self, job: Job) -> None:
        """Frees the slots of a request whose client has gone."""
        job.dead = True
        self.count["aborted_by_client"] += 1
        for timer in job.timers.values():
            timer.cancel()
        self._free(len(job.timers))

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0, ssl: Any = None) -> AsyncIterator[str]:
        """Listens, and gives the base URL (``http://127.0.0.1:PORT/v1``)."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), host, port, backlog=4096, ssl=ssl)
        try:
            yield f"http{'s' if ssl else ''}://{host}:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()
            for _ in range(3):  # some may still be on their way from the socket to a connection
                for connection in list(self.connections):
                    connection.transport.abort()
                await asyncio.sleep(0.002)


def main() -> None:
    """Runs an engine until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    for option in fields(Options):
        kind = type(option.default)
        names = [f"--{option.name.replace('_', '-')}"] + (["--concurrency"] if option.name == "slots" else [])
        parser.add_argument(*names, dest=option.name, default=option.default, type=_truth if kind is bool else kind)
    arguments = vars(parser.parse_args())
    host, port = arguments.pop("host"), arguments.pop("port")
    uvloop.run(_until_told(Engine(**arguments), host, port))


def _truth(word: str) -> bool:
    return word.lower() in ("1", "true", "yes")


async def _until_told(engine: Engine, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with engine.serve(host, port) as url:
        print(url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    main()
