r"""Where an answer ends: the sentence behind a mark, a formula on lines of its own, a braced box.

Source: LaTeX's delimiters and braces; sentence ends of the languages of ``_tongues``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tasks.readers._tongues import TONGUES

_LONGEST = 400
_STOPS = ".!?。！？।؟"
_FORMULAS = {"\\[": "\\]", "\\(": "\\)", "$$": "$$", "$": "$"}
_FENCE = re.compile(r"\s*```[a-z]*[ \t]*\n")
_CLAUSE = re.compile(
    r"(?:,|;|，|；|、|\s[-–—])?\s*(?:\b(?:because|since|as|so|which|where|when|after|given|explanation|reason|note|for|per"
    r"|if|porque|ya que|car|parce|puisque|weil|denn|da|потому|так как|kwa sababu|porque|pois|perch[ée]|omdat"
    r"|çünkü|vì)\b"
    r"|因为|因為|だから|なぜなら|เพราะ|কারণ|ఎందుకంటే|क्योंकि|왜냐하면|لأن)|\s\((?!\w+\s?mod|mod)|(?<=[^\d\s,])\s+[-–—]\s|\s*[,;]\s+(?=[^\W\d_]{2,}\s)|\\?\n",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:(?:dola|shilingi|sh|ksh)\.?\s+)?((?:\\?[$€£¥₹₩฿])?\s?[-−+]?\d[\d.,]*)\s?"
    r"([\u0900-\u0dff\u0e00-\u0e7f\u0600-\u06ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af ]{0,40})",
    re.IGNORECASE,
)
_SCALES = re.compile(
    "[万萬亿億千百兆半割又或和と천만억백반]|หมื่น|แสน|ล้าน|พัน|ครึ่ง|หรือ|লাখ|লক্ষ|কোটি|হাজার|মিলিয়ন|অর্ধ|বা|"
    "లక్ష|కోట|వేల|వేయి|మిలియన్|సగం|లేదా|लाख|करोड़|हज़ार|हजार|मिलियन|आधा|या|ألف|مليون|نصف|أو|هزار|میلیون|نیم|یا|또는|퍼센트|パーセント|শতাংশ|శాతం|प्रतिशत|เปอร์เซ็นต์|بالمئة|درصد"
)
_EMPHASIZED = re.compile(r"[*_]{2,3}([^*_\n]{1,120})[*_]{2,3}")
_FORMULA = re.compile(r"\\\((.{1,200}?)\\\)|\\\[(.{1,300}?)\\\]|\$\$(.{1,300}?)\$\$|\$([^$\n]{1,200})\$", re.DOTALL)
_MORE = re.compile(
    r"(?i)\b(?:or|and|not|to|than|plus|minus|times|half|y|o|et|ou|und|oder|и|или|nor|e|na|au|hundred|thousand"
    r"|[mb]illion|trillion|dozen|per ?cent|degrees)\b|[\d+=/^%×÷<>\\]|[或和与与至到や又はและหรือ]"
)


class Span(NamedTuple):
    """An answer's place: what stands there, where it begins and ends, and whether the text ends with it."""

    text: str
    start: int
    end: int
    at_end: bool


def behind(text: str, start: int, *, far: bool = True) -> Span:
    """Returns what stands behind a mark up to the end of its sentence or line, or the block on the next lines."""
    pos = _skip(text, start)
    newline = "\n" in text[start:pos]
    if newline and not far:
        return Span("", start, start, at_end=False)
    fence = _FENCE.match(text, pos)
    if fence:
        close = text.find("```", fence.end())
        inside = text[fence.end() : close if close >= 0 else len(text)].strip()
        return Span(inside, pos, close + 3 if close >= 0 else len(text), at_end=close < 0)
    for opening, closing in _FORMULAS.items():
        if opening in ("\\[", "$$") and text.startswith(opening, pos):
            close = text.find(closing, pos + 2)
            if 0 <= close <= pos + _LONGEST:
                tail = re.compile(r"[ \t]*[^\W\d_]{0,15}[.。]?").match(text, close + 2)
                end = tail.end() if tail else close + 2
                return Span(text[pos : close + 2], pos, close + 2, at_end=not text[end:].strip())
    end = _sentence_end(text, pos)
    return Span(text[pos:end].strip(), pos, end, at_end=not text[end:].strip(" \t\n*_`\"'”»）)$.。।!！"))


def _skip(text: str, pos: int) -> int:
    while pos < len(text) and (
        text[pos] in " \t\n\r\u3000:：" or (text[pos] in "#>" and text[pos - 1 : pos] in "\n #>")
    ):
        pos += 1
    return pos


