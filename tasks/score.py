"""Verb: turns judgments into scores with the recipe's scorers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from schemas.errors import boundary
from schemas.recipe import BlockSpec
from tasks import registry


class Step(NamedTuple):
    """A pure block of a recipe with its checked parameters, ready to be called on tables."""

    block: registry.Block
    params: dict[str, Any]
    recipe: str

    @classmethod
    def of(cls, spec: BlockSpec, recipe: str) -> Step:
        """Returns the step of a block spec; raises ``RecipeError`` as ``registry.check`` does."""
        return cls(registry.find(spec.verb, spec.name), registry.check(spec, recipe), recipe)

    def __call__(self, tables: Mapping[str, Any], **more: Any) -> Any:
        """Returns what the block makes of the tables it asks for; its ``ValueError`` names block and recipe."""
        with boundary(f"recipe {self.recipe}, block {self.block.verb}: {self.block.name}"):
            return self.block.function(*(tables[name] for name in self.block.tables), **self.params, **more)


def score(tables: Mapping[str, pl.DataFrame], scorers: Sequence[Step]) -> pl.DataFrame:
    """Returns the scores table of all scorers, sorted by its key."""
    frames: list[pl.DataFrame] = [scorer(tables) for scorer in scorers]
    if not frames:
        return pl.DataFrame()
    return pl.concat(frames, how="diagonal_relaxed").sort("prompt_id", "completion_id", "criterion", "scorer")
