"""The instructions of M-IFEval in Japanese, each as a check of one text.

Source: M-IFEval (arXiv:2502.04688, section 3 and appendix): IFEval's kinds, scripts, furigana, sentence endings.

Keywords are looked for in the text, and a noun is told by how it is written; the published checker asks a tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tasks.judges import _ifeval_en
from tasks.judges._ifeval_en import Check, holds, number, word, words

_KANJI = re.compile(r"[\u4e00-\u9faf]")
_KANJI_RUN = re.compile(r"[\u4e00-\u9faf]+(（[ぁ-ん]+）)?")
_QUOTED = re.compile(r"「[^「」\n]*」|『[^『』\n]*』")
_SECTION = r"\s?第\d+{}\s?"
_OF = re.compile("の[^のはがをにでと、いっるたなだす]{1,4}[いりれしきみちびけ]$")
_NOUNS = (
    "こと",
    "もの",
    "とき",
    "ところ",
    "ため",
    "はず",
    "わけ",
    "つもり",
    "まま",
    "うち",
    "ほう",
    "おかげ",
    "せい",
    "ひと",
    "みんな",
    "たち",
    "それ",
    "これ",
    "ここ",
    "そこ",
)
_SHARED = (
    "language:response_language", "length_constraints:number_paragraphs", "detectable_content:number_placeholders",
    "detectable_content:postscript", "detectable_format:json_format", "combination:two_responses",
    "combination:repeat_prompt",
)  # fmt: skip


def _existence(text: str, given: Mapping[str, Any]) -> bool:
    return all(each in text for each in words(given, "keywords"))


def _frequency(text: str, given: Mapping[str, Any]) -> bool:
    return holds(text.count(word(given, "keyword")), given.get("relation"), given["frequency"])


def _forbidden(text: str, given: Mapping[str, Any]) -> bool:
    return not any(each in text for each in words(given, "forbidden_words"))


def _letter(text: str, given: Mapping[str, Any]) -> bool:
    letter = word(given, "letter")
    other = chr(ord(letter) + 96) if len(letter) == 1 and "ぁ" <= letter <= "ゖ" else None
    found = text.count(letter) + (text.count(other) if other else 0)
    return holds(found, given.get("let_relation"), given["let_frequency"])


def sentences(text: str) -> int:
    r"""Returns how many sentences a Japanese text has: lines, cut behind 。! and ? outside of brackets.

    >>> sentences("今日は晴れ。「行こう！」と言った。\n本当？はい")
    4
    """
    found = 0
    for line in unicodedata.normalize("NFKC", text).split("\n"):
        depth, inside = 0, False
        for sign in line:
            depth = max(0, depth + (sign in "「『(") - (sign in "」』)"))
            inside |= not sign.isspace() and sign not in "。!?"
            if sign in "。!?" and not depth and inside:
                found, inside = found + 1, False
        found += inside
    return found


def _sentence_count(text: str, given: Mapping[str, Any]) -> bool:
    return holds(sentences(text), given.get("relation"), given["num_sentences"])


def _letters(text: str, given: Mapping[str, Any]) -> bool:
    return holds(len(text), given.get("relation"), given["num_letters"])


def _first_word(text: str, given: Mapping[str, Any]) -> bool:
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    nth = number(given, "nth_paragraph")
    if count != number(given, "num_paragraphs") or not 1 <= nth <= count:
        return False
    return parts[nth - 1].strip().lstrip("「").lstrip("『").startswith(word(given, "first_word"))


def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    lines = [line.strip() for line in text.split("\n")]
    return sum(len(line) > 1 and line[0] == "・" != line[1] for line in lines) == number(given, "num_bullets")


def _numbered(text: str, given: Mapping[str, Any]) -> bool:
    lines = [line.strip() + " " for line in text.split("\n")]
    return sum(bool(re.match(r"\d+\.\s", line)) for line in lines) == number(given, "num_items")


def _constrained(text: str, given: Mapping[str, Any]) -> bool:
    return any(answer in text for answer in ("はい、そうです。", "いいえ、違います。", "どちらとも言えません。"))


def _highlights(text: str, given: Mapping[str, Any]) -> bool:
    found = re.findall(r"《([^\n《》]*)》", text)
    return sum(bool(part.strip()) for part in found) >= number(given, "num_highlights")


def _sections(text: str, given: Mapping[str, Any]) -> bool:
    pattern = _SECTION.format(re.escape(word(given, "section_spliter")))
    return len(re.findall(pattern, text)) >= number(given, "num_sections")


def _title(text: str, given: Mapping[str, Any]) -> bool:
    for line in text.split("\n"):
        start, end = line.find("『"), line.rfind("』")
        if 0 <= start < end and line[start : end + 1].lstrip("『").rstrip("』").strip():
            return True
    return False


def _end(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().strip("」』").endswith(word(given, "end_phrase").strip().strip("」』"))


def _same_end(text: str, given: Mapping[str, Any]) -> bool:
    ending = word(given, "ending")
    return all(part.endswith(ending) for part in re.split("[。！？]", _QUOTED.sub("", text)) if part)


def _nominal(text: str, given: Mapping[str, Any]) -> bool:
    parts = re.split("[。！？]", _QUOTED.sub("", text))[:-1]
    return sum(_ends_in_noun(part) for part in parts) >= number(given, "count")


def _ends_in_noun(part: str) -> bool:
    """Says whether a sentence ends in a noun: in kanji or katakana, a noun in hiragana, or の and one more word."""
    last = part[-1:]
    written = bool(_KANJI.match(last)) or "ァ" <= last <= "ー" or (last.isascii() and last.isalnum())
    return written or part.endswith(_NOUNS) or _OF.search(part) is not None


def _furigana(text: str, given: Mapping[str, Any]) -> bool:
    return all(found[1] for found in _KANJI_RUN.finditer(text))


def _no_numerals(text: str, given: Mapping[str, Any]) -> bool:
    return not any(sign.isdecimal() for sign in text)


def _kanji(text: str, given: Mapping[str, Any]) -> bool:
    return holds(len(_KANJI.findall(text)), given.get("relation"), given["kanji_limit"])


def _is_hiragana(sign: str) -> bool:
    return "ぁ" <= sign <= "ん" or sign == "ー"


def _is_katakana(sign: str) -> bool:
    return "ァ" <= sign <= "ン" or sign in "ー・" or "ｦ" <= sign <= "ﾟ"


def _hiragana_only(text: str, given: Mapping[str, Any]) -> bool:
    return all(_is_hiragana(sign) for sign in text if unicodedata.category(sign)[0] == "L")


def _katakana_only(text: str, given: Mapping[str, Any]) -> bool:
    return all(_is_katakana(sign) for sign in text if unicodedata.category(sign)[0] == "L")


def _no_hiragana(text: str, given: Mapping[str, Any]) -> bool:
    return not any("ぁ" <= sign <= "ゖ" for sign in text)


def _no_katakana(text: str, given: Mapping[str, Any]) -> bool:
    return not any("ァ" <= sign <= "ヺ" or "ｦ" <= sign <= "ﾟ" for sign in text)


def _lacks(sign: str) -> Check:
    def check(text: str, given: Mapping[str, Any]) -> bool:
        return sign not in text

    return check


def _quotation(text: str, given: Mapping[str, Any]) -> bool:
    text = text.strip()
    return len(text) > 1 and text[0] == "「" and text[-1] == "」"


_OWN: dict[str, Check] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letter,
    "length_constraints:number_sentences": _sentence_count,
    "length_constraints:number_letters": _letters,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:number_numbered_lists": _numbered,
    "detectable_format:constrained_response": _constrained,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:title": _title,
    "detectable_format:nominal_ending": _nominal,
    "startend:end_checker": _end,
    "startend:sentence_unified_end": _same_end,
    "startend:quotation": _quotation,
    "letters:furigana": _furigana,
    "letters:kansuuji": _no_numerals,
    "letters:no_katakana": _no_katakana,
    "letters:katakana_only": _katakana_only,
    "letters:no_hiragana": _no_hiragana,
    "letters:hiragana_only": _hiragana_only,
    "letters:kanji": _kanji,
    "punctuation:no_comma": _lacks("、"),
    "punctuation:no_period": _lacks("。"),
}
CHECKS: dict[str, Check] = {f"ja:{kind}": _ifeval_en.CHECKS[kind] for kind in _SHARED} | {
    f"ja:{kind}": check for kind, check in _OWN.items()
}
