"""Reads a judge's reply: JSON, ``[[A]]``, a last line or a plain sentence; anything unclear is no verdict.

Source: MT-bench's ``[[A]]`` and ``[[7]]`` (arXiv:2306.05685, appendix A). Verdicts in JSON or brackets that differ
within one reply are none, where published parsers take the first.

A text that was shown to the judge may hold what looks like a verdict. Where one does, only a claim counts that stands
on a line of its own at the very end of the reply; and a reply that ends as one of those texts does says nothing. The
rule is the same whichever answer is named, so that no answer can be written to silence verdicts against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tasks.judges import _claims
from tasks.judges._claims import Claim

Winner = Literal["A", "B", "tie"]
Several = Literal["last", "first", "none"]

_NAMES: dict[str, Winner] = {
    "a": "A", "1": "A", "first": "A", "b": "B", "2": "B", "second": "B",
    "tie": "tie", "c": "tie", "draw": "tie", "equal": "tie", "both": "tie",
}  # fmt: skip
_NOUN = re.compile(
    r"^(?:the\s+)?(?:(?:answer|response|assistant|option|candidate|completion|output)[\s_-]+(?=\S))?|\s+(?:answer|one)$"
)
_DRESS = re.compile(r"[\s*_`\"'.()\[\]!]+")
_NUMBER = re.compile(r"([-−+]?\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*(\d+(?:\.\d+)?))?")
_WHY = re.compile(r"\s+(?:because|since|due to)\b.*", re.DOTALL)
_NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[ ,;]+[-+]?\d+(?:\.\d+)?)*")
_REASONS = ("rationale", "reasoning", "reason", "explanation", "justification", "feedback", "critique")
_WINNER = ("winner", "verdict", "preference", "choice")
_SCORE = ("score", "rating", "grade")
_QUOTE = 40
"""A reply whose last so many characters stand in a text the judge was shown only repeats that text.

However many spaces and line breaks stand in a row, they count as one.
"""


class Reading(NamedTuple):
    """What a reply says: the verdict (null where it says none, or two), its reason, and the claim it was read from."""

    value: Any
    rationale: str | None = None
    claim: Claim | None = None


NOTHING = Reading(None)


def read_winner(text: str, shown: Sequence[str] = (), *, several: Several = "last") -> Reading:
    """Returns ``A``, ``B`` or ``tie`` as the reply names it, or null.

    Args:
        shown: the texts that stood in the prompt; what they claim is never read.
        several: which counts where plain sentences of one reply name different winners: the last, if it stands in the
            last line; the first, even where it only reports what another judge said, as published parsers do; or none.
    """
    return _read(text, _WINNER, winner_named, shown, several)


def read_score(text: str, lowest: float, highest: float, shown: Sequence[str] = ()) -> Reading:
    """Returns the number the reply names, or null; a number outside the scale is not read, never bent."""
    return _read(text, _SCORE, lambda value: number_named(value, lowest, highest), shown)


def read_scores(
    text: str, labels: Sequence[str], lowest: float, highest: float, shown: Sequence[str] = ()
) -> list[float] | None:
    """Returns a number for each label, or null.

    They stand alone on the first or the last line, in the order of the labels, or each on a line with its label
    (``Assistant 1: 7``). A reply that gives a label two different numbers gives none. Where a text that was shown holds
    such lines, only those count that end the reply.
    """
    start = _claims.after_thinking(text)
    lines = [line.strip() for line in text[start:].splitlines() if line.strip()]
    if not lines or only_repeats(text, start, shown):
        return None
    strict = any(_claims.labelled(seen, 0) or _numbers(seen.splitlines(), len(labels)) for seen in shown)
    found = _numbers(lines[-1:] if strict else [lines[0], lines[-1]], len(labels))
    if not found:
        named = _claims.labelled("\n".join(lines[-len(labels) :]) if strict else text[start:], 0)
        said = [{value for name, value in named if name == label} for label in labels]
        found = [[values.pop() if len(values) == 1 else "" for values in said]]
    scores = [[number_named(value, lowest, highest) for value in values] for values in found]
    first = [value for value in scores[0] if value is not None]
    return first if len(first) == len(labels) and all(other == first for other in scores) else None


def _numbers(lines: Sequence[str], count: int) -> list[list[str]]:
    """Returns the lines that hold so many numbers and nothing else, but words before a colon."""
    bare = [line.rpartition(":")[2].strip(" \t*`.()[]") for line in lines]
    split = [re.split(r"[ ,;]+", line) for line in bare if _NUMBERS.fullmatch(line)]
    return [values for values in split if len(values) == count]


def read_ranking(text: str, labels: Sequence[str], shown: Sequence[str] = ()) -> Reading:
    """Returns the labels from best to worst as tiers (tied ones together), or null where one is missing or twice.

    >>> read_ranking('{"ranking": ["B", ["A", "C"]]}', "ABC").value
    (('B',), ('A', 'C'))
    """
    return _read(text, ("ranking", "order"), lambda value: _tiers(value, labels), shown)


def read_object(text: str, key: str, shown: Sequence[str] = ()) -> Reading:
    """Returns the mapping that the reply's JSON object holds under the key, or null."""
    reading = _read(text, (key,), lambda value: _Held(value) if isinstance(value, Mapping) else None, shown)
    return reading._replace(value=reading.value.content) if reading.value is not None else reading


