"""A recipe: a YAML file with a name, its source, and an ordered list of blocks with their settings.

    name: rs-dpo
    source: "RS-DPO, arXiv:2402.10038, section 3"
    about: Every ordered pair of sixteen samples whose reward gap makes it at least 85 % sure.
    blocks:
      - sample: independent
        policy: embedded
        n: 16
      - judge: math
      - score: mean
      - select: all_pairs
        min_probability: 0.85
      - gate: basics
      - export: trl_dpo

Each block is its verb and name, then its parameters. ``extends: other`` takes over another recipe, once: fields given
here replace its fields, and ``set:`` changes single parameters of its blocks.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.blocks import FAMILIES
from schemas.ids import content_id


class BlockSpec(BaseModel):
    """One block of a recipe: the verb, the block's name, and its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: str
    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    def as_yaml(self) -> dict[str, Any]:
        """Returns the block as it is written in a recipe."""
        return {self.verb: self.name, **self.params}


def _spec(value: object) -> object:
    if isinstance(value, BlockSpec) or not isinstance(value, dict) or "verb" in value:
        return value
    verb = next(iter(value), None)
    others = [key for key in value if key in FAMILIES and key != verb]
    named = (verb, others) == ("judge", ["score"])  # a judge's parameter, not a scorer
    if verb not in FAMILIES or (others and not named):
        found = ", ".join(map(str, value)) or "nothing"
        raise ValueError(f"a block names exactly one of {', '.join(FAMILIES)}; found {found}")
    return {"verb": verb, "name": value[verb], "params": {k: v for k, v in value.items() if k != verb}}


class Recipe(BaseModel):
    """A recipe, resolved: nothing is left to look up but the blocks.

    Args:
        name: its file's name without ``.yaml``; also the default name of the dataset it makes.
        source: the paper or system it follows.
        about: what it does, in a sentence or two.
        paper_defaults: settings of the paper that differ from the ones here, and why.
        require_audit: floors that the judges' audits must reach before anything is published, e.g. ``{kappa: 0.4}``.
        files: path of a file that a block reads -> digest of what it holds. Filled in when a run is planned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    source: str = Field(min_length=3)
    about: str = Field(min_length=10)
    paper_defaults: str | None = None
    require_audit: dict[str, float] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    blocks: tuple[Annotated[BlockSpec, BeforeValidator(_spec)], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_sampling(self) -> Recipe:
        order = list(FAMILIES)
        ranks = {verb: order.index(verb) for verb in ("prompts", "sample", "judge", "score", "select")}
        last = ("", -1)
        for block in self.blocks:
            rank = ranks.get(block.verb)
            if rank is None:
                continue
            if rank < last[1]:
                raise ValueError(f"block {block.verb!r} stands after {last[0]!r}; the order is {', '.join(ranks)}")
            last = (block.verb, rank)
        return self

    def of(self, verb: str) -> tuple[BlockSpec, ...]:
        """Returns the blocks of one verb, in order."""
        return tuple(block for block in self.blocks if block.verb == verb)

    @property
    def hash(self) -> str:
        """The content id of everything in the recipe that can change a row; of files what they hold, not where."""
        blocks = [{key: self._held(value) for key, value in block.as_yaml().items()} for block in self.blocks]
        return content_id("recipe", self.name, blocks, self.require_audit)

    def _held(self, value: Any) -> Any:
        return {"file": self.files[value]} if isinstance(value, str) and value in self.files else value