def _sentence_end(text: str, start: int) -> int:
    """Returns where the sentence or line ends, formulas and braces kept whole."""
    depth, pos, limit = 0, start, min(len(text), start + _LONGEST)
    while pos < limit:
        letter = text[pos]
        if letter == "\n":
            return pos
        for opening, closing in _FORMULAS.items():
            if depth == 0 and text.startswith(opening, pos):
                close = text.find(closing, pos + len(opening), min(limit, len(text)))
                if close > 0 and "\n\n" not in text[pos:close] and (opening != "$" or _paired(text, pos, close)):
                    pos = close + len(closing) - 1
                break
        else:
            depth += (letter == "{") - (letter == "}" and depth > 0)
            if letter in _STOPS and depth == 0 and _stops(text, pos):
                return pos + (letter in "!?？！؟")
        pos += 1
    return pos


def _paired(text: str, start: int, close: int) -> bool:
    """Says whether two dollar signs are delimiters, not two prices: ``$5 or $6``."""
    inside = text[start + 1 : close]
    after = text[close + 1 : close + 2]
    return "\n" not in inside and bool(inside.strip()) and not inside.endswith(" ") and not after.isdigit()


def _stops(text: str, pos: int) -> bool:
    letter, after = text[pos], text[pos + 1 : pos + 12]
    if letter in "。！？।؟":
        return True
    if after[:1] and after[0] not in " \t\n*_`\"'”»)<\\$]}（）」』":
        return bool(re.match(r"[\u3000-\u9fff]", after))
    if letter != ".":
        return True
    following = after.lstrip(" *_`\"'”»)")[:1]
    word = re.search(r"[^\W\d_]{1,3}$", text[max(0, pos - 4) : pos])
    return not (following.islower() and word is not None)


def braced(text: str, start: int) -> int:
    """Returns the place of the brace that closes the one before ``start``; -1 where none does."""
    depth = 1
    for match in re.compile(r"\\?[{}]").finditer(text, start):
        brace = match[0]
        if len(brace) == 2:
            continue
        depth += 1 if brace == "{" else -1
        if not depth:
            return match.start()
    return -1


def trimmed(text: str, language: str | None) -> str:
    """Returns an answer without emphasis, quotes, closing stops and the words that only close its sentence."""
    before = None
    while before != text:
        before = text
        text = text.strip().strip('*_`~"”“»«„」「』『').strip()
        text = re.sub(r"(?<=\d)\s+x\s+(?=\d)", " × ", text)
        text = re.sub(r"^[:：=]\s*|^>\s+", "", text)
        text = re.sub(r"(?<=[^\s.])\s*[.。।,،;；]+$", "", text)
        if text.startswith("'") and text.endswith("'") and len(text) > 2:
            text = text[1:-1]
        text = re.sub(r"\*\*|(?<!\w)__|__(?!\w)", "", text) if text.count("**") > 1 or text.count("__") > 1 else text
        if language and (closing := _closings(language)):
            text = closing.sub("", text)
    return text


@lru_cache
def _closings(language: str) -> re.Pattern[str] | None:
    closings = TONGUES[language].closings if language in TONGUES else ""
    return re.compile(rf"(?<=.)\s?(?:{closings})$") if closings else None


def without_counter(text: str) -> str:
    """Returns a number without the word of another script behind it, Swahili's currency before it, or ``/pair``.

    >>> without_counter("18ドル"), without_counter("3万"), without_counter("18 and a half")
    ('18', '3万', '18 and a half')
    """
    each = re.fullmatch(r"(\\?\$?\d[\d.,]*)\s?/\s?[a-z]{3,}", text)
    if each:
        return each[1]
    match = _COUNTED.fullmatch(text)
    return match[1] if match and not _SCALES.search(match[2]) else text


def shorter(text: str) -> list[str]:
    """Returns shorter readings of a sentence's answer: its first clause, its only formula or emphasis."""
    out = []
    clause = _CLAUSE.search(text)
    if clause and clause.start():
        out.append(text[: clause.start()])
    for pattern in (_EMPHASIZED, _FORMULA):
        matches = list(pattern.finditer(text))
        if len(matches) == 1:
            rest = text[: matches[0].start()] + " " + text[matches[0].end() :]
            rest = rest if not clause or clause.start() < matches[0].end() else rest[: clause.start()]
            if not _MORE.search(rest):
                out.append(next(group for group in matches[0].groups() if group is not None))
    return out
