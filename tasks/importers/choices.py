"""Which of two answers published data call the better one, and which two answers they are, whatever they call them.

Source: the dataset cards of HelpSteer2 (nvidia/HelpSteer2, preference), SHP (stanfordnlp/SHP), PKU-SafeRLHF, WebGPT
comparisons, summarize-from-feedback, the arena sets of LMSYS, UltraFeedback (openbmb/UltraFeedback) and PandaLM.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import orjson

from tasks.importers.values import number

Row = Mapping[str, Any]
Vote = Callable[[Row], str | None]
"""Says ``first`` or ``second``, null for a tie or no word."""

ANSWERS = (
    ("response_1", "response_2"), ("response_a", "response_b"), ("response_0", "response_1"), ("output_1", "output_2"),
    ("answer_a", "answer_b"), ("answer_0", "answer_1"), ("completion_a", "completion_b"),
    ("human_ref_A", "human_ref_B"), ("conversation_a", "conversation_b"), ("response1", "response2"),
    ("response_A", "response_B"),
)  # fmt: skip
"""Columns of two answers, the one that labels call the first before the other."""
INDEX = ("better_response_id", "choice", "chosen_index")
"""Columns that hold 0 for the first answer and 1 for the second."""
SIGNED = ("preference_strength", "overall_preference")
"""Columns that are negative where the first answer is better."""
FLAGS = (("winner_model_a", "winner_model_b"), ("model_a_wins", "model_b_wins"))
SCORES = (("score_0", "score_1"), ("score_a", "score_b"), ("score_A", "score_B"), ("rating_1", "rating_2"))
_ARENA = ("prompt", "response_a", "response_b")
WORDS = ("label", "winner", "preference", "gold", "verdict")
"""Columns that name the better answer: 1 or 2, a or b, model_a or model_b."""
LISTS = ("completions", "responses", "answers", "summaries")
"""Columns of several answers in one row."""
BESIDE = ("rewards", "scores", "ranks")
"""Columns that hold a number for each answer of a list; of ranks the lowest is best."""
_TEXTS, _MARKS = ("response", "text", "content", "answer", "output"), ("overall_score", "score", "rating", "reward")
_FIRST = {"1", "a", "model_a", "response_1", "response_a", "first", "chosen_a", "output_1", "a>b"}
_SECOND = {"2", "b", "model_b", "response_2", "response_b", "second", "chosen_b", "output_2", "b>a"}


def answers(names: Collection[str], mapping: Mapping[str, str]) -> tuple[str, str] | None:
    """Returns the columns of the two answers, null where there are none."""
    if "first" in mapping and "second" in mapping:
        return mapping["first"], mapping["second"]
    return next((pair for pair in ANSWERS if all(name in names for name in pair)), None)


def votes(rows: Sequence[Row], mapping: Mapping[str, str]) -> dict[str, Vote]:
    """Returns set of labels -> how to read a row's; ``pairs`` where there is one set, annotators by their columns.

    Raises:
        ValueError: a column holds 0 and 1 alone, and nothing says which answer 0 means.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    for column in (mapping.get("better"), *(name for name in INDEX if name in names)):
        if column:
            return {"pairs": _index(column)}
    if "labels" in names and {"human_ref_A", "human_ref_B"} <= set(names):  # SHP: 1 is for A
        return {"pairs": lambda row: {"1": "first", "0": "second"}.get(_plain(row.get("labels")))}
    label = mapping.get("label") or next((name for name in WORDS if name in names), None)
    if label:
        if {_plain(row[label]) for row in rows if row.get(label) is not None} == {"0", "1"}:
            raise ValueError(
                f"column {label!r} holds 0 and 1, which may mean either answer; give --map better={label} "
                "where 0 is the first answer, and turn the answers round where it is the second"
            )
        return {"pairs": _word(label)}
    signed = next((name for name in SIGNED if name in names), None)
    if signed:
        return {"pairs": _compared(lambda row: (row.get(signed), 0.0))}
    for one, other in (*FLAGS, *SCORES):
        if {one, other} <= set(names):
            return {"pairs": _compared(lambda row, one=one, other=other: (row.get(other), row.get(one)))}  # type: ignore[misc]
    return {name: _word(name) for name in names if name.startswith("annotator")}


def unfolded(row: Row) -> Row:
    """Returns a row of the arena sets with the turns that its three columns hold as JSON lists; any other as it is."""
    if not set(FLAGS[0]) <= row.keys() or not set(_ARENA) <= row.keys():
        return row
    lists = {name: _listed(row[name]) for name in _ARENA}
    if None in lists.values():
        return row
    return {**row, **{name: "\n\n".join(parts or ()) for name, parts in lists.items()}}


def _listed(text: Any) -> list[str] | None:
    try:
        found: Any = orjson.loads(text) if isinstance(text, str) and text.startswith("[") else None
    except orjson.JSONDecodeError:
        return None
    listed = isinstance(found, list) and all(part is None or isinstance(part, str) for part in found)
    return [part for part in found if part] if listed else None


def said(item: Row) -> Any:
    """Returns the text of one answer of a list."""
    return next((item[name] for name in _TEXTS if item.get(name)), None)


def mark(item: Row) -> float | None:
    """Returns what one answer of a list is rated, higher is better: a score, or a rank turned round.

    Raises:
        ValueError: the rating is no number.
    """
    name = next((name for name in _MARKS if item.get(name) is not None and not isinstance(item[name], Mapping)), None)
    if name is not None:
        return number(item[name])
    rank = number(item.get("rank"))
    return None if rank is None else -rank


def two(row: Row, column: str) -> tuple[Any, Any] | None:
    """Returns the texts of a list of exactly two answers."""
    items: Sequence[Any] = row.get(column) or ()
    if len(items) != 2:
        return None
    texts = [said(item) if isinstance(item, Mapping) and "role" not in item else item for item in items]
    return texts[0], texts[1]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value).strip().lower().removesuffix(".0")


def _index(column: str) -> Vote:
    return lambda row: {"0": "first", "1": "second"}.get(_plain(row.get(column)))


def _word(column: str) -> Vote:
    def read(row: Row) -> str | None:
        vote = _plain(row.get(column))
        return "first" if vote in _FIRST else "second" if vote in _SECOND else None

    return read


def _compared(numbers: Callable[[Row], tuple[Any, Any]]) -> Vote:
    def read(row: Row) -> str | None:
        second, first = (None if mark is None else number(int(mark) if isinstance(mark, bool) else mark)
                         for mark in numbers(row))  # fmt: skip
        if first is None or second is None or first == second:
            return None
        return "first" if first > second else "second"

    return read
