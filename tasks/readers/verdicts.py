"""Reads a judge's reply: JSON, ``[[A]]``, a marked line or a plain last sentence; anything unclear is no verdict.

Source: MT-bench's ``[[A]]`` (arXiv:2306.05685, appendix A); LLMBar's closing sentence (arXiv:2310.07641, appendix A),
whose published parser takes the first answer where both are named. Verdicts that differ within one reply are none,
where published parsers take the first.

A form counts where it closes the reply, a sentence where it is the last one. A text that was shown to the judge may
hold what looks like a verdict. Where one does, only a claim counts that stands on a line of its own at the very end of
the reply; and a reply that ends as one of those texts does says nothing. The rule is the same whichever answer is
named, so that no answer can be written to silence verdicts against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tasks.readers import lines, prose
from tasks.readers.quotes import holds_a_claim, only_repeats
from tasks.readers.structured import BROKEN, Claim, after_thinking, explicit
from tasks.readers.styles import Style, in_style
from tasks.readers.words import Winner, label_named, winner_named, winner_worded

Several = Literal["last", "first", "none"]
Understand = Callable[[object], Hashable]

WINNER_KEYS = (
    "winner", "final_verdict", "verdict", "preference", "preferred", "choice", "better", "better_response",
    "better_answer", "best_response", "decision", "judgment", "judgement", "gewinner", "urteil", "gagnant", "vainqueur",
    "ganador", "veredicto", "胜者", "获胜者", "赢家",
)  # fmt: skip
RANKING_KEYS = ("ranking", "order", "final_ranking")
_REASONS = ("rationale", "reasoning", "reason", "explanation", "justification", "feedback", "critique")
_CALLED = re.compile(
    r"\b(?:(?:output|answer|response|assistant|option|candidate|completion|model|summary|text)\s{0,3}"
    r"[\[(\"'*]{0,3}(?P<name>[ab12])\b[\])\"'*]{0,3}|the (?P<place>first|second) (?:output|answer|response|assistant))"
    r" (?:(?:is|was)(?: (?:clearly|slightly|much|far|overall|therefore|thus|generally|definitely|significantly|still))?"
    r"(?: the)? (?:better|superior|best|preferable|preferred|winner|stronger)|wins|better executes)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:whether|if|unless|claim\w*|says?|said|saying|argues?|argued|stat(?:es?|ed|ing)|suggests?|evaluator)\b"
    r"|(?:\b(?:not|never|neither|nor|hardly)|n't)\b[^,;]{0,12}\Z",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """What a reply says: the verdict (``None`` where it has none, or two), its reason, and the claim it comes from."""

    value: Any
    rationale: str | None = None
    claim: Claim | None = None


NOTHING = Reading(None)


class Kind(NamedTuple):
    """One kind of verdict: the keys and marks that announce it, and how its values are understood.

    Attributes:
        form: understands a value in JSON, brackets or tags. line: understands the value of a line. said: understands a
            whole sentence: the value and the words that give it.
    """

    keys: tuple[str, ...]
    marks: str
    form: Understand
    line: Understand
    said: Callable[[str], tuple[Hashable, str] | None]


def read_winner(text: str, shown: Sequence[str] = (), *, several: Several = "last", style: Style = "any") -> Reading:
    """Returns ``A``, ``B`` or ``tie`` as the reply names it, or ``None``.

    Args:
        shown: the texts that stood in the prompt; what they claim is never read.
        several: which counts where plain sentences of one reply name different winners: the last sentence of the reply;
            the first, even where it only reports what another judge said, as published parsers do; or none.
        style: the one form that is read; ``any`` reads all.
    """
    if several == "first" and style == "any":
        first = _first_called(text, shown)
        if first is not None:
            return first
    reading = read(text, _WINNER, shown, style)
    if several == "none" and reading.claim is not None and reading.claim.form == "prose":
        others = {winner_named(name) for name in _called(text, after_thinking(text))}
        return reading if others <= {reading.value} else Reading(None, reading.rationale)
    return reading


def _winner_on_a_line(value: object) -> Winner | None:
    named = winner_worded(value)
    if named is None and isinstance(value, str):
        named = (prose.winner_said(value) or (None, ""))[0]
    return named


_WINNER = Kind(WINNER_KEYS, lines.WINNER, winner_named, _winner_on_a_line, prose.winner_said)


def _called(text: str, start: int, *, reported: bool = False) -> list[str]:
    """Returns the names that sentences anywhere in a reply call better.

    Args:
        reported: those too that a sentence denies, or only reports.
    """
    names = []
    for match in _CALLED.finditer(text, start):
        before = re.split(r"[.!?]['\")]?\s|\n", text[max(start, match.start() - 300) : match.start()])[-1]
        if reported or not _REPORTED.search(before):
            names.append(match["name"] or match["place"])
    return names


def _first_called(text: str, shown: Sequence[str]) -> Reading | None:
    """Returns the first winner that prose names, as published parsers take it; ``None`` where a form or no one does."""
    start = after_thinking(text)
    if explicit(text, start, WINNER_KEYS) or only_repeats(text, start, shown):
        return None
    names = _called(text, start, reported=True)
    return Reading(winner_named(names[0])) if names else None


def read_ranking(text: str, labels: Sequence[str], shown: Sequence[str] = ()) -> Reading:
    """Returns the labels from best to worst as tiers (tied ones together), or ``None`` where one is missing or twice.

    >>> read_ranking('{"ranking": ["B", ["A", "C"]]}', "ABC").value
    (('B',), ('A', 'C'))
    """

    def understand(value: object) -> Hashable:
        return _tiers(value, labels)

    return read(text, Kind(RANKING_KEYS, lines.RANKING, understand, understand, lambda _: None), shown)


def read(text: str, kind: Kind, shown: Sequence[str] = (), style: Style = "any") -> Reading:
    """Returns what a reply says in any form of one kind of verdict."""
    start = after_thinking(text)
    if only_repeats(text, start, shown):
        return NOTHING
    strict = any([holds_a_claim(seen, kind.keys, kind.marks) for seen in shown])
    forms = [claim for claim in explicit(text, start, kind.keys) if in_style(claim, text, style)]
    why = next((reason(claim.holder) for claim in reversed(forms) if claim.holder), None)
    claims = sorted([*forms, *_marks(text, start, kind, forms)] if style == "any" else forms, key=lambda one: one.start)
    if claims and strict:
        claims = lines.ends_alone(text, claims, start)
    elif not claims and style == "any":
        bare = [claim for claim in lines.alone(text, start) if kind.form(claim.value) is not None]
        claims = bare or _last_sentence(text, start, kind)
    elif claims and not _holds(text, claims[-1], start, kind):
        return Reading(None, why)
    values = {_value(claim, kind) for claim in claims}
    if len(values) != 1 or None in values:
        return Reading(None, why)
    return Reading(values.pop(), why, claims[-1])


def _value(claim: Claim, kind: Kind) -> Hashable:
    if claim.value is BROKEN:
        return None
    if claim.holder and claim.form == "json" and len(_others(claim.holder, kind)) > 1:
        return None
    if claim.form == "prose":
        return (kind.said(str(claim.holder["sentence"])) or (None,))[0] if claim.holder else None
    return (kind.line if claim.form in ("line", "alone") else kind.form)(claim.value)


def _others(holder: Mapping[str, Any], kind: Kind) -> set[Hashable]:
    """Returns what the keys of one object say, where several of them have the same meaning."""
    values = {kind.form(value) for name, value in holder.items() if name.strip().casefold() in kind.keys}
    return values - {None}


def _marks(text: str, start: int, kind: Kind, forms: Sequence[Claim]) -> list[Claim]:
    """Returns the claims of marked lines outside of the forms; of those nobody understands only the last counts."""
    marked = [
        claim for claim in lines.marked(text, start, kind.marks)
        if not any(form.start <= claim.at < form.end or claim.start <= form.start < claim.end for form in forms)
    ]  # fmt: skip
    return [claim for claim in marked if claim is marked[-1] or _value(claim, kind) is not None]


def _holds(text: str, claim: Claim, start: int, kind: Kind) -> bool:
    """Says whether a claim closes the reply, stands in no doubtful sentence, and nothing behind it says otherwise."""
    if not lines.closes(text, claim, start) or (claim.form == "brackets" and lines.doubtful(text, claim, start)):
        return False
    if lines.quoted(text, claim.start, start):
        return False
    value = _value(claim, kind)
    rest = text[claim.end :]
    said = [kind.said(part.text) for part in prose.sentences(rest)] if rest.strip() else []
    return all(other is None or other[0] == value for other in said)


def _last_sentence(text: str, start: int, kind: Kind) -> list[Claim]:
    parts = prose.sentences(text, start)
    while len(parts) > 1 and prose.explains(parts[-1].text):
        parts.pop()
    said = kind.said(parts[-1].text) if parts else None
    if said is None or lines.quoted(text, parts[-1].start, start):
        return []
    last = parts[-1]
    at = text.find(said[1], last.start)
    return [Claim(said[0], last.start, last.start + len(last.text), {"sentence": last.text}, at=at, form="prose")]


def reason(holder: Mapping[str, Any] | None) -> str | None:
    """Returns the reason that a JSON object gives."""
    return next((holder[name] for name in _REASONS if isinstance(holder.get(name), str)), None) if holder else None


def _tiers(value: object, labels: Sequence[str]) -> tuple[tuple[str, ...], ...] | None:
    if isinstance(value, str):
        bare = value[:2000].strip(" .*`[]")
        value = [re.split(r"\s*[=~]\s*", tier) for tier in re.split(r"\s*(?:>|,|;)\s*", bare)]
    if not isinstance(value, list):
        return None
    tiers = [tier if isinstance(tier, list) else [tier] for tier in value]
    named = [tuple(label_named(name) for name in tier) for tier in tiers]
    flat = [name for tier in named for name in tier]
    return tuple(tuple(sorted(tier)) for tier in named) if sorted(flat) == sorted(labels) else None
