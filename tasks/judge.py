"""Verb: has the completions of a prompt judged, and gives the judgments their ids."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import BlockError
from schemas.ids import content_id
from schemas.recipe import BlockSpec
from tasks import registry
from tasks.driver import Driver, Rows
from tasks.raised import Watch, failures
from tasks.slots import Order


class Judging:
    """One judge of a recipe, checked, with its fingerprint.

    The fingerprint covers the judge's parameters, its model, its prompt template and its code: a judge whose parser was
    mended is another judge, and judges again from the answers in the ledger without buying one.
    """

    def __init__(self, spec: BlockSpec, recipe: str, fingerprints: dict[str, str]) -> None:
        self.block = registry.find(spec.verb, spec.name)
        self.params = registry.check(spec, recipe)
        self.name, self.recipe = spec.name, recipe
        models = [fingerprints.get(self.params[name], "") for name in registry.SPECS if name in self.params]
        code = _code(self.block.function.__module__)
        self.fingerprint = content_id("judge", spec.name, self.params, models, code)
        self.label = f"judge: {spec.name}"
        self.watch = Watch(self.label, recipe)

    async def __call__(self, driver: Driver, prompt: dict[str, Any], completions: Rows, order: Order) -> Rows:
        """Returns the judge's judgments of these completions as rows of the judgments table.

        What it raises becomes judgments with the outcome ``error``, and ends nothing, unless it raised on each of the
        first prompts.
        """
        try:
            rows = _checked(await driver.exchange(self.block.function, prompt, completions, order=order, **self.params))
            if rows:
                self.watch.worked()
        except BlockError as error:
            rows = await self._apart(driver, prompt, completions, error)
        seen: Counter[tuple[Any, ...]] = Counter()
        for row in rows:
            same = (row["kind"], *row["subjects"], row["criterion"])
            row["prompt_id"], row["judge"], row["fingerprint"] = prompt["prompt_id"], self.name, self.fingerprint
            row["judgment_id"] = content_id("judgment", prompt["prompt_id"], self.fingerprint, same, seen[same])
            seen[same] += 1
        return rows

    async def _apart(self, driver: Driver, prompt: dict[str, Any], completions: Rows, error: BlockError) -> Rows:
        """Returns the judgments of a prompt on which the judge raised.

        A rule of ours judges each completion for itself, so those it can judge keep their judgments. Of all others,
        which may compare the completions, or would ask again in other words, every completion is an ``error``.
        """
        prompt_id, criteria = prompt["prompt_id"], self._criteria()
        if len(completions) < 2 or ":" in self.name or inspect.isgeneratorfunction(self.block.function):
            self.watch.failed(driver, prompt_id, error)
            return failures(self.label, prompt_id, completions, criteria, error)
        rows: Rows = []
        good = False
        for completion in completions:
            try:
                made = _checked(await driver.exchange(self.block.function, prompt, [completion], **self.params))
            except BlockError as own:
                rows += failures(self.label, prompt_id, [completion], criteria, own)
            else:
                rows += made
                good |= bool(made)
        self.watch.failed(driver, prompt_id, error, part=good)
        return rows

    def _criteria(self) -> list[str]:
        found = self.params.get("criterion") or self.params.get("aspects") or self.name
        return [found] if isinstance(found, str) else [str(name) for name in found]


def _checked(rows: Any) -> Rows:
    """Returns what a judge returned, if it is judgments.

    Raises:
        BlockError: it is something else, or a valid judgment has a score that is no number.
    """
    if not isinstance(rows, list):
        raise BlockError("TypeError", f"it returns {type(rows).__name__}, expected a list of rows")
    for row in rows:
        lacks = [name for name in ("kind", "subjects", "criterion", "outcome") if name not in row]
        if lacks or not isinstance(row, dict):
            raise BlockError("KeyError", f"a row it returns has no {', '.join(lacks)}")
        score = row.get("score")
        try:
            sound = score is None or math.isfinite(score)
        except (TypeError, OverflowError):
            sound = False
        if not sound:
            found = str(score)[:40] if isinstance(score, float | str) else type(score).__name__
            raise BlockError("ValueError", f"a row it returns has the score {found}, expected a finite number")
    return rows


async def judge(
    driver: Driver, prompt: dict[str, Any], completions: Rows, blocks: Sequence[Judging], order: Order
) -> Rows:
    """Returns the judgments of one prompt's completions by all judges; the judges judge at the same time."""
    if not completions or not blocks:
        return []
    if len(blocks) == 1:
        return await blocks[0](driver, prompt, completions, order)
    groups = await asyncio.gather(*(block(driver, prompt, completions, order) for block in blocks))
    return [row for rows in groups for row in rows]


@cache
def _code(module: str) -> str:
    """Returns the content id of a judge's module, its prompts beside it, and the helpers its family shares."""
    loaded = inspect.getmodule(__import__(module, fromlist=["_"]))
    path = Path(str(getattr(loaded, "__file__", "")))
    files = [path, *sorted(path.parent.glob(f"{path.stem}*.txt")), *sorted(path.parent.glob("_*.py"))]
    return content_id("code", [file.read_text(encoding="utf-8") for file in files if file.is_file()])
