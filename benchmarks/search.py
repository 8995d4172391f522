"""How busy do searches keep an engine? Many trees at once, one tree at a time, and one tree with virtual loss.

    python -m benchmarks.search                                300 trees of 32 simulations (a minute)
    python -m benchmarks.search --trees 2000 --simulations 64  the size the promise is about
    python -m benchmarks.search --kills 30                     kill -9 in mid-search, the same command again each time

The engine simulator (``benchmarks.engine``) has 256 slots and serves a sequence in about 0.2 s; "busy" is the sum of
all service times over slots times the span from the first request to the last answer. Its texts are solutions of six
steps with three ways on at each, by content, so trees look like real ones. One run of one machine: compare ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl
import uvloop

from benchmarks.engine import Engine
from benchmarks.search_kills import kills
from benchmarks.w1 import http
from schemas.ids import content_id
from schemas.messages import to_rows
from schemas.recipe import BlockSpec
from schemas.tables import PROMPTS
from storage.ledger import Ledger
from tasks.answer import answers
from tasks.backends.specs import open_backend, parse
from tasks.driver import Driver
from tasks.search import Searching

STEPS = 6
AHEAD = 2.0
"""Requests sent a slot: while an answer is made durable and its tree takes the next step, the engine has another."""


def speak(body: dict[str, Any]) -> str:
    """Returns the rest of a solution after the steps that are there; each step is one of three, the last an answer.

    Sample i of a seed is the same text however the samples are asked for; the samples of one request are told in turn.
    """
    last = body["messages"][-1]
    before = last["content"] if last["role"] == "assistant" else ""
    body["turn"] = turn = body.get("turn", -1) + 1
    key = f"{body.get('seed', 0) + turn}|{before}|{body['messages'][0]['content']}".encode()
    draw = blake2b(key, digest_size=16).digest()
    lines = [f"Step {i + 1}: way {draw[i] % 3}" for i in range(before.count("\n"), STEPS)]
    right = "way 0" not in before + "".join(lines) or draw[-1] < 40
    return "\n".join([*lines, f"Answer: {1 if right else 2}"])


def serve(pipe: Connection, slots: int) -> None:
    """Runs an engine until the pipe says so; sends its URL."""

    async def run() -> None:
        engine = Engine(slots=slots)
        engine.speak = speak
        async with engine.serve() as url:
            pipe.send(url)
            while not pipe.poll():
                await asyncio.sleep(0.2)

    uvloop.run(run())


@contextlib.contextmanager
def engine(slots: int) -> Iterator[str]:
    """Gives the URL of an engine in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, slots))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def prompts(count: int) -> pl.DataFrame:
    """Returns prompts about nothing."""
    rows = [{"prompt_id": content_id(i), "messages": to_rows(f"Problem {i}"), "reference": "1"} for i in range(count)]
    types = {name: PROMPTS.empty().schema[name] for name in ("prompt_id", "messages", "reference")}
    return pl.DataFrame(rows, schema=types)


async def run(url: str, trees: int, params: dict[str, Any], slots: int, *, one_by_one: bool = False) -> dict[str, Any]:
    """Grows trees, and returns what the engine and this process measured."""
    http(f"{url.removesuffix('/v1')}/reset", {})
    asked = round(slots * AHEAD)
    text = f"openai:{url}:mock-gen?concurrency={asked}&start={asked}"
    spec = parse(text).text
    backend = open_backend(text)
    fingerprint = await backend.start()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    samples = nodes = 0
    most: list[int] = []
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        driver = Driver({spec: backend}, ledger)
        one = Searching(
            BlockSpec(verb="search", name="mcts", params={"policy": spec, **params}), "benchmark", 0,
            {spec: content_id(fingerprint)},
        )  # fmt: skip
        watch = asyncio.create_task(watched(driver, most))
        if one_by_one:
            for number, prompt in enumerate(prompts(trees).iter_rows(named=True)):
                nodes += len((await one(driver, prompt, (0, number))).nodes)
        else:
            async for shard in answers(driver, iter([prompts(trees)]), [one], []):
                nodes += len(shard.nodes)
        watch.cancel()
        samples = driver.tally.asked
    await backend.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stats = http(f"{url.removesuffix('/v1')}/stats")
    return {
        "trees": trees, "calls": samples, "nodes": nodes, "busy": stats["utilisation"],
        "slots_filled": round(stats["utilisation"] * slots, 1), "span_s": stats["span_s"], "ideal_s": stats["ideal_s"],
        "in_flight_median": sorted(most)[len(most) // 2] if most else None,
        "wall_s": round(time.monotonic() - began, 2), "client_cpu_s": round(cpu, 2),
        "client_cpu_ms_a_call": round(1000 * cpu / max(samples, 1), 3),
        "engine_cpu_s": stats["server_cpu_s"], "peak_mb": round(after.ru_maxrss / 1024),
    }  # fmt: skip


async def watched(driver: Driver, seen: list[int]) -> None:
    """Notes how many requests are in flight, every 20 ms."""
    while True:
        await asyncio.sleep(0.02)
        seen.append(driver.tally.in_flight)


def main() -> None:
    """Runs the three and prints what they measured as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--simulations", type=int, default=32)
    parser.add_argument("--slots", type=int, default=256)
    parser.add_argument("--window", type=int, default=48, help="simulations under way at once in the single tree")
    parser.add_argument("--keep-answers", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    args = parser.parse_args()
    if args.kills:
        with engine(64) as url:
            found = kills(url, args.kills, 2 * args.trees, simulations=args.simulations, slots=64)
        print(json.dumps(found, indent=1))
        return
    plain = {"simulations": args.simulations, "keep_answers": args.keep_answers}
    wide = {"simulations": 20 * args.window, "window": args.window, "keep_answers": False}
    with engine(args.slots) as url:
        many = uvloop.run(run(url, args.trees, plain, args.slots))
        single = uvloop.run(run(url, 2, plain, args.slots, one_by_one=True))
        alone = uvloop.run(run(url, 1, wide, args.slots, one_by_one=True))
    ratio = round(many["busy"] / single["busy"], 1)
    print(json.dumps({"many": many, "one_at_a_time": single, "ratio": ratio, "one_with_virtual_loss": alone}, indent=1))


if __name__ == "__main__":
    main()
