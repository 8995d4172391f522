"""Finds what a judge's reply says on a line of its own: "Verdict: A", "Gewinner: B", "评分：7", or a bare last line.

Source: the forms that the prompts of MT-bench (arXiv:2306.05685), Prometheus (arXiv:2310.08491) and PandaLM
(arXiv:2306.05087) ask for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.readers.structured import Claim
from tasks.readers.words import NOUN, RETRACTED

_DRESS = r"[ \t*_#|`\"'“(-]{0,12}"
_SO = r"(?:(?:so|therefore|thus|hence|overall|in conclusion|daher|also|donc|por lo tanto|因此|所以)[ ,，:]{1,3})?"
_OF = (
    rf"(?:(?:the|my|our|mein|das|der|die|le|la|el|mon|ma|mi)\s)?{_SO}(?:(?:final|overall|endgültige[rs]?|最终|总)\s?)?"
)
WINNER = (
    rf"(?:winner|verdict|judge?ment|decision|preference|preferred (?:{NOUN}|one)|(?:better|winning) (?:{NOUN}|one)"
    r"|best (?:response|assistant|output|completion|candidate)|gewinner|sieger|urteil|entscheidung|bessere antwort"
    r"|gagnant|vainqueur|décision|meilleure réponse|ganador|veredicto|decisión|mejor respuesta"
    r"|胜者|获胜者|赢家|结论|裁决|判决|优胜者|更好的(?:回答|答案|回复))(?: final[e]?)?"
)
SCORE = (
    r"(?:score|rating|grade|overall|total score|bewertung|gesamtbewertung|punktzahl|gesamtnote|note|note globale"
    r"|puntuación|puntuacion|calificación|评分|得分|分数|总分|打分)(?: final[e]?| global[e]?| total[e]?)?"
)
RANKING = r"(?:ranking|order|rangliste|classement|clasificación|排名)"
_SAYS = r"(?:[ \t*_]{0,6}(?:[:：=]|\b(?:is|are|ist|est|es)\b|是|为)[ \t*_]{0,6}|[ \t*_]{1,6}[-–—][ \t*_]{1,6})"
_AFTER = re.compile(
    r"\s*[\W_]{0,8}(?:explanation|reason(?:ing|s)?|rationale|justification|feedback|comments?|analysis|why|evidence"
    r"|reference|begründung|erklärung|raison|explication|justificación|explicación|razón|理由|解释|原因|说明)"
    r"[\W_]{0,6}[:：\n]",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\s*(?:i hope (?:this|that)\b[^.\n]{0,80}(?:help|useful|clear)[^.\n]{0,40}|(?:please )?let me know\b[^\n]{0,120}"
    r"|thank you[^.\n]{0,60}|(?:the )?end(?: of (?:the )?(?:evaluation|verdict|review|judge?ment))?|\*{3,}"
    r"|-{3,})[.!]?\s*\Z",
    re.IGNORECASE,
)
_PROVIDED = re.compile(r"\b(?:if|unless|provided that|falls|wenn|si)\b|如果", re.IGNORECASE)
_END = re.compile(r"(?:[\s`*_.。\"'“”’)}\]|!]|<\|[^|<>\n]{1,20}\|>|</s>)*\Z")
_JUDGES = re.compile(
    r"\b(?:both|response|answer [ab12]\b|answers|assistant|output|outputs|candidate|better|worse|more|less"
    r"|accurate|helpful"
    r"|quality|score|rating|grade|criteri|clear|correct|complete|concise|faults?|merits?|reasons?|verdict"
    r"|antwort|réponse"
    r"|respuesta)|回答|答案", re.IGNORECASE,
)  # fmt: skip
_SOLVES = re.compile(
    r"\b(?:options?|choices?|solv\w+|(?:the|so|correct|final|right) answer (?:is|should|must|to|would)|equals"
    r"|step \d|multipl\w+|compute|lösung|résultat)\b|=|\+|答案是|[\\]boxed",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"(?:the\s)?(?:{NOUN}|first|second)\b", re.IGNORECASE)
_BARE = re.compile(r"[\w./>=≫≪<,;~ ()\[\]*`'\"“”。.!’-]{1,60}")


def marked(text: str, start: int, words: str) -> list[Claim]:
    """Returns the claims of lines, or last sentences, that begin with a mark such as "Final verdict:"."""
    pattern = _pattern(words)
    claims = []
    end = start
    for place in (start, *(match.end() for match in _BEGINS.finditer(text, start))):
        match = pattern.match(text, place) if place >= end else None
        if match is None:
            continue
        end = match.end()
        value = match["value"] if match["value"] is not None else match["next"]
        at = match.start("value" if match["value"] is not None else "next")
        bare = value.strip(" \t*_`\"'“”|")
        if bare and not bare.startswith(("[[", "{")):
            claims.append(Claim(bare, match.start(), match.end(), at=text.find(bare, at), form="line"))
    return claims


def _pattern(words: str) -> re.Pattern[str]:
    if words not in _PATTERNS:
        _PATTERNS[words] = re.compile(
            rf"(?:{_DRESS}{_SO}{_OF}{words})"
            rf"(?:{_SAYS}(?P<value>[^\s][^\n]{{0,4000}})"
            rf"|[ \t*_#]{{0,6}}[:：]?[ \t*_#]{{0,6}}\n\s{{0,4}}(?P<next>[^\n]{{1,200}}))",
            re.IGNORECASE,
        )
    return _PATTERNS[words]


_BEGINS = re.compile(r"\n|[.!?] |[。：]")
_PATTERNS: dict[str, re.Pattern[str]] = {}


def alone(text: str, start: int) -> list[Claim]:
    """Returns the claim of a last line that is a short word and nothing else, below words about the judging."""
    said = text[start:].rstrip()
    begin = start + said.rfind("\n") + 1
    line = said[begin - start :].strip()
    if not line or not _BARE.fullmatch(line):
        return []
    before = text[start:begin].strip()
    if before and (_SOLVES.search(before) or not _JUDGES.search(before) or before.endswith((":", "："))):
        return []
    bare = line.strip(" \t*_`\"'“”.。")
    if before and _NAMED.match(bare):
        return []
    return [Claim(bare, begin, start + len(said), at=text.find(bare, begin), form="alone")]


def closes(text: str, claim: Claim, start: int) -> bool:
    """Says whether nothing follows a claim that could take it back.

    That is so at the end of the reply, before a section that explains it, before a courtesy, and, for a claim that
    begins the reply, before anything that does not reconsider.
    """
    rest = text[claim.end :]
    if _END.match(rest):
        return True
    if RETRACTED.search(rest):
        return False
    if _AFTER.match(rest) or _COURTESY.match(rest):
        return True
    if _PROVIDED.search(rest):
        return False
    first = not text[start : claim.start].strip(" \t\n*_`#>[(\"'") or text[start : claim.start].strip() == "```json"
    return first and rest.lstrip("`*_.\"' \t)]}").startswith("\n")


def ends_alone(text: str, claims: Sequence[Claim], start: int) -> list[Claim]:
    """Returns the last claim where it ends the reply and stands on a line of its own that quotes nothing, else none."""
    if not claims or not _END.match(text, claims[-1].end):
        return []
    begin = max(start, text.rfind("\n", 0, claims[-1].start) + 1)
    line = text[begin : claims[-1].start]
    if len(line) > 200 or ">" in line or not _OWN.fullmatch(line):
        return []
    before = text[start:begin].rstrip(" \t\n`*_").removesuffix("json").rstrip(" \t\n`*_")
    return [] if _QUOTES.search(before[-200:]) else [claims[-1]]


_OWN = re.compile(
    rf"[\s`*_(#]*(?:json)?[\s`*_(#]*(?:{_SO}{_OF}(?:{WINNER}|{SCORE}|{RANKING}|scores|ratings){_SAYS})?[\s`*_(]*",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    r"\b(?:says?|wrote|said|thinks?|reads?|ends?|states?|claims?|writes?|quotes?|contains?|tries|argues?|suggests?)\b"
    r"(?:\s*|[^.!?\n]{0,60}:)\Z",
    re.IGNORECASE,
)
_QUOTES = re.compile(
    r"\b(?:says?|wrote|said|thinks|reads?|ends?|states?|claims?|writes?|quotes?|contains?|answer [ab]"
    r"|response [ab]|completion|text|it|them)\b"
    r"[^.!?\n]{0,60}:\Z",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:not|never|hardly|neither|nor|cannot|can't|won't|wouldn't|isn't|might|may|could|would be|perhaps|maybe"
    r"|if|unless"
    r"|whether|says?|said|reads?|ends? (?:in|with)|claims?|claimed|argues?|writes?|quot\w+|suggest\w*|contains?|format"
    r"|example|either|instead of|output|one of|some|nicht|vielleicht|pas|peut-être|quizás?)\b|不|[?？]",
    re.IGNORECASE,
)


def doubtful(text: str, claim: Claim, start: int) -> bool:
    """Says whether the sentence before a verdict in brackets denies it, doubts it, or reports it."""
    line = text[max(start, text.rfind("\n", 0, claim.start) + 1, claim.start - 400) : claim.start]
    last = re.split(r"[.!?。！？][\"')*_]{0,3}\s", line)[-1]
    return _UNSURE.search(last) is not None


def quoted(text: str, place: int, start: int) -> bool:
    """Says whether what begins at a place follows words such as "The answer says:"."""
    before = text[max(start, place - 300) : place].rstrip(" \t\n`*_>\"'").removesuffix("json").rstrip(" \t\n`")
    return _REPORTS.search(before) is not None
