"""Solutions that came as steps with a label each, in the stepwise formats.

Source: TRL's stepwise supervision (prompt, completions, labels); PRM800K (arXiv:2305.20050); Math-Shepherd
(arXiv:2312.08935); OpenR (arXiv:2410.09671); OpenRLHF's process reward data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from tasks.texts.pieces import joined

Row = Mapping[str, Any]
MARK, TAG = "ки", "\n\n\n\n\n"
_MARKED = re.compile(rf" {MARK}(?=\n|$)")
_HEAD = re.compile(r"\s(?=Step 1\b)")


class Solution(NamedTuple):
    """A solution, what is known of it, and the columns it was read from; ``prompt`` where the row says it otherwise."""

    prompt: str | None
    text: str
    cuts: list[int]
    brought: dict[str, Any]
    used: frozenset[str]


def solution(row: Row) -> Solution | None:
    """Returns the solution of a stepwise row; null of any other row.

    Raises:
        ValueError: the labels are not one a step, or nothing tells where the question ends.
    """
    texts, labels = row.get("completions"), row.get("labels")
    if _texts(texts) and isinstance(labels, list):
        return _made(None, list(texts or ()), [_good(label) for label in labels], {"completions", "labels"})
    if isinstance(row.get("process"), str) and isinstance(row.get("label"), list) and "question" in row:
        parts = row["process"].split(TAG)[:-1]
        return _made(row["question"], parts, [label == "+" for label in row["label"]], {"question", "process", "label"})
    if isinstance(row.get("input"), str) and _MARKED.search(row["input"]) and {"label", "value"} & row.keys():
        return _marked(row)
    if "pre_generated_steps" in str(row.get("question")) and row.get("label") is not None:
        return _prm800k(row)
    return None


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _good(label: Any) -> bool | None:
    if label is None:
        return None
    return label in ("+", True) if isinstance(label, str | bool) else float(label) >= 0.5


def _made(prompt: str | None, texts: Sequence[str], labels: Sequence[bool | None], used: set[str]) -> Solution:
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} steps stand against {len(labels)} labels")
    wrong = next((place for place, label in enumerate(labels, start=1) if label is False), None)
    brought = {"first_error": wrong if wrong is not None else "none" if None not in labels else None}
    text, cuts = joined([step.removesuffix("\n") for step in texts])
    return Solution(prompt, text, cuts, brought, frozenset(used))


def _marked(row: Row) -> Solution:
    """Reads Math-Shepherd's rows (input, label: signs in the places of the marks) and OpenRLHF's (input, value)."""
    begun, *rest = _MARKED.split(row["input"])
    held = row.get("pairwright")
    question = None
    if isinstance(held, str):
        from schemas.messages import text_of

        question = text_of(orjson.loads(held)["row"]["prompt"])
    elif head := _HEAD.search(begun):
        question = begun[: head.start()]
    if question is None:
        raise ValueError("nothing tells where the question ends and the first step begins (no 'Step 1')")
    texts = [begun[len(question) + 1 :], *(part.removeprefix("\n") for part in rest)]
    signs = row.get("value")
    if signs is None:
        signs = re.findall(r" ([+-])(?=\n|$)", row["label"])
    return _made(question, texts[:-1], [_good(sign) for sign in signs], {"input", "label", "value"})


def _prm800k(row: Row) -> Solution:
    asked, label = (
        orjson.loads(row[name]) if isinstance(row[name], str) else row[name] for name in ("question", "label")
    )
    ratings: list[bool | None] = []
    for step in label["steps"]:
        place = step["chosen_completion"]
        if place is None:
            ratings.append(False)
            break
        ratings.append(step["completions"][place]["rating"] != -1)
    texts = asked["pre_generated_steps"] or []
    ratings += [None] * (len(texts) - len(ratings))
    return _made(asked["problem"], texts, ratings, {"question", "label"})
