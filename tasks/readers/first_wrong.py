"""Reads which step a judge's reply calls the first wrong one; anything unclear is no verdict.

Source: "First Error Step: 3" and "N/A" of MR-GSM8K (arXiv:2312.17080, appendix A); -1 for none of ProcessBench
(arXiv:2412.06559). Two different steps in one reply are none, where published parsers take the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from tasks.readers import lines
from tasks.readers.quotes import decoded, only_repeats
from tasks.readers.structured import Claim, after_thinking, explicit
from tasks.readers.verdicts import NOTHING, Reading, reason

Named = int | Literal["none"]

KEYS = ("first_error", "first_error_step", "first_wrong_step", "first_wrong", "first_incorrect_step", "error_step")
_LINE = re.compile(
    r"^[ \t*_#>.\d-]*(?:the[ \t]+)?first[ \t]+(?:error|wrong|incorrect|mistaken|mistake)(?:[ \t]+step)?"
    r"(?:[ \t]+(?:number|index))?[ \t*_\"]*(?:[:=]|\b(?:is|occurs|happens)\b)[ \t:=*_\"]*(?P<value>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_STEP = re.compile(
    r"(?:(?:in|at|is)\s+)?(?:the\s+)?(?P<word>step\s*(?:no\.?"
    r"|number)?\s*)?[#(\[]?\s*(?P<number>\d{1,4})(?![\w%])(?!\.\d)"
    r"(?!\s*(?:[,/&+~-]|–|to|and|or|through)\s*(?:in\s+)?(?:steps?\s*)?\d)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:none|n/?a|null|nil|-1|(?:there\s+(?:is|are)\s+)?(?:none|no\s+(?:(?:wrong|incorrect)\s+steps?|errors?"
    r"|mistakes?))"
    r"|no(?:ne\s+of\s+the)?\s+steps?\s+(?:is|are)\s+(?:wrong|incorrect)"
    r"|all\s+(?:the\s+)?steps\s+are\s+(?:correct|right))"
    r"(?![\w/])(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_OTHER = re.compile(r"\b(?:or|maybe|perhaps|possibly)\b[ \t]*(?:in[ \t]+)?(?:step[ \t]*)?#?\d", re.IGNORECASE)
_DOUBT = re.compile(r"\d|\b(?:wrong|incorrect|but|except|or|of)\b", re.IGNORECASE)
_JUDGED = re.compile(r"^\W*final\s+judge?ment\W*(correct|right|wrong|incorrect)\W*$", re.IGNORECASE | re.MULTILINE)
_ANALYSIS = re.compile(r"^\W*error analysis\W*:\W*(\S[^\n]*)", re.IGNORECASE | re.MULTILINE)
_DRESS = " \t*_`\"'.()[]{}!"


def read_first_wrong(text: str, steps: int, shown: Sequence[str] = ()) -> Reading:
    """Returns the number of the step that the reply calls the first wrong one, ``none``, or null.

    Null is what says nothing, two things, a step there is not, or a step although the solution is judged correct.

    Args:
        steps: so many were shown. shown: the texts that stood in the prompt; what they claim is never read.
    """
    text = text[after_thinking(text) :]
    claims = _made(text)
    strict = any(_LINE.search(seen) or explicit(seen, 0, KEYS) for text in shown for seen in {text, decoded(text)})
    if strict or not claims:  # an explanation may well end in words of the task
        if only_repeats(text, 0, shown):
            return NOTHING
        claims = lines.ends_alone(text, claims, 0) if claims else _alone(text)
    why = next((reason(claim.holder) for claim in reversed(claims) if claim.holder), None)
    if why is None and (analysis := _ANALYSIS.search(text)):
        why = analysis[1].strip()
    values = {_named(claim) for claim in claims}
    if len(values) != 1:
        return Reading(None, why)
    value = values.pop()
    if value is None or (value != "none" and not 1 <= value <= steps) or not _agrees(value, text):
        return Reading(None, why)
    return Reading(value, why, claims[-1])


def _made(text: str) -> list[Claim]:
    """Returns the claims in JSON, and those on lines that begin by saying so."""
    found = [claim for claim in explicit(text, 0, KEYS) if claim.form == "json"]
    marked = (Claim(match["value"], match.start(), match.end(), form="line") for match in _LINE.finditer(text))
    inside = [(claim.start, claim.end) for claim in found]
    found += [
        claim for claim in marked
        if _says(str(claim.value)) and not any(one <= claim.start < end for one, end in inside)
    ]  # fmt: skip
    return sorted(found, key=lambda claim: claim.start)


def _alone(text: str) -> list[Claim]:
    """Returns the claim of a last line that is a step and nothing else; a bare number must be all that is said."""
    line = text.rstrip().rpartition("\n")[2]
    last = Claim(line.strip(), len(text.rstrip()) - len(line), len(text.rstrip()), form="line")
    bare = line.strip(_DRESS)
    step, alone = _STEP.fullmatch(bare), text.strip(_DRESS + "\n") == bare
    return [last] if (step and (step["word"] or alone)) or (alone and _NO.fullmatch(bare)) else []


def _says(value: str) -> bool:
    """Says whether what stands behind "First error step:" is more than words: a number, or that there is none."""
    return any(letter.isdigit() for letter in value) or _NO.match(value.lstrip(_DRESS)) is not None


def _named(claim: Claim) -> Named | None:
    value = claim.value
    if value is None:
        return "none"  # null
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return "none" if value == -1 else value
    said = value.lstrip(_DRESS)
    no = _NO.match(said)
    if no:
        return None if _DOUBT.search(no["rest"]) else "none"
    step = _STEP.match(said)
    return int(step["number"]) if step and not _OTHER.search(said, step.end()) else None


def _agrees(value: Named, text: str) -> bool:
    judged = {word.casefold() in ("correct", "right") for word in _JUDGED.findall(text)}
    return len(judged) != 1 or judged.pop() == (value == "none")
