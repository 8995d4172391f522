"""What durability costs a call, in CPU: find and keep over a ledger on disk, as a run uses them.

``python -m benchmarks.ledger`` prints one JSON line a case: asked flat out, at the pace of an engine (calls spread
over time, so that commits are small), and found again.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import orjson
import uvloop

from benchmarks.engine_replies import words
from schemas.exchange import Choice, Reply, Request
from storage.ledger import Ledger


def question(number: int) -> Request:
    """Returns a judge's question of about 1.6 KB."""
    return Request(
        "openai:http://127.0.0.1:8000/v1:judge", ({"role": "user", "content": f"Rate {number}: {words(number, 1600)}"},)
    )


def answer(number: int) -> Reply:
    """Returns an answer of about 0.9 KB."""
    return Reply((Choice(0, words(7 * number, 900), completion_tokens=180),), prompt_tokens=320, latency_s=0.2)


async def run(ledger: Ledger, calls: int, width: int, latency_s: float) -> float:
    """Returns the wall seconds of finding and keeping, ``width`` at a time."""
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            request = question(number)
            found = ledger.find(request)
            if not found:
                await ledger.claim(request, found)
                if latency_s:
                    await asyncio.sleep(latency_s * (0.5 + number % 97 / 97))
                await ledger.keep(request, answer(number))
                ledger.release(request)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(width)))
    return time.perf_counter() - began


async def nothing(calls: int, width: int, latency_s: float) -> float:
    """Returns the CPU seconds of the same without a ledger."""
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            question(number)
            if latency_s:
                await asyncio.sleep(latency_s * (0.5 + number % 97 / 97))
            answer(number)

    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(width)))
    return time.process_time() - began


def main() -> None:
    """Prints every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--where", help="a ledger instead of a file in a scratch folder: a path or postgresql://…")
    chosen = parser.parse_args()
    for name, latency_s, width in (("flat out", 0.0, 256), ("paced", 0.2, 256)):
        with tempfile.TemporaryDirectory() as folder, Ledger.open(chosen.where or Path(folder) / "ledger") as ledger:
            for case, pause_s in ((name, latency_s), ("found again", 0.0)):
                base = uvloop.run(nothing(chosen.calls, width, pause_s))
                cpu = time.process_time()
                wall = uvloop.run(run(ledger, chosen.calls, width, pause_s))
                cpu = time.process_time() - cpu - base
                print(orjson.dumps({
                    "case": case, "cpu_us_a_call": round(1e6 * cpu / chosen.calls, 1),
                    "calls_s": round(chosen.calls / wall),
                }).decode(), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
