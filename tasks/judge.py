"""Verb: has the completions of a prompt judged, and gives the judgments their ids."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import boundary
from schemas.ids import content_id
from schemas.recipe import BlockSpec
from tasks import registry
from tasks.driver import Driver, Rows
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

    async def __call__(self, driver: Driver, prompt: dict[str, Any], completions: Rows, order: Order) -> Rows:
        """Returns the judge's judgments of these completions as rows of the judgments table."""
        with boundary(f"recipe {self.recipe}, block judge: {self.name}, prompt {prompt['prompt_id']}"):
            rows = await driver.exchange(self.block.function, prompt, completions, order=order, **self.params)
        seen: Counter[tuple[Any, ...]] = Counter()
        for row in rows:
            same = (row["kind"], *row["subjects"], row["criterion"])
            row["prompt_id"], row["judge"], row["fingerprint"] = prompt["prompt_id"], self.name, self.fingerprint
            row["judgment_id"] = content_id("judgment", prompt["prompt_id"], self.fingerprint, same, seen[same])
            seen[same] += 1
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
    """Returns the content id of a judge's module, its prompts beside it, the helpers of its family, and the readers."""
    loaded = inspect.getmodule(__import__(module, fromlist=["_"]))
    path = Path(str(getattr(loaded, "__file__", "")))
    files = [path, *sorted(path.parent.glob(f"{path.stem}*.txt")), *sorted(path.parent.glob("_*.py"))]
    files += sorted((Path(__file__).parent / "readers").glob("*.py"))
    return content_id("code", [file.read_text(encoding="utf-8") for file in files if file.is_file()])
