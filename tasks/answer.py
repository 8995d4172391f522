"""Runs prompts through sampling and judging in a sliding window, and hands on shards as they are complete.

There is no batch: a prompt's judgments start when its samples are there, while others still sample, and a new prompt
is opened whenever the engines have room. Memory is bounded by the window and by a shard, not by the number of prompts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from schemas.exchange import Grown
from schemas.ids import prompt_key
from tasks.driver import Driver, Rows
from tasks.judge import Judging, judge
from tasks.sample import Samples, sample
from tasks.slots import Order

SHARD = 256
"""Prompts a shard: what is committed, selected and shown as one piece."""


class Answered(NamedTuple):
    """A shard whose prompts all have their answers.

    Attributes:
        number: of the shard, in the order of the prompts. prompts: its slice of the prompts table.
    """

    number: int
    prompts: pl.DataFrame
    completions: Rows
    judgments: Rows
    nodes: Rows


async def answers(
    driver: Driver,
    shards: Iterable[pl.DataFrame],
    samplings: Sequence[Samples],
    judgings: Sequence[Judging],
    judged: Callable[[Rows], Rows] | None = None,
) -> AsyncGenerator[Answered, None]:
    """Yields every shard once, as soon as its last prompt is done.

    When the driver is stopped, what is in flight lands first, then the reason is raised.

    Args:
        shards: slices of the prompts table, taken as the engines have room.
        judged: of a prompt's completions those that judges are to see; all by default. All are kept.

    Raises:
        StoppedError: the budget is used up or somebody asked to stop; nothing is lost.
        EndpointError: a backend is gone or refuses us.
    """
    window = _Window(driver, samplings, judgings, judged)
    open_shards: dict[int, _Shard] = {}
    rows = _rows(shards, open_shards, driver.elders)
    exhausted = False
    try:
        while not exhausted or window.busy:
            while not exhausted and window.has_room():
                place = next(rows, None)
                if place is None:
                    exhausted = True
                    break
                window.add(*place)
                await asyncio.sleep(0)  # let it ask, so that the gates know
            for (number, position), grown, judgments in await window.finished():
                driver.finished += 1
                shard = open_shards[number]
                shard.done[position] = (grown, judgments)
                if len(shard.done) == shard.prompts.height:
                    yield open_shards.pop(number).answered(number)
    finally:
        await window.land()


class _Shard:
    """A shard some of whose prompts are not done yet."""

    def __init__(self, prompts: pl.DataFrame) -> None:
        self.prompts = prompts
        self.done: dict[int, tuple[Grown, Rows]] = {}

    def answered(self, number: int) -> Answered:
        """Returns the shard's rows in the order of its prompts."""
        both = [self.done[position] for position in range(self.prompts.height)]
        return Answered(
            number, self.prompts,
            completions=[row for grown, _ in both for row in grown.completions],
            judgments=[row for _, rows in both for row in rows],
            nodes=[row for grown, _ in both for row in grown.nodes],
        )  # fmt: skip


def keyed(prompts: pl.DataFrame, elders: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yields the rows of prompts as blocks are given them: with the ``prompt_key`` that their seeds are made of.

    Args:
        elders: prompt id or key -> the id that the seeds were made of in a lake of the first format.
    """
    for row in prompts.iter_rows(named=True):
        key = prompt_key(row["messages"])
        yield row | {"prompt_key": elders.get(row["prompt_id"]) or elders.get(key, key)}


def _rows(
    shards: Iterable[pl.DataFrame], opened: dict[int, _Shard], elders: Mapping[str, str]
) -> Iterator[tuple[Order, dict[str, Any]]]:
    for number, prompts in enumerate(shards):
        opened[number] = _Shard(prompts)
        for position, row in enumerate(keyed(prompts, elders)):
            yield (number, position), row


Done = tuple[Order, Grown, Rows]


class _Window:
    """The prompts that are open: enough to keep every engine full, no more."""

    def __init__(
        self, driver: Driver, samplings: Sequence[Samples], judgings: Sequence[Judging],
        judged: Callable[[Rows], Rows] | None,
    ) -> None:  # fmt: skip
        self.driver, self.samplings, self.judgings, self.judged = driver, samplings, judgings, judged
        self.open: set[asyncio.Task[Done]] = set()
        self._done: list[asyncio.Task[Done]] = []
        self._gates = set(driver.gates.values())

    def has_room(self) -> bool:
        """Whether an engine would soon run dry if no further prompt were opened."""
        if self.driver.stopped is not None:
            raise self.driver.stopped
        slots = max((gate.slots for gate in self._gates), default=64)
        return len(self.open) < 4 * slots + 64 and all(gate.hungry for gate in self._gates)

    @property
    def busy(self) -> bool:
        """Whether a prompt is open, or done and not yet handed on."""
        return bool(self.open or self._done)

    def add(self, order: Order, prompt: dict[str, Any]) -> None:
        """Opens one prompt."""
        task = asyncio.create_task(self._one(order, prompt))
        self.open.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[Done]) -> None:
        self.open.discard(task)
        self._done.append(task)
        task.exception()  # looked at here, since after the first one nobody asks the others
        self.driver.wake.set()

    async def _one(self, order: Order, prompt: dict[str, Any]) -> Done:
        grown = await sample(self.driver, prompt, self.samplings, order)
        rows = self.judged(grown.completions) if self.judged else grown.completions
        return order, grown, await judge(self.driver, prompt, rows, self.judgings, order)

    async def finished(self) -> list[Done]:
        """Waits until a prompt is done or an engine is hungry, and returns the prompts that are done."""
        if self.open and not self._done:
            await self.driver.wake.wait()
            self.driver.wake.clear()
        done, self._done = self._done, []
        return [task.result() for task in done]

    async def land(self) -> None:
        """Waits until nothing is in flight; a prompt that was stopped has nothing to say."""
        if self.open:
            await asyncio.wait(set(self.open))
