"""The words verdicts are made of, in five languages: names of two answers, ties, numbers on a scale, reasons, doubts.

Source: MT-bench's ``[[C]]`` for a tie (arXiv:2306.05685, appendix A); Arena-Hard's five marks ``[[A>>B]]`` to
``[[B>>A]]`` (arXiv:2406.11939).
"""

from __future__ import annotations

import re
from typing import Literal

Winner = Literal["A", "B", "tie"]

_NAMES: dict[str, Winner] = {
    "a": "A", "1": "A", "first": "A", "b": "B", "2": "B", "second": "B",
    "erste": "A", "zweite": "B", "première": "A", "premier": "A", "deuxième": "B", "seconde": "B",
    "primera": "A", "segunda": "B", "第一个": "A", "第一": "A", "第二个": "B", "第二": "B", "一": "A", "二": "B",
    "tie": "tie", "draw": "tie", "equal": "tie", "both": "tie", "a tie": "tie", "a draw": "tie", "it's a tie": "tie",
    "unentschieden": "tie", "gleichstand": "tie", "égalité": "tie", "ex aequo": "tie", "match nul": "tie",
    "empate": "tie", "平局": "tie", "平手": "tie",
}  # fmt: skip
_NOUNS_ZH = r"(?:回答|答案|回复|助手|选项|模型)"
NOUN = (
    r"(?:answer|response|assistant|option|candidate|completion|output|model|summary|text|reply"
    r"|antwort|ausgabe|assistent|modell|réponse|reponse|modèle|sortie|respuesta|asistente|modelo|salida)"
)
_NOUN = re.compile(
    rf"^(?:the|die|der|das|la|le|el)?\s*(?:{NOUN}[\s_-]*(?=[\W_]*(?:[ab12]\b|$))|{_NOUNS_ZH}\s*)?"
    rf"|\s*(?:{NOUN}|one|{_NOUNS_ZH})$"
)
_DRESS = re.compile(r"[\s*_`\"'“”‘’「」.。()（）\[\]!！]+")
_MARK = re.compile(r"([ab])\s*(>{1,2}|={1,2}|<{1,2}|≫|≪|≈)\s*([ab])")
_NUMBER = re.compile(
    r"([-−+]?\d+(?:\.\d+)?)(?:\s*(?:/|out of|of|von|sur|de|sobre)\s*(\d+(?:\.\d+)?))?"
    r"(?:\s*(?:points?|stars?|punkte?n?|puntos|分))?",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"\s*[,;]?\s+(?:because|since|due to|weil|da|parce que|car|porque|ya que)\b.*|\s*[,，]?\s*因为.*", re.DOTALL
)
_ASIDE = re.compile(r"\s*(?:\((?P<one>[^()]*)\)|\s[-–—]+\s(?P<two>.*)|(?<=[^\W\d_])[.,;:：，。]\s*(?P<three>\S.*)"
                    r"|(?<=\d)[,;.]\s+(?P<four>[^\W\d].*))\s*$", re.DOTALL)  # fmt: skip
DOUBT = re.compile(
    r"\b(?:but|however|though|although|yet|except|unless|otherwise|nevertheless|if|perhaps|maybe|arguably|possibly"
    r"|probably|might|unsure|uncertain|undecided|unclear|not sure|not certain|depend(?:s|ing)?|or|wait|actually"
    r"|better|best|superior|prefer\w*|win(?:s|ner)?|won|choose|chose|pick|vote|stronger|ties?|tied|draw|equal\w*"
    r"|aber|jedoch|vielleicht|besser|mais|peut-être|meilleure?|pero|quizás?|tal vez|mejor)\b"
    r"|但|可能|也许|更好|不确定|[?？]|\.\.\.|…|~~",
    re.IGNORECASE,
)
_FAULTY = re.compile(
    r"\b(?:wrong|incorrect|fails?|failed|loses?|lost|worse|false|falsch|faux|incorrecto)\b|错", re.IGNORECASE
)
RETRACTED = re.compile(
    r"\b(?:wait|actually|correction|scratch that|on (?:second|further) (?:thought|reflection)|on reflection"
    r"|reconsider\w*|re-?evaluat\w*|i (?:was|am) (?:wrong|mistaken|unsure|not sure)|my mistake|change(?:d)? my mind"
    r"|should (?:really |rather |actually |instead )?(?:be|have been)|hmm+|retract\w*|revis(?:e|ed|ing)"
    r"|disregard|never ?mind|nicht sicher|moment|korrektur|en fait|attends|en realidad|espera|等等|不对|更正)\b|~~",
    re.IGNORECASE,
)


def winner_named(value: object) -> Winner | None:
    """Returns the winner that a word, a phrase such as "Answer (a)", or a mark such as ``A>>B`` names, or ``None``."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    word = _DRESS.sub(" ", str(value)[:200]).strip().casefold().replace("’", "'")
    if word == "c":
        return "tie"
    mark = _MARK.fullmatch(word)
    if mark and mark[1] != mark[3]:
        better = {">": mark[1], "≫": mark[1], "<": mark[3], "≪": mark[3]}.get(mark[2][0])
        return ("A" if better == "a" else "B") if better else "tie"
    return _NAMES.get(word) or _NAMES.get(_NOUN.sub("", word).strip())


def winner_worded(value: object) -> Winner | None:
    """Returns the winner that a line names, with or without a reason behind it; no letter but A and B is one."""
    if not isinstance(value, str):
        return winner_named(value)
    head = _without_reason(value, numbers=True)
    if head is None or head.strip(" \t*_`\"'.()[]").casefold() in ("c", "both"):
        return None
    return winner_named(head)


def number_named(value: object, lowest: float, highest: float) -> float | None:
    """Returns the number a value names where it lies on the scale, or ``None``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if lowest <= value <= highest else None  # no number lies between 0 and NaN
    if not isinstance(value, str):
        return None
    number = _NUMBER.fullmatch((_without_reason(value, numbers=False) or "").strip(" \t*_`\"'.()[]!。"))
    if number is None or (number[2] and float(number[2]) != highest):
        return None
    score = float(number[1].replace("−", "-"))
    return score if lowest <= score <= highest else None


def label_named(value: object) -> str:
    """Returns the label that a word such as "Answer C" names, in upper case."""
    word = _DRESS.sub(" ", str(value)[:200]).strip().casefold()
    return _NOUN_BEFORE.sub("", word).strip().upper()


_NOUN_BEFORE = re.compile(rf"^(?:the\s+)?(?:{NOUN}|{_NOUNS_ZH})[\s_-]+(?=\S)")


def _without_reason(value: str, *, numbers: bool) -> str | None:
    """Returns a value without the reason behind it; ``None`` where the reason takes the value back.

    Args:
        numbers: whether an aside may hold numbers.
    """
    why = _WHY.search(value)
    if why:
        if DOUBT.search(why[0]):
            return None
        value = value[: why.start()]
    if len(value) > 4000:
        return None
    if winner_named(value) is not None:
        return value
    aside = _ASIDE.search(value.strip())
    if aside is None:
        return value
    rest = next(part for part in aside.groups() if part is not None)
    if (
        DOUBT.search(rest)
        or _FAULTY.search(rest)
        or winner_named(rest)
        or RETRACTED.search(rest)
        or (not numbers and re.search(r"\d", rest))
    ):
        return None
    return value.strip()[: aside.start()]
