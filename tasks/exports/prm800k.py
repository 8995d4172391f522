"""Stepwise rows in PRM800K's shape: one labelled solution with its steps and ratings, and alternatives at each step.

Source: PRM800K (arXiv:2305.20050), released data.

Use it for tools written for that release. It is bad at soft values: its ratings are -1, 0 and 1.
"""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from schemas.blocks import export
from schemas.messages import text_of
from tasks.exports._kept import COLUMN, kept, labels_of, restored


@export
def prm800k(
    steps: pl.DataFrame, *, good: float = 0.5, bad: float = 0.5, labeler: str = "pairwright", keep: bool = False
) -> pl.DataFrame:
    """Returns one row a problem and labelled path: question and label as JSON text; every line is one object then.

    Rows of the same prompt that share a beginning and part at a step become each other's alternatives there: candidates
    of that step, of which the path goes on with one (``chosen_completion``). A path's ratings end
    with its first of -1; all its texts stand in ``pre_generated_steps``. The format has ratings, no numbers and no ids:
    those are lost without ``keep``.

    Args:
        good: rating 1 from this label on. bad: rating -1 below this label; 0 between the two.
        keep: also what is needed to get the steps rows back (``back``): the column ``pairwright`` holds it as JSON.

    Raises:
        ValueError: labels are not one a step, or ``bad`` lies above ``good``.
    """
    if bad > good:
        raise ValueError(f"bad is {bad} and good is {good}; bad cannot lie above good")
    made = []
    for _, group in steps.sort("prompt_id", "step_row_id").group_by("prompt_id", maintain_order=True):
        rows = list(group.iter_rows(named=True))
        known: dict[tuple[str, ...], dict[str, float]] = {}
        for row in rows:
            for place, (text, label) in enumerate(zip(row["completions"], labels_of(row), strict=True)):
                known.setdefault(tuple(row["completions"][:place]), {})[text] = label
        made += [
            _solution(row, known, good, bad, labeler) | (kept(row, ("completions",)) if keep else {}) for row in rows
        ]
    names = (
        "labeler", "timestamp", "generation", "is_quality_control_question", "is_initial_screening_question",
        "question", "label",
    )  # fmt: skip
    types: dict[str, Any] = dict.fromkeys(names, pl.String)
    types |= {"generation": pl.Int64, "is_quality_control_question": pl.Boolean,
              "is_initial_screening_question": pl.Boolean}  # fmt: skip
    return pl.DataFrame(made, schema=types | ({COLUMN: pl.String} if keep else {}))


def back(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Returns the steps rows that were exported with ``keep``, as they were; their texts are read off ``question``."""
    return [
        {**restored(row)["row"], "completions": orjson.loads(row["question"])["pre_generated_steps"]}
        for row in rows.iter_rows(named=True)
    ]


def rating(label: float, good: float, bad: float) -> int:
    """Returns 1, 0 or -1."""
    return 1 if label >= good else -1 if label < bad else 0


def _solution(
    row: dict[str, Any], known: dict[tuple[str, ...], dict[str, float]], good: float, bad: float, labeler: str
) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    error = False
    for place, text in enumerate(row["completions"]):
        there = known[tuple(row["completions"][:place])]
        texts = list(there)
        error = rating(there[text], good, bad) < 0
        steps.append(
            {
                "completions": [
                    {"text": other, "rating": rating(there[other], good, bad), "flagged": False} for other in texts
                ],
                "human_completion": None, "chosen_completion": None if error else texts.index(text),
            }
        )  # fmt: skip
        if error:
            break
    question = {
        "problem": text_of(row["prompt"]),
        "ground_truth_answer": None,
        "pre_generated_steps": row["completions"],
    }
    label = {"steps": steps, "total_time": 0, "finish_reason": "found_error" if error else "solution"}
    return {
        "labeler": labeler, "timestamp": None, "generation": None, "is_quality_control_question": False,
        "is_initial_screening_question": False, "question": orjson.dumps(question).decode(),
        "label": orjson.dumps(label).decode(),
    }  # fmt: skip


def to_stepwise(label: dict[str, Any], *, neutral: bool = False) -> list[tuple[list[str], list[bool]]]:
    """Returns the stepwise rows of a PRM800K label: alternatives end where they stand, the path itself goes on.

    Args:
        neutral: whether a rating of 0 counts as good.
    """
    prefix: list[str] = []
    labels: list[bool] = []
    found: list[tuple[list[str], list[bool]]] = []
    for step in label["steps"]:
        chosen = step["chosen_completion"]
        for number, one in enumerate(step["completions"] or []):
            if number != chosen:
                found.append(([*prefix, one["text"]], [*labels, good(one["rating"], neutral)]))
        picked = step["human_completion"] if chosen is None else step["completions"][chosen]
        if picked is None:
            return found
        prefix = [*prefix, picked["text"]]
        labels = [*labels, good(picked.get("rating", 1), neutral)]
    return [*found, (prefix, labels)]


def good(rating: int | None, neutral: bool) -> bool:
    """Says whether a rating counts as good."""
    return rating == 1 or (neutral and rating == 0)
