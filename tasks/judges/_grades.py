"""One answer and a number: the scale, and how a reply becomes a score.

Source: G-Eval (arXiv:2303.16634, section 2: score weighted by token probabilities).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.exchange import Reply
from schemas.messages import text_of
from tasks.judges._rows import Row, answered
from tasks.judges._text import shown
from tasks.judges._weights import scale_weights
from tasks.readers.scores import read_score
from tasks.readers.styles import Style


def check_scale(lowest: int, highest: int) -> None:
    """Raises ValueError where the scale has no room."""
    if lowest >= highest:
        raise ValueError(f"lowest is {lowest} and highest {highest}; the scale needs lowest < highest")


def schema(lowest: int, highest: int) -> dict[str, Any]:
    """Returns the JSON Schema of a reply with a score."""
    return {
        "type": "object",
        "properties": {
            "rationale": {"type": "string"},
            "score": {"type": "number", "minimum": lowest, "maximum": highest},
        },
        "required": ["rationale", "score"],
        "additionalProperties": False,
    }


def row(
    completion: Row, reply: Reply, scale: tuple[int, int], criterion: str, material: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None, *, most_outside: float | None = None, style: Style = "any",
) -> Row:  # fmt: skip
    """Returns the judgment that a reply makes of a completion: the score as it was given, higher is better.

    Args:
        scale: its lowest and its highest number.
        material: what else stood in the prompt. meta: kept with the row.
        most_outside: weigh the score by token probabilities, and do not read it where more than this share of the
            probability lies outside the scale. ``meta`` then has ``outside`` and ``distribution``, or ``weighted``
            false where the endpoint gave no alternatives or spelt the number with several tokens.
    """
    text, flags = shown(text_of(completion["messages"]))
    outcome, found = answered(reply)
    found |= {"kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": criterion, "score": None}
    found["flags"] = list(flags)
    kept = dict(meta or {})
    if outcome is None:
        reading = read_score(reply.text, *scale, (*material, text), style=style)
        found["score"], found["rationale"] = reading.value, reading.rationale
        if reading.value is not None and most_outside is not None:
            said = scale_weights(reply.choices[0], reading.claim, *scale)
            kept |= _weighted(found, said, most_outside)
        outcome = "unparsable" if found["score"] is None else "valid"
    if kept and "meta" not in found:
        found["meta"] = orjson.dumps(kept, option=orjson.OPT_NON_STR_KEYS).decode()
    found["outcome"] = outcome
    return found


def _weighted(found: Row, said: Mapping[int, float], most_outside: float) -> dict[str, Any]:
    """Puts the weighted score into the row, and returns what it was made of."""
    inside = sum(said.values())
    if not inside:
        return {"weighted": False}
    outside = max(0.0, 1.0 - inside)
    mean = sum(number * weight for number, weight in said.items()) / inside
    found["probability"] = min(1.0, inside)
    found["score"] = mean if outside <= most_outside else None
    distribution = {number: round(weight / inside, 6) for number, weight in sorted(said.items())}
    return {"weighted": True, "outside": round(outside, 6), "distribution": distribution}
