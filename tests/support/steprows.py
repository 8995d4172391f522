"""Whole rows of the steps table, made of a tree, for tests of the exports that take them."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import strategies as st

from schemas.ids import content_id
from schemas.messages import to_rows
from schemas.tables import PROMPTS, STEPS
from tasks.select import LOG, whole
from tasks.selectors.step_labels import step_labels
from tests.support.nodes import tree

TYPES = {name: kind for name, kind in STEPS.empty().schema.items() if name not in LOG}


def searched() -> pl.DataFrame:
    """Returns the nodes of a tree of two steps each way: a right end, and two wrong ones after a first error."""
    end: dict[str, Any] = {"terminal": True, "visits": 1}
    return tree(
        {
            "": {"rollouts": 8, "successes": 4, "visits": 9, "value": 0.5},
            "a": {"rollouts": 8, "successes": 6, "visits": 6, "value": 0.75},
            "a/R": {"reward": 1.0, "value": 1.0, **end},
            "a/x": {"rollouts": 8, "successes": 0, "visits": 3, "value": 0.0},
            "a/x/W": {"reward": 0.0, "value": 0.0, **end},
            "b": {"rollouts": 8, "successes": 0, "visits": 2, "value": 0.0},
            "b/W": {"reward": 0.0, "value": 0.0, **end},
        }
    )


def rows(nodes: pl.DataFrame | None = None, *, kind: Any = "soft", question: str = "2 + 2?") -> pl.DataFrame:
    """Returns the steps rows of a tree, as a version holds them."""
    types = {name: kind for name, kind in PROMPTS.empty().schema.items() if name not in LOG}
    prompts = pl.DataFrame([{"prompt_id": "p", "messages": to_rows(question)}], schema=types)
    lean = step_labels(searched() if nodes is None else nodes, kind=kind)
    return whole("steps", lean, {"prompts": prompts, "completions": pl.DataFrame()}, "r")


@st.composite
def _any(draw: st.DrawFn) -> pl.DataFrame:
    """Draws steps rows of two prompts, of any text without the formats' own marks."""
    text = st.text(st.characters(codec="utf-8", exclude_characters="ки"), max_size=5).map(lambda said: f"{said}.\n")
    made: dict[str, dict[str, Any]] = {}
    for _ in range(draw(st.integers(1, 4))):
        steps = draw(st.lists(text | st.just("same\n") | st.just("\n\n\n"), min_size=1, max_size=4))
        numbers = st.lists(st.floats(0, 1), min_size=len(steps), max_size=len(steps))
        name, prompt = content_id("steps", steps), draw(st.sampled_from("pq"))
        made[name + prompt] = {
            "step_row_id": name + prompt, "prompt_id": prompt, "prompt": to_rows(f"{prompt}?"), "completions": steps,
            "labels": draw(numbers), "values": draw(numbers), "advantages": None, "recipe": "r", "meta": "{}",
        }  # fmt: skip
    return pl.DataFrame(list(made.values()), schema=TYPES)


ANY = _any()
