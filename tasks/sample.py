"""Verb: samples completions of a prompt, and gives them their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from schemas.errors import boundary
from schemas.exchange import Grown
from schemas.ids import content_id
from schemas.recipe import BlockSpec
from tasks import registry
from tasks.driver import Driver, Rows
from tasks.slots import Order


class Samples(Protocol):
    """Whatever gives a prompt's completions: a sampling block, a search, or completions that are there already."""

    async def __call__(self, driver: Driver, prompt: dict[str, Any], order: Order) -> Rows | Grown:
        """Returns rows of the completions table; a search returns its nodes too."""
        ...


class Sampling:
    """One sampling block of a recipe, checked, with the fingerprint of its policy.

    Args:
        spec: the block. recipe: its recipe's name, for messages. seed: of the run; the block's own seed is added.
        fingerprints: policy SPEC -> content id of what its backend says it runs.
    """

    def __init__(self, spec: BlockSpec, recipe: str, seed: int, fingerprints: dict[str, str]) -> None:
        self.block = registry.find(spec.verb, spec.name)
        self.params, self.recipe = registry.check(spec, recipe), recipe
        if "seed" in self.params:
            self.params["seed"] += seed
        self.policy = self.params.get("policy") or self.params.get("reference_model") or ""
        self.fingerprint = fingerprints.get(self.policy, "")

    async def __call__(self, driver: Driver, prompt: dict[str, Any], order: Order) -> Rows:
        """Returns the prompt's completions as rows of the completions table."""
        with boundary(f"recipe {self.recipe}, block sample: {self.block.name}, prompt {prompt['prompt_id']}"):
            rows = await driver.exchange(self.block.function, prompt, order=order, **self.params)
        for row in rows:
            row.setdefault("policy", self.policy)
            row["prompt_id"] = prompt["prompt_id"]
            row["fingerprint"] = self.fingerprint
            row["completion_id"] = content_id(
                "completion", prompt["prompt_id"], row["policy"], self.fingerprint, row.get("sampling"),
                row.get("seed"), row["sample_index"], row["content_id"],
            )  # fmt: skip
        return rows


async def sample(driver: Driver, prompt: dict[str, Any], blocks: Sequence[Samples], order: Order) -> Grown:
    """Returns the completions of one prompt by all blocks, and the nodes of those that search; they ask at once."""
    if len(blocks) == 1:
        found = [await blocks[0](driver, prompt, order)]
    else:
        found = await asyncio.gather(*(block(driver, prompt, order) for block in blocks))
    grown = [part if isinstance(part, Grown) else Grown([], part) for part in found]
    if len(grown) == 1:
        return grown[0]
    unique = {row["completion_id"]: row for part in grown for row in part.completions}
    return Grown([row for part in grown for row in part.nodes], list(unique.values()))
