"""The sliding window: every prompt once, engines kept full, memory bounded, a stop loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.errors import StoppedError
from schemas.exchange import Choice, Reply, Request
from schemas.messages import to_rows
from schemas.recipe import Recipe
from storage.ledger import Ledger
from tasks.answer import Answered, answers
from tasks.driver import Driver
from tasks.judge import Judging
from tasks.sample import Sampling
from tasks.slots import Gate
from tasks.spending import Budget

SPEC = "openai:http://127.0.0.1:1/v1:m"
RECIPE = Recipe.model_validate(
    {
        "name": "window", "source": "none", "about": "What the tests of the window run.",
        "blocks": [
            {"sample": "independent", "policy": SPEC, "n": 2}, {"judge": "pointwise", "model": SPEC},
            {"score": "mean"}, {"select": "best_vs_worst"},
        ],
    }
)  # fmt: skip


class Engine:
    """A backend that answers after a moment and knows how full it was."""

    spec = SPEC
    endpoint = "engine"

    def __init__(self, slots: int, pause_s: float = 0.001) -> None:
        self.slots, self.pause_s = slots, pause_s
        self.gate: Gate | None = None
        self.levels: list[int] = []

    async def start(self) -> dict[str, str]:
        return {}

    async def answer(self, request: Request) -> Reply:
        self.levels.append(self.gate.inside if self.gate else 0)
        await asyncio.sleep(self.pause_s * (1 + len(str(request.messages)) % 3))
        verdict = '{"score": 5}' if request.template else f"answer to {request.messages[0]['content']} "
        choices = (
            Choice(i, verdict + ("" if request.template else str(i)))
            for i in range(request.first, request.first + request.n)
        )
        return Reply(choices=tuple(choices))

    async def close(self) -> None:
        """Nothing to close."""


def shards(count: int, size: int, taken: list[int] | None = None) -> Iterator[pl.DataFrame]:
    for start in range(0, count, size):
        if taken is not None:
            taken.append(start)
        rows = [
            {"prompt_id": f"{i:04d}", "messages": to_rows(f"question {i}")}
            for i in range(start, min(count, start + size))
        ]
        yield pl.DataFrame(rows)


def run(
    path: Path, engine: Engine, parts: Iterator[pl.DataFrame], budget: Budget | None = None
) -> tuple[list[Answered], Driver]:
    async def go() -> tuple[list[Answered], Driver]:
        path.mkdir(exist_ok=True)
        with Ledger.open(path / "ledger.sqlite") as ledger:
            driver = Driver({SPEC: engine}, ledger, budget=budget)
            engine.gate = driver.gates[SPEC]
            sampling = [Sampling(RECIPE.of("sample")[0], "window", 0, {SPEC: "f"})]
            judging = [Judging(RECIPE.of("judge")[0], "window", {SPEC: "f"})]
            found: list[Answered] = []
            try:
                async for shard in answers(driver, parts, sampling, judging):
                    found.append(shard)  # noqa: PERF401 — what came before a stop is wanted too
            except StoppedError as stop:
                driver.stop(stop)
            return found, driver

    return asyncio.run(go())


def in_order(found: list[Answered]) -> list[Answered]:
    return sorted(found, key=lambda shard: shard.number)


def ids(found: list[Answered], table: str) -> list[str]:
    rows: list[dict[str, Any]] = [row for shard in in_order(found) for row in getattr(shard, table)]
    return [row["prompt_id"] for row in rows]


def test_every_prompt_is_sampled_and_judged_once_and_shards_keep_the_prompts_order(tmp_path: Path) -> None:
    found, driver = run(tmp_path, Engine(slots=5), shards(23, 10))
    assert sorted(shard.number for shard in found) == [0, 1, 2]
    assert ids(found, "completions") == ids(found, "judgments") == [f"{i:04d}" for i in range(23) for _ in range(2)]
    assert driver.tally.asked == 23 * 3


def test_every_slot_is_taken_until_the_last_prompts(tmp_path: Path) -> None:
    engine = Engine(slots=8)
    run(tmp_path, engine, shards(60, 20))
    assert set(engine.levels[8:-60]) == {8}


def test_no_more_prompts_are_read_than_the_engine_has_room_for(tmp_path: Path) -> None:
    taken: list[int] = []
    parts = shards(2_000, 10, taken)
    found, _ = run(tmp_path, Engine(slots=2), parts, Budget(calls=30))
    assert len(taken) < 15
    assert len(found) <= 1


@pytest.mark.parametrize("calls", [0, 1, 7, 40])
def test_a_stopped_window_loses_nothing_and_the_next_one_goes_on(tmp_path: Path, calls: int) -> None:
    whole, _ = run(tmp_path / "whole", Engine(slots=3), shards(20, 5))
    _, stopped = run(tmp_path / "parts", Engine(slots=3), shards(20, 5), Budget(calls=calls))
    assert stopped.tally.asked == calls
    again, driver = run(tmp_path / "parts", Engine(slots=3), shards(20, 5))
    assert driver.tally.asked == 60 - calls
    assert [shard[2:4] for shard in in_order(again)] == [shard[2:4] for shard in in_order(whole)]
