"""A backend that scores answers with a reward model: a sequence-classification checkpoint, through transformers.

Source: reward models as classifiers with one output (arXiv:2203.02155, section 3.5); batches sorted by length, halved
when memory runs out (accelerate's find_executable_batch_size).

    reward:PATH_OR_NAME?batch_tokens=16384&slots=256&device=cuda

A ``score`` request holds ``messages`` that end with the assistant's answer, or ``messages`` and a ``prefix``, or a
``text``. The value of its one choice is the model's raw number, or the list of them where it has several outputs. What
is longer than the model's context is an error: it is never cut.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from schemas.errors import EndpointError, UsageError, nearest
from schemas.exchange import Choice, Reply, Request
from tasks.backends.reward_model import Classifier, TooMuch

log = logging.getLogger(__name__)

OPTIONS = {"batch_tokens": "16384", "slots": "256", "device": ""}
GATHER_S = 0.004
"""So long a batch waits for company once its first request is there."""


class Reward:
    """Answers ``score`` requests, many at a time.

    Args:
        model: folder or Hub name of the checkpoint. options: as a SPEC has them.

    Raises:
        UsageError: an option it does not have.
    """

    def __init__(self, model: str, options: Mapping[str, str] | None = None) -> None:
        given = dict(options or {})
        unknown = sorted(set(given) - set(OPTIONS))
        if unknown:
            raise UsageError(f"reward:{model} has no option {unknown[0]!r}; {nearest(unknown[0], OPTIONS)}")
        chosen = OPTIONS | given
        self.spec = f"reward:{model}"
        self._model, self._device = model, chosen["device"]
        self._slots, self._budget = int(chosen["slots"]), int(chosen["batch_tokens"])
        self._classifier: Classifier | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reward")
        self._waiting: list[tuple[list[int], asyncio.Future[Any]]] = []
        self._worker: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._fingerprint: dict[str, str] = {}

    @property
    def slots(self) -> int:
        """As many as are worth sorting by length."""
        return self._slots

    async def start(self) -> dict[str, str]:
        """Loads the checkpoint and returns its fingerprint.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            EndpointError: there is no such checkpoint, or it has no trained head.
        """
        async with self._lock:
            if self._classifier is None:
                loop = asyncio.get_running_loop()
                try:
                    self._classifier = await loop.run_in_executor(self._thread, Classifier, self._model, self._device)
                except (OSError, ValueError) as error:
                    raise EndpointError(f"{self.spec}: {error}") from error
                self._fingerprint = self._classifier.fingerprint
        return self._fingerprint

    async def answer(self, request: Request) -> Reply:
        """Returns one choice whose ``value`` is the number, or an error."""
        await self.start()
        assert self._classifier is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        if request.kind != "score":
            return Reply(error=f"{self.spec} answers requests of kind 'score', found {request.kind!r}")
        try:
            ids = self._classifier.ids(request.messages, request.prefix, request.text)
        except (ValueError, TypeError) as error:
            return Reply(error=f"{self.spec}: {error}")
        waiting: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((ids, waiting))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        value = await waiting
        if isinstance(value, str):
            return Reply(error=f"{self.spec}: {value}")
        revision = self._fingerprint.get("revision", "")
        return Reply(
            (Choice(request.first, "", value=value),), prompt_tokens=len(ids), latency_s=loop.time() - began,
            fingerprint=f"{self._model}@{revision}",
        )  # fmt: skip

    async def _work(self) -> None:
        """Scores what waits until nothing does; a task is started again by the next request."""
        await asyncio.sleep(GATHER_S)
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken, self._waiting = self._waiting, []
            taken.sort(key=lambda item: len(item[0]))
            while taken:
                count = fitting([len(ids) for ids, _ in taken], self._budget)
                batch, taken = taken[-count:], taken[:-count]
                values = await loop.run_in_executor(self._thread, self._score, [ids for ids, _ in batch])
                for (_, waiting), value in zip(batch, values, strict=True):
                    if not waiting.done():
                        waiting.set_result(value)

    def _score(self, batch: Sequence[list[int]]) -> list[Any]:
        """Returns a value, or why there is none, for each; halves the batch when memory runs out, down to one."""
        assert self._classifier is not None
        try:
            rows = self._classifier(batch)
        except TooMuch as error:
            why = str(error)
        except (RuntimeError, ValueError, IndexError) as error:
            return [str(error) or type(error).__name__] * len(batch)
        else:
            return [_value(row) for row in rows]
        if len(batch) == 1:
            return [f"{len(batch[0])} tokens do not fit into memory: {why}"]
        half = len(batch) // 2
        self._budget = max(1, min(self._budget, half * len(batch[-1])))
        log.warning("%s: out of memory at %d answers; batches are halved", self.spec, len(batch))
        return [*self._score(batch[:half]), *self._score(batch[half:])]

    async def close(self) -> None:
        """Ends the worker and lets the model go."""
        if self._worker is not None:
            await self._worker
        self._thread.shutdown(wait=True)
        self._classifier = None


def fitting(lengths: Sequence[int], budget: int) -> int:
    """Returns how many of the longest fit into one padded batch; at least one.

    >>> fitting([10, 20, 30, 40], 80), fitting([100], 80)
    (2, 1)
    """
    return max(1, min(len(lengths), budget // max(1, lengths[-1])))


def _value(row: Sequence[float]) -> Any:
    if not all(map(math.isfinite, row)):
        return f"the reward is {list(row)}"
    return row[0] if len(row) == 1 else list(row)