class _Held:
    """A mapping that can be compared with another in a set."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.content == other.content

    def __hash__(self) -> int:
        return hash(len(self.content))


def _read(
    text: str, keys: Sequence[str], understand: Callable[[object], Hashable], shown: Sequence[str],
    several: Several | None = None,
) -> Reading:  # fmt: skip
    start = _claims.after_thinking(text)
    if only_repeats(text, start, shown):
        return NOTHING
    strict = _hold_a_claim(shown, keys)
    claims = _claims.explicit(text, start, keys)
    why = next((reason(claim.holder) for claim in reversed(claims) if claim.holder), None)
    if claims and strict:
        claims = _claims.closing(text, claims, start)
        if not claims:
            return Reading(None, why)
    elif not claims:
        claims = _plain(text, start, understand, several, shown)
    values = {understand(claim.value) for claim in claims}
    if len(values) != 1 or None in values:
        return Reading(None, why)
    return Reading(values.pop(), why, claims[-1])


def _plain(
    text: str, start: int, understand: Callable[[object], Hashable], several: Several | None, shown: Sequence[str]
) -> list[Claim]:
    last = _claims.last_line(text, start)
    if last is None or understand(last.value) is not None or several is None:
        return [last] if last else []
    said = _claims.statements(text, start, reported=several == "first")
    if not said:
        return []
    line = text.rstrip().rfind("\n") + 1
    if any(_claims.statements(seen, 0, reported=True) for seen in shown):
        said = [claim for claim in said if claim.start >= line]
    if several == "none" or len({understand(claim.value) for claim in said}) < 2:
        return said
    if several == "first":
        return said[:1]
    return said[-1:] if said[-1].start >= line else said


def _hold_a_claim(shown: Sequence[str], keys: Sequence[str]) -> bool:
    for seen in shown:
        if "[[" in seen:
            return True
        if '"' in seen:
            for key in keys:
                if f'"{key}"' in seen:
                    return True
    return False


def only_repeats(text: str, start: int, shown: Sequence[str]) -> bool:
    """Says whether a reply ends as one of the texts does that the judge was shown."""
    words = text.rstrip()[start:][-_QUOTE:].split()[1:]  # the first of them may be cut
    maybe = [seen for seen in shown if _holds_all(seen, words)]
    if not maybe:
        return False
    end = " ".join(text[start:].split())[-_QUOTE:].strip()
    return len(end) >= _QUOTE - 2 and any([end in " ".join(seen.split()) for seen in maybe])


def _holds_all(seen: str, words: Sequence[str]) -> bool:
    for word in words:  # noqa: SIM110 - a generator costs twice as much here
        if word not in seen:
            return False
    return True


def reason(holder: Mapping[str, Any] | None) -> str | None:
    """Returns the reason that a JSON object gives."""
    return next((holder[name] for name in _REASONS if isinstance(holder.get(name), str)), None) if holder else None


def winner_named(value: object) -> Winner | None:
    """Returns the winner that a word, or a phrase such as "Answer (a)", names, or null."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    word = _DRESS.sub(" ", str(value)).strip().casefold()
    return _NAMES.get(word) or _NAMES.get(_NOUN.sub("", word).strip())


def number_named(value: object, lowest: float, highest: float) -> float | None:
    """Returns the number a value names where it lies on the scale, or null."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if lowest <= value <= highest else None  # no number lies between nothing and NaN
    said = _WHY.sub("", value).strip(" \t*_`\"'.()!") if isinstance(value, str) else ""
    found = _NUMBER.fullmatch(said)
    if found is None or (found[2] and float(found[2]) != highest):
        return None
    score = float(found[1].replace("−", "-"))
    return score if lowest <= score <= highest else None


def _tiers(value: object, labels: Sequence[str]) -> tuple[tuple[str, ...], ...] | None:
    if isinstance(value, str):
        value = [re.split(r"\s*[=~]\s*", tier) for tier in re.split(r"\s*(?:>|,|;)\s*", value.strip(" .*`[]"))]
    if not isinstance(value, list):
        return None
    tiers = [tier if isinstance(tier, list) else [tier] for tier in value]
    named = [tuple(_label(name) for name in tier) for tier in tiers]
    flat = [name for tier in named for name in tier]
    return tuple(tuple(sorted(tier)) for tier in named) if sorted(flat) == sorted(labels) else None


def _label(value: object) -> str:
    word = _DRESS.sub(" ", str(value)).strip()
    return _NOUN.sub("", word.casefold()).strip().upper()
