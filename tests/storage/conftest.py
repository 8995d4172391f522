"""Builders of the rows that the store's tests put in: each takes what matters and fills in the rest."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from schemas.tables import TABLES


def _turn(text: str, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": text, "tool_calls": None, "extra": None}]


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    names = [name for name in TABLES[table].schema.names if rows and name in rows[0]]
    return pl.DataFrame(rows, schema=TABLES[table].empty().select(names).schema)


@pytest.fixture(scope="session")
def prompts() -> Callable[..., pl.DataFrame]:
    """Returns prompts with the given ids."""
    return lambda *ids: _frame("prompts", [{"prompt_id": i, "messages": _turn(f"question {i}")} for i in ids])


@pytest.fixture(scope="session")
def completions() -> Callable[..., pl.DataFrame]:
    """Returns completions of (id, prompt, text)."""

    def build(*rows: tuple[str, str, str], **more: Any) -> pl.DataFrame:
        fixed = {"policy": "embedded", "fingerprint": "f1", "sample_index": 0, "finish_reason": "stop"}
        return _frame(
            "completions",
            [
                {
                    "completion_id": i,
                    "prompt_id": p,
                    "messages": _turn(t, "assistant"),
                    "content_id": t,
                    **fixed,
                    **more,
                }
                for i, p, t in rows
            ],
        )

    return build


@pytest.fixture(scope="session")
def judgments() -> Callable[..., pl.DataFrame]:
    """Returns judgments of (id, completion, outcome, score), all of prompt p1."""

    def build(*rows: tuple[str, str, str, float | None], **more: Any) -> pl.DataFrame:
        fixed = {"prompt_id": "p1", "judge": "math", "fingerprint": "j1", "kind": "pointwise", "criterion": "right"}
        return _frame(
            "judgments",
            [
                {"judgment_id": i, "subjects": [c], "outcome": o, "score": s, **fixed, **more}
                for i, c, o, s in rows
            ],
        )  # fmt: skip

    return build


@pytest.fixture(scope="session")
def pairs() -> Callable[..., pl.DataFrame]:
    """Returns preferences with the given ids, all of prompt p1: chosen c1 ("right"), rejected c2 ("no")."""

    def build(*ids: str, **more: Any) -> pl.DataFrame:
        fixed = {
            "prompt_id": "p1", "prompt": _turn("question p1"), "chosen": _turn("right", "assistant"),
            "rejected": _turn("no", "assistant"), "chosen_id": "c1", "rejected_id": "c2", "recipe": "quickstart",
            "margin": 1.0, "chosen_policy": "embedded", "rejected_policy": "embedded",
        }  # fmt: skip
        return _frame("preferences", [{**fixed, "pair_id": i, "content_id": i, **more} for i in ids])

    return build
