r"""Which of the marks in a text names its final answer.

Source: the rule that the last answer counts (math-verify; MGSM's evaluation), held back where it would be a guess.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from tasks.readers._announced import Announced, announced, lettered
from tasks.readers._boxes import boxes, fielded, hashed, tagged
from tasks.readers._spans import Span, behind, shorter, trimmed, without_counter
from tasks.readers._tongues import TONGUES
from tasks.readers.values import canonical, readable

_NEXT_QUESTION = re.compile(
    r"\n\s{0,3}(?:#{2,4} )?[*_]{0,2}(?:Q|Question|Problem|User|Human|Instruction|Exercise|Input)"
    r"\s?\d{0,3}[*_]{0,2}\s?:",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"```[ \t]*(?:python|py|javascript|js|c\+\+|cpp|c|java|bash|sh|sql|r|rust|go|sage|sympy)[ \t]*\n.*?(?:```|\Z)",
    re.DOTALL | re.IGNORECASE)  # fmt: skip
_TURNS = {
    language: re.compile(
        tongue.turns if language in ("zh", "ja", "th") else rf"(?<!\w)(?:{tongue.turns})", re.IGNORECASE
    )
    for language, tongue in TONGUES.items() if tongue.turns
}  # fmt: skip
_CONCLUDES = re.compile(
    r"(?i)\b(?:so|thus|therefore|hence|final(?:ly)?|in conclusion|overall)\b|∴|所以|因此|故|したがって|よって|ดังนั้น"
    r"|donc|por lo tanto|also|daher|somit|итак|следовательно|kwa hiyo|hivyo|সুতরাং|অতএব|కాబట్టి"
)
_PLACEHOLDER = re.compile(
    r"(?i)[\s.…_?xX…-]*|(?:your |the |final |my |insert |numeric(?:al)? )*"
    r"(?:final )?(?:answer|number|result|value|letter)(?: here)?|\.\.\."
)
_NUMBERS = re.compile(r"\d[\d.,]*")
_LAST = 16
_BETWEEN = 60
_VALUE_LINE = re.compile(
    r"[-+−±≈~]?\s*(?:\\?[$€£¥₹]|US\$)?\s*[-−]?[\d०-९০-৯౦-౯๐-๙٠-٩۰-۹.][^=:;?<>]{0,60}|\$[^$\n]{1,120}\$[.,]?|\\\(.{1,120}\\\)[.,]?"
    r"|\\\[.{1,200}\\\]|\$\$.{1,200}\$\$|\(?[A-J]\)?[.]?|(?:[Oo]ption|[Cc]hoice) \(?[A-J]\)?[.]?"
    r"|[a-zA-Z]\s*=\s*[^=]{1,60}"
    r"|[-−]?\\(?:d?frac|sqrt|pi)\b[^=]{0,60}|[(\[{][^=()]{1,60}[)\]}]"
)
_PROSE = re.compile(
    r"(?i)\b(?:and|or|so|then|than|but|is|are|was|were|she|he|they|we|left|each|more|less|minus|plus|times|to)\b"
)
_BOLD_LINE = re.compile(r"[*_]{2,3}([^*_\n]{1,80})[*_]{2,3}[.。]?")
_CONCLUDING = re.compile(
    r"[^*\n]{0,300}?(?:\b(?:is|are|equals|es|est|ist|sont|son|é|è|ni|to|makes?|earns?|costs?|has|have)|[=:：是为為は]|คือ)\s*"
    r"\*\*([^*\n]{1,60})\*\*(?:\s*[^\W\d_]+){0,4}\s*[.。!।]?",
    re.IGNORECASE,
)


class Candidate(NamedTuple):
    """A marked answer: its text, where it stands, and how strongly it is marked (3 frame, 2 words, 1 place)."""

    text: str
    mark: str
    start: int
    end: int
    strength: int
    language: str | None = None
    final: bool = False
    at_end: bool = False
    listed: tuple[str, ...] = ()


def candidates(text: str) -> list[Candidate]:
    """Returns the marked answers of a text without thoughts, in order; at most the last sixteen of each kind."""
    text = _spoken(text)
    tags = [span for span in tagged(text) if span.text and not _PLACEHOLDER.fullmatch(span.text)]
    out = _inside_tags(tags)
    floor = tags[-1].end if tags else 0
    framed = [(span, "box") for span in deque(boxes(text), _LAST)]
    framed += [(span, "hash") for span in deque(hashed(text), _LAST)]
    field = fielded(text)
    if field is not None and field.start >= floor and field.text:
        out.append(Candidate(trimmed(field.text, None), "field", field.start, field.end, 3, None, final=True))
        framed = [(span, mark) for span, mark in framed if span.start < field.start]
    for span, mark in framed:
        if span.start >= floor and not _PLACEHOLDER.fullmatch(span.text):
            out.append(Candidate(trimmed(span.text, None), mark, span.start, span.end, 3, None, at_end=span.at_end))
    spoken = list(deque(announced(text), _LAST)) + list(deque(lettered(text), _LAST))
    for place in sorted(spoken):
        if place.start >= floor and (field is None or place.start < field.start):
            _add_announced(text, place, out, [other.start for other in spoken])
    return sorted(out, key=lambda one: one.start)


def _spoken(text: str) -> str:
    """Returns a text with its code, and what follows when it goes on to another question, blanked out."""
    text = _CODE.sub(lambda match: " " * (match.end() - match.start() - 1) + "\n", text)
    questions = [match.start() for match in _NEXT_QUESTION.finditer(text)]
    if questions:
        marks = [next((one.start for one in found(text)), len(text)) for found in (boxes, hashed, announced, lettered)]
        return text[: next((place for place in questions if place > min(marks)), len(text))]
    return text


def _inside_tags(tags: list[Span]) -> list[Candidate]:
    out: list[Candidate] = []
    for span in tags[-4:]:
        inner = choose(span.text, candidates(span.text)) if len(span.text) > 1 else "no_mark"
        if isinstance(inner, Candidate):
            out.append(inner._replace(mark="tag", start=span.start, end=span.end, strength=3, at_end=span.at_end))
        elif inner == "no_mark":
            line = span.text if "\n" not in span.text else None
            closing = None if line else closing_line(span.text)
            inside = trimmed(line, None) if line else (closing.text if closing else "")
            out.append(Candidate(inside, "tag", span.start, span.end, 3, None, at_end=span.at_end))
        else:
            out.append(Candidate("", "tag", span.start, span.end, 3, None, at_end=span.at_end))
    return out


def _add_announced(text: str, place: Announced, out: list[Candidate], starts: list[int]) -> None:
    span = behind(text, place.end)
    following = min((start for start in starts if place.end <= start < span.end), default=None)
    if following is not None:
        span = Span(text[span.start : following].strip(), span.start, following, at_end=False)
    frame = next((i for i, one in enumerate(out) if span.start - 2 <= one.start < max(span.end, span.start + 1)), None)
    if frame is not None:
        out[frame] = out[frame]._replace(language=place.language, final=place.final or out[frame].final)
        return
    if span.text.rstrip("*_ ").endswith(("?", "？", "؟")) or _denied(span.text, place.language):
        return
    whole = trimmed(span.text, place.language)
    if _PLACEHOLDER.fullmatch(whole):
        return
    options = [without_counter(whole), *(trimmed(part, place.language) for part in shorter(span.text))]
    best = next((option for option in options if option and readable(option)), whole)
    if not place.label and best != whole and not any(letter.isdigit() for letter in best) and len(best.split()) > 3:
        best = whole
    mark = "heading" if place.heading else "label" if place.label else "phrase"
    out.append(
        Candidate(
            best, mark, place.start, span.end, 3 if place.final and place.label else 2, place.language, place.final,
            span.at_end,
        )
    )  # fmt: skip


def _denied(text: str, language: str) -> bool:
    denials, closings = TONGUES[language].denials_behind, TONGUES[language].closings
    return bool(
        denials and re.search(rf"(?:{denials})\s*(?:{closings or '(?!)'})?\s*(?:[.。।,，!?？*]|$)", text, re.IGNORECASE)
    )


def choose(text: str, marks: list[Candidate]) -> Candidate | str:
    """Returns the candidate that names the final answer, or why none does."""
    if not marks:
        return "no_mark"
    last = _listed(text, marks)
    earlier = [one for one in marks if one.end <= last.start and one.text]
    if not last.listed and not (last.text and readable(last.text)):
        strong = [one for one in earlier if one.strength > last.strength and readable(one.text)]
        if last.strength == 3 or not strong:
            return last if last.text else "empty_mark"
        last = strong[-1]
        earlier = [one for one in earlier if one.end <= last.start]
    before = next((one for one in reversed(earlier) if one.strength >= last.strength and readable(one.text)), None)
    if before is not None and not last.listed and not _alike(before, last):
        between = text[before.end : last.start]
        if not (_turns(between) or _final(text, last) or (before.strength == last.strength and _reasons(between))):
            return "marks_differ"
    if not last.listed and _corrected(text, last):
        return "corrected"
    return last


def _listed(text: str, marks: list[Candidate]) -> Candidate:
    """Returns the last candidate, with those that stand beside it in one sentence as its list."""
    last = marks[-1]
    if last.mark not in ("box", "tag"):
        return last
    group = [last]
    for one in reversed(marks[:-1]):
        between = text[one.end : group[-1].start]
        if one.mark != last.mark or len(between) > _BETWEEN or _turns(between) or not _beside(between):
            break
        group.append(one)
    texts = tuple(one.text for one in reversed(group))
    if len({canonical(one) or one for one in texts}) == 1:
        return last
    return last._replace(listed=texts, start=group[-1].start)


def _beside(between: str) -> bool:
    """Says whether what stands between two frames joins them: nothing, a conjunction, the name of a variable."""
    joint = between.strip(" \t\n$\\().,;")
    if not joint or re.fullmatch(r"[^.!?\n]{0,30}[a-z]\s*=", joint):
        return True
    return not re.search(r"[.!?。！？।]\s|\n\s*\n|[=≠→⇒]\s*$", between.rstrip(" $\\("))


def _alike(one: Candidate, other: Candidate) -> bool:
    if one.text == other.text:
        return True
    key = canonical(one.text, language=one.language)
    return key is not None and key == canonical(other.text, language=other.language)


def _turns(text: str) -> bool:
    return any(pattern.search(text) for pattern in _TURNS.values())


def _final(text: str, last: Candidate) -> bool:
    lead = text[max(0, last.start - 40) : last.start]
    return last.final or bool(_CONCLUDES.search(re.split(r"[.!?。！？।\n]", lead)[-1]))


def _reasons(text: str) -> bool:
    return sum(letter.isalpha() for letter in text) >= 20


def _corrected(text: str, last: Candidate) -> bool:
    """Says whether a correction with another number follows that marks no answer."""
    behind_it = text[last.end : last.end + 4000]
    turn = min((found.start() for pattern in _TURNS.values() if (found := pattern.search(behind_it))), default=None)
    if turn is None:
        return False
    numbers, own = _NUMBERS.findall(behind_it[turn:]), _NUMBERS.findall(last.text)
    if not numbers:
        return False
    return not own or numbers[-1].rstrip(".,") != own[-1].rstrip(".,")


def closing_line(text: str) -> Candidate | None:
    """Returns the last line as the answer where it is nothing but an answer, or ends in the only one it sets off."""
    stripped = _spoken(text).rstrip()
    start = stripped.rfind("\n") + 1
    line = stripped[start:].strip()
    if line in ("\\]", "$$", "```") and start:
        block = max(
            stripped.rfind("\\[", 0, start), stripped.rfind("$$", 0, start), stripped.rfind("```", 0, start - 1)
        )
        if block < 0 or len(stripped) - block > 300:
            return None
        line, start = " ".join(stripped[block:].split()), block
        line = re.sub(r"^```\w*|```$", "", line).strip()
    alone = not stripped[:start].strip()
    if len(line) > 300 or (not alone and re.match(r"(?:[-*•+]|\d+[.)])\s", line)):
        return None
    bold = _BOLD_LINE.fullmatch(line)
    inside = trimmed(bold[1] if bold else line, None)
    if (bold or _VALUE_LINE.fullmatch(inside) or _VALUE_LINE.fullmatch(line)) and len(inside.split()) <= 6:
        if readable(inside) and not _PROSE.search(inside) and not line.endswith(("?", ":")) and _holds_value(inside):
            inside = re.sub(r"(?i)^(?:option|choice)\s", "", inside)
            return Candidate(inside, "line", start, len(text), 1, None, at_end=True)
        return None
    ending = _CONCLUDING.fullmatch(line)
    if ending and _holds_value(ending[1]) and readable(ending[1]) and not re.search(r"(?i)\b(?:not|or|if)\b|n't", line):
        return Candidate(trimmed(ending[1], None), "line", start, len(text), 1, None, at_end=True)
    return None


def _holds_value(text: str) -> bool:
    plain = re.sub(r"(?i)^(?:option|choice)\s", "", text)
    return any(letter.isdigit() for letter in text) or "\\" in text or "√" in text or len(plain.strip("() .")) == 1
