"""Reads a judge's own last sentence: a whole, unhedged sentence that names a winner, a tie, or a score.

Source: LLMBar's closing sentence "Output (a) is better" (arXiv:2310.07641, appendix A).

A sentence counts where every part of it is understood: words that lead to the verdict, the verdict, and a reason that
takes nothing back. Hedges, denials, conditions, questions, reported speech and praise in one respect fit no part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tasks.readers.words import NOUN, Winner, winner_named

_LONGEST, _WINDOW = 700, 1500
_BREAK = re.compile(r"(?P<stop>[.!?][\"'”’)*_]{0,3})\s+|(?P<full>[。！？])|\n\s*")
_SHORT = ("e.g.", "i.e.", "vs.", "cf.", "etc.", "no.", "approx.")
_FRAGMENT = re.compile(r"\W*(?:therefore|thus|so|hence|overall|in conclusion)?[\s,.:;*_`#-]*", re.IGNORECASE)

_NAME = (
    rf"(?:(?:the\s)?{NOUN}\s?[\[(\"'“*]{{0,3}}(?P<n>[ab12])[\])\"'”*]{{0,3}}|(?:the\s)?(?P<p>first"
    rf"|second)\s(?:{NOUN}|one)"
    r"|\(?(?P<b>(?-i:[AB]))\)?)(?![\w’']|-\w)"
)
_OTHER = _NAME.replace("?P<n>", "?:").replace("?P<p>", "?:").replace("?P<b>", "?:")
_ADV = (
    r"(?:(?:clearly|slightly|much|far|overall|therefore|thus|generally|definitely|significantly|still|also|just|simply"
    r"|by far|marginally|considerably|somewhat|ultimately|in fact|hence|so|the|a|both|objectively|certainly|noticeably"
    r"|substantially|a bit|a little|undoubtedly|obviously|easily|clear|overall,)\s){0,4}"
)
_THING = rf"(?:{NOUN}|one|choice|of the two(?: {NOUN}s?)?)"
_JUDGING = r"(?:response|assistant|output|completion|candidate|one)"
_BEST = rf"(?:(?:better|superior|preferable|preferred|stronger|winning)(?:\s{_THING})?|winner|best(?:\s{_JUDGING})?)"
_THAN = rf"(?:\s(?:overall|by far|of the two|here|than\s{_OTHER}|between the two|in my (?:opinion|view)|in this case))?"
_I = (
    r"(?:I|we)(?:\s(?:would|will|do|clearly|strongly|therefore|thus|slightly|much|must|have to|am going to|then"
    r"|also|still)|'d|'ll|’d|’ll){0,2}"
    r"\s(?:prefer|choose|pick|select|go with|vote for|favou?r|opt for|declare|side with|am going with|went with"
    r"|selected|chose)"
)
_EN = (
    rf"{_NAME}\s(?:is|was)\s{_ADV}{_BEST}{_THAN}",
    rf"{_NAME}\s(?:clearly\s|narrowly\s|easily\s|therefore\s)?(?:wins|won|prevails|comes out ahead|gets my vote"
    rf"|takes the win"
    rf"|outperforms\s{_OTHER}|better (?:executes|follows)(?: the)? instructions?){_THAN}",
    rf"(?:the|my)\s(?:final\s|overall\s|clear\s){{0,2}}(?:(?:better|winning|preferred|superior|stronger)(?:\s{_THING})?"
    rf"|best\s{_JUDGING}|winner|verdict|preference|vote|pick|judge?ment|decision|choice|point|win)\s"
    rf"(?:is|was|goes to|is for|is in favou?r of|falls on)\s(?:therefore\s|thus\s|clearly\s|that of\s)?:?\s?{_NAME}",
    rf"{_I}\s{_NAME}(?:\s(?:as|to be|is)\s(?:the\s)?{_BEST}|\sover\s{_OTHER}|\soverall)?",
    rf"it is\s{_NAME}\sthat\s(?:is\s(?:the\s)?{_BEST}|wins)",
)
_DE_NAME = _NAME.replace(r"(?:the\s)?", r"(?:(?:die|der|das)\s)?").replace("first|second", "erste|zweite")
_FR_NAME = _NAME.replace(r"(?:the\s)?", r"(?:(?:la|le|l['’])\s?)?").replace("first|second", "première|deuxième")
_ES_NAME = _NAME.replace(r"(?:the\s)?", r"(?:(?:la|el)\s)?").replace("first|second", "primera|segunda")
_ZH_NAME = r"(?:(?:第(?P<p>一|二)个)?(?:回答|答案|回复|助手)\s?(?P<n>[ab12])?|(?P<b>(?-i:[AB])))(?![\w]{2}[a-z])"
_MUCH_DE = r"(?:(?:insgesamt|deutlich|klar|eindeutig|etwas|viel|daher|somit|damit|die|der)\s){0,3}"
_MUCH_FR = r"(?:(?:nettement|clairement|donc|globalement|légèrement|bien|la|le)\s){0,3}"
_MUCH_ES = r"(?:(?:claramente|ligeramente|mucho|por tanto|la|el|en general)\s){0,3}"
_DE = (
    rf"{_DE_NAME}\s(?:ist|war)\s{_MUCH_DE}(?:besser|überlegen|bessere|beste|sieger|gewinner)",
    rf"ist\s{_DE_NAME}\s{_MUCH_DE}(?:besser|überlegen|die bessere)",
    rf"{_DE_NAME}\s(?:gewinnt|siegt)",
    rf"(?:die|der|das|mein)\s(?:bessere|beste|überlegene|bevorzugte|gewinner|sieger|urteil|wahl)(?:\s(?:antwort"
    rf"|ausgabe))?\s"
    rf"(?:ist|fällt auf|lautet)\s(?:daher\s|somit\s)?{_DE_NAME}",
    rf"ich\s(?:bevorzuge|wähle|nehme)\s(?:daher\s|somit\s|klar\s)?{_DE_NAME}",
)
_FR = (
    rf"{_FR_NAME}\sest\s{_MUCH_FR}(?:meilleure?|supérieure?|préférable|gagnante?|vainqueur)",
    rf"{_FR_NAME}\s(?:gagne|l['’]emporte)",
    rf"(?:la|le|mon|ma)\s(?:meilleure?|gagnante?|vainqueur|verdict|choix|préférence)(?:\s(?:réponse|reponse))?\s"
    rf"(?:est|va à|se porte sur)\s(?:donc\s)?{_FR_NAME}",
    rf"je\s(?:préfère|choisis|retiens)\s(?:donc\s)?{_FR_NAME}",
)
_ES = (
    rf"{_ES_NAME}\ses\s{_MUCH_ES}(?:mejor|superior|preferible|ganadora?)",
    rf"{_ES_NAME}\s(?:gana)",
    rf"(?:la|el|mi)\s(?:mejor|ganadora?|veredicto|elección|preferencia)(?:\s(?:respuesta))?\s(?:es"
    rf"|va para)\s{_ES_NAME}",
    rf"(?:yo\s)?(?:prefiero|elijo|escojo|me quedo con)\s{_ES_NAME}",
)
_ZH = (
    rf"{_ZH_NAME}\s?(?:整体上?|总体上?|明显|显然)?(?:更好|更优|更胜一筹|较好|胜出|获胜)",
    rf"(?:(?:更好的|较好的|更优的)(?:回答|答案|回复)|最终的?(?:胜者|结论)|胜者|获胜者|赢家|我的选择|结论)(?:是|为)[:：]?\s?{_ZH_NAME}",
    rf"(?:我)(?:更喜欢|选择|选|认为更好的是|更倾向于?)\s?{_ZH_NAME}",
)
_LEADS = (
    r"(?:(?:and|so|thus|hence|therefore|overall|ultimately|finally|accordingly|consequently|clearly|nevertheless"
    r"|nonetheless|still|however|but|conclusively|altogether|in (?:conclusion|summary|sum|short|the end|total"
    r"|fact|this case)"
    r"|in my (?:view|opinion|judge?ment|assessment|evaluation)|to (?:conclude|sum up|summari[sz]e)|on (?:balance"
    r"|the whole)"
    r"|all in all|all things considered|taking everything into account|as a result|as such|on the other hand"
    r"|in contrast"
    r"|for (?:this|these|that|those|all these|the above) reasons?|despite (?:this|that)|even so|that said"
    r"|my (?:final )?(?:verdict|decision)|final (?:verdict|decision)|verdict|conclusion"
    r"|daher|also|somit|insgesamt|deshalb|folglich|fazit|donc|ainsi|en conclusion|en résumé|globalement|au final"
    r"|por (?:lo )?tanto|en (?:conclusión|resumen|general)|así que|finalmente"
    r"|因此|所以|总的来说|总之|综上所述|综上|总体而言|最终|综合来看)[,:，：]?\s?)"
)
_CLAUSE = (
    r"(?:(?:because|since|as(?! (?:for|far|to|regards|an?)\b)|while|although|though|even though|despite|in spite of"
    r"|even if(?! \w+ \w+ed\b)|weil|da|bien que|puisque|aunque|ya que|虽然|因为)\b[^;?]{1,400}[,，]\s?"
    r"|(?<=therefore, )(?:based on|considering|given|after)\b[^;?]{0,300},\s?"
    r"|(?:based on|considering|given|weighing|taking|after|having|comparing|in light of|in view of)\b[^;?]{0,200}"
    r"\b(?:all|everything|both|this|these|that|criteria|factors|evaluation|analysis|points|reasons|rules?|instructions?"
    r"|comparison|above|two|considerations)\b[^;?]{0,80},\s?)"
)
_OPINION = (
    r"(?:(?:I|we)(?: (?:therefore|thus|firmly|do|can|must|would))? (?:think|believe|find|conclude|judge"
    r"|am (?:convinced|confident))(?: that)?\s"
    r"|it is (?:clear|evident|obvious) that\s|ich (?:denke|finde|meine),? dass\s|je (?:pense|trouve) que\s"
    r"|creo que\s|我认为|我觉得)"
)
_LEAD = re.compile(rf"[\s(]{{0,2}}{_LEADS}{{0,3}}(?:{_CLAUSE})?{_LEADS}{{0,2}}{_OPINION}?[\s,:(]{{0,3}}", re.IGNORECASE)
_LIMITED = re.compile(
    r"\b(?:if|only|alone|merely|solely|purely|strictly|would|suppose|assum\w+|say|says|said|claim\w*|argu\w+|nur"
    r"|wenn|seulement"
    r"|si|solo)\b|如果|假如|仅",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:\s?[,;:–—-]?\s?(?:because|since|as (?=it|its|this|that|they|both|the \w+ (?:is|are|has|does)|output"
    r"|response|answer|assistant)|due to|given that|weil|da|denn|parce que|car|porque|ya que|因为)"
    r"|,\s(?:with|providing|making|offering|being|which)\b)(?P<why>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ITSELF = re.compile(
    r"\b(?:better|best|superior|prefer\w*|win(?:s|ner)?|won|choose|choice|chose|pick|vote|stronger|ties?|tied"
    r"|draw|go with"
    r"|worse|not sure|unsure|uncertain|depend\w*|if|unless|perhaps|maybe|arguably|possibly|probably|but|however|yet"
    r"|though|although|except|otherwise|besser|meilleure?|mejor|aber|mais|pero)\b|更好|但|[?？~]|\.\.\.|…",
    re.IGNORECASE,
)
_NOT_ONLY = re.compile(r"\bnot only\b|\bbut also\b", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*It (?:also |clearly |directly |correctly |accurately |precisely )?[a-z]{2,}s\b")
_OPINED = re.compile(
    r"\b(?:would|could|should|might|may|say|says|said|think\w*|claim\w*|view|opinion|argu\w+|true|false|wrong|incorrect"
    r"|mistak\w+|not|never|no|only|seems?|appears?|remains?|goes)\b|n['’]t\b",
    re.IGNORECASE,
)
_TIES = (
    r"(?:it(?: i|['’])s|this is|I (?:would )?(?:call|declare|consider) (?:it|this)|I['’]d call it|(?:the"
    r"|my) (?:result|verdict|decision|outcome) is)"
    r"\s(?:therefore )?(?:a )?(?:clear )?(?:tie|draw)(?: between (?:the two|both|them))?",
    rf"(?:both|the two|both of the)\s(?:of (?:them|the {NOUN}s)\s|{NOUN}s\s)?(?:are|were)\s(?:about "
    rf"|roughly )?(?:equally"
    r"\s(?:good|bad|helpful|strong|valid|correct|poor|accurate|useful|well-written|wrong)|tied|equal in quality"
    r"|of (?:equal|the same) quality|equal|on par)(?: overall)?",
    rf"neither(?: of the two)?(?:\s{NOUN}| one| of them)?\sis\sbetter\sthan\sthe\sother",
    r"tie|draw|(?:unentschieden|gleichstand)|égalité|empate|平局|平手",
    r"(?:beide|die beiden)\s(?:antworten\s)?sind\s(?:gleich gut|gleichwertig|ebenbürtig)|es ist ein unentschieden",
    r"les deux réponses (?:se valent|sont (?:équivalentes|aussi bonnes l['’]une que l['’]autre))|c['’]est une égalité",
    r"(?:ambas|las dos)\s(?:respuestas\s)?son\s(?:igual de buenas|igualmente buenas|equivalentes)|es un empate",
    r"(?:两个|两者)(?:回答|答案|回复)?(?:一样好|同样好|不相上下|质量相当)",
)
_NUMBER = r"(?P<value>[-−+]?\d+(?:\.\d+)?(?:\s?(?:/|out of)\s?\d+(?:\.\d+)?)?)(?:\s(?:points?|stars?))?"
_OBJECT = rf"(?:it|this|(?:this|the) (?:{NOUN}|one))"
_SCORES = (
    rf"(?:I|we)(?: would|['’]d| will| therefore){{0,2}}\s(?:give|award|assign|rate|score"
    rf"|grade)\s{_OBJECT}(?:\s(?:at|as|with))?\s"
    rf"(?:an?\s)?(?:overall\s|final\s)?(?:(?:score|rating|grade)\sof\s)?(?:an?\s)?{_NUMBER}",
    rf"{_OBJECT}\s(?:deserves|earns|gets|receives|merits|scores|is rated|rates|is worth)\s(?:an?\s)?(?:overall\s"
    rf"|final\s)?"
    rf"(?:(?:score|rating|grade)\sof\s)?(?:an?\s)?{_NUMBER}",
    rf"(?:I|we)(?: would|['’]d)?\s(?:give|assign|award)\s(?:an?\s)(?:overall\s|final\s)?(?:score|rating"
    rf"|grade)\sof\s{_NUMBER}",
    rf"(?:my|the)\s(?:final\s|overall\s)?(?:score|rating|grade)(?:\s(?:for"
    rf"|of)\s{_OBJECT})?\sis\s(?:therefore\s)?(?:an?\s)?{_NUMBER}",
)
_CUES = (
    ("better superior preferable prefer stronger winn best wins won prevail ahead vote outperform choose chose pick"
     " select"
     " go_with going_with went_with favo opt_for declare side_with verdict judg decision choice point", _EN),
    ("besser beste überlegen sieg gewinn bevorzug wähle nehme urteil wahl", _DE),
    ("meilleur supérieur préf gagn vainqueur emporte verdict choi retiens", _FR),
    ("mejor superior prefer prefier gana veredicto elección elijo escojo quedo", _ES),
    ("回答 答案 回复 助手 更 较 胜 赢 选 结论 喜欢", _ZH),
)  # fmt: skip
"""For each language the words of which one is in every sentence that names a winner: without them none is tried."""
_WINNERS = [
    ([cue.replace("_", " ") for cue in cues.split()], [re.compile(form, re.IGNORECASE) for form in forms])
    for cues, forms in _CUES
]
_TIED = (
    "tie", "draw", "equal", "par", "same", "better", "gleich", "unent", "eben", "valen", "équiv", "égal", "bonne",
    "buen", "equiv", "empate", "一样", "同样", "不相上下", "相当", "平",
)  # fmt: skip
_EQUALS = [re.compile(form, re.IGNORECASE) for form in _TIES]
_RATED = [re.compile(form, re.IGNORECASE) for form in _SCORES]


_DIGIT = re.compile(r"\d")


class Sentence(NamedTuple):
    """A sentence of a reply, without emphasis, and where it begins."""

    text: str
    start: int


def sentences(text: str, start: int = 0) -> list[Sentence]:
    """Returns the sentences among the last characters of a text; a fragment such as "Therefore," is none.

    Where the text is longer, the first of them is cut, and no verdict is read from it.
    """
    window = max(start, len(text.rstrip()) - _WINDOW)
    parts, at = [], window
    for match in _BREAK.finditer(text, window):
        if match["stop"] and text.endswith(_SHORT, window, match.start() + 1):
            continue
        parts.append((text[at : match.end("stop") if match["stop"] else match.end()], at))
        at = match.end()
    parts.append((text[at:], at))
    parts = parts[1:] if window > start else parts
    return [Sentence(part, at) for part, at in parts if not _FRAGMENT.fullmatch(part[:100])]


def winner_said(sentence: str) -> tuple[Winner, str] | None:
    """Returns the winner that a whole sentence names, and the word that names it, or ``None``."""
    bare = _bare(sentence) if may_say(sentence) else None
    if bare is None:
        return None
    low = bare.casefold()
    for end in _mains(bare):
        part = bare[end:]
        for form in (form for cues, forms in _WINNERS if _has(low, cues) for form in forms):
            for match in form.finditer(part):
                name = match["n"] or match["p"] or match["b"]
                if name and _whole(part, match):
                    return winner_named(name), name  # type: ignore[return-value]
        for form in _EQUALS if _has(low, _TIED) else ():
            for match in form.finditer(part):
                if _whole(part, match):
                    return "tie", match[0]
    return None


def _has(low: str, cues: Sequence[str]) -> bool:
    for cue in cues:  # noqa: SIM110 - a third faster than any() of a generator
        if cue in low:
            return True
    return False


def may_say(text: str) -> bool:
    """Says whether a text has a word that every sentence with a winner has one of."""
    low = text.casefold()
    return _has(low, _TIED) or any(_has(low, cues) for cues, _ in _WINNERS)


def explains(sentence: str) -> bool:
    """Says whether a sentence only goes on about the answer that the one before it names ("It gives more detail.")."""
    return bool(_GOES_ON.match(sentence)) and not _ITSELF.search(sentence) and not _OPINED.search(sentence)


def number_said(sentence: str) -> str | None:
    """Returns the number that a whole sentence gives as its score, or ``None``."""
    bare = _bare(sentence) if _DIGIT.search(sentence[:_LONGEST]) else None
    if bare is None:
        return None
    for form in _RATED:
        for match in form.finditer(bare):
            if _whole(bare, match):
                return match["value"]
    return None


def _bare(sentence: str) -> str | None:
    """Returns a sentence without emphasis and its stop; ``None`` for a question, a list item or a quotation."""
    text = re.sub(r"[*_`]+", "", sentence[: _LONGEST + 1]).strip().lstrip("#").strip().rstrip(".!。！ \t")
    if not text or len(text) > _LONGEST or text[0] in ">-•\"'“‘" or text.endswith(("?", "？", "…")) or "~~" in text:
        return None
    return None if sentence.rstrip().endswith("..") else text


def _mains(text: str) -> list[int]:
    """Returns where the clause may begin that decides: at the start, or behind the last ", so"."""
    cut = max(
        text.rfind(", so "),
        text.rfind("; therefore"),
        text.rfind("; so "),
        text.rfind(", therefore"),
        text.rfind("，因此"),
    )
    if cut <= 0 or _LIMITED.search(text[:cut]):
        return [0]
    return [cut + 1]


def _whole(text: str, match: re.Match[str]) -> bool:
    """Says whether a verdict is all that a sentence says, but for what leads to it and a reason."""
    before, after = text[: match.start()], text[match.end() :]
    lead = _LEAD.fullmatch(before)
    if lead is None or (
        _LIMITED.search(before) and not before.lower().lstrip().startswith(("while", "although", "though"))
    ):
        return False
    if not after.strip(" ,;"):
        return True
    tail = _TAIL.fullmatch(after)
    return tail is not None and not _ITSELF.search(_NOT_ONLY.sub("", tail["why"]))
