"""Says whether the citations of a completion exist, and whether what is cited holds what the sentence says.

Source: citation recall and precision of ALCE (arXiv:2305.14627, section 3), with word overlap in place of its NLI
model; verbatim quotes as in GopherCite (arXiv:2203.11147).

Use it for answers that cite numbered sources. It is bad at paraphrase and at inference: overlap of words is no
entailment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges import _units
from tasks.judges._rows import Row, cut, judgeable, rule

_CITED = re.compile(r"\[([^\[\]\n]{1,80})\](?!\()")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$|\[)[^.!?\n]*)*[.!?]*(?:\s*\[[^\[\]\n]{1,80}\])*")
_QUOTE = re.compile(r"[\"“]([^\"“”\n]{15,})[\"”]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_COMMON_TEXT = """
about above after again against also another because been before being below between both cannot could does
doing down during each from further have having here into itself just more most much must only other over said
same should since some such than that their them then there these they this those through under until very
were what when where which while will with would your according
"""
_COMMON = frozenset(_COMMON_TEXT.split())


class Finding(NamedTuple):
    """One sentence with citations.

    Attributes:
        missing: cited ids that no document has. support: share of the sentence's content words that the cited
            documents hold. faults: why it is not supported, or empty.
    """

    sentence: str
    missing: list[str]
    support: float
    faults: list[str]


@judge(needs=("tests",))
def citation(
    prompt: Row,
    completions: Sequence[Row],
    *,
    min_support: float = 0.5,
    min_recall: float = 0.0,
    score: Literal["all", "f1"] = "all",
    criterion: str = "citation",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where every citation exists and supports its sentence, else 0.

    A citation is a document's id in square brackets (``[2]``, ``[1, 3]``, ``[doc-a]``); other brackets are text. A
    sentence is supported when the documents it cites hold enough of its content words, all of its numbers, and its
    quotations word for word. A completion that cites nothing scores 0. Overlap of words is no proof: a negation passes.

    Args:
        prompt: ``tests`` is JSON: documents as {id: text}, or as a list of texts or of {``id``, ``text``} (without ids:
            1, 2, …), or either under ``documents``.
        min_support: share of content words.
        min_recall: share of all sentences that must be cited and supported.
        score: ``f1`` scores the harmonic mean of precision (supported among cited) and recall.

    Returns:
        Rows of judgments; ``meta`` has ``precision``, ``recall``, ``cited`` and ``faults``.
    """
    documents = _documents(prompt["tests"])
    rows = []
    for completion in judgeable(completions):
        text = text_of(completion["messages"])
        sentences = [part.strip() for part in _SENTENCE.findall(text) if len(_units.words(part)) > 2]
        findings = [found for part in sentences if (found := _look(part, documents, min_support)) is not None]
        good = sum(not found.faults for found in findings)
        precision, recall = good / len(findings) if findings else 0.0, good / len(sentences) if sentences else 0.0
        right = bool(findings) and good == len(findings) and recall >= min_recall
        faults = [fault for found in findings for fault in found.faults]
        why = (
            None
            if right
            else (faults[0] if faults else "too few sentences are cited" if findings else "it cites nothing")
        )
        made = rule(
            completion, criterion, "truncated" if cut(completion) and not faults and not right else right, why=why
        )
        if score == "f1" and made["outcome"] == "valid":
            made["score"] = 2 * precision * recall / (precision + recall) if good else 0.0
        meta = {"precision": precision, "recall": recall, "cited": len(findings), "faults": faults[:20]}
        rows.append(made | {"meta": orjson.dumps(meta).decode()})
    return rows


def _documents(tests: str) -> dict[str, str]:
    found = json.loads(tests)
    if isinstance(found, Mapping) and "documents" in found:
        found = found["documents"]
    if isinstance(found, list):
        found = {_id(item, i): _text(item) for i, item in enumerate(found, 1)}
    if not isinstance(found, Mapping) or not found:
        raise ValueError("tests hold no documents")
    return {str(name): str(text) for name, text in found.items()}


def _id(item: Any, i: int) -> str:
    return str(item["id"]) if isinstance(item, Mapping) and "id" in item else str(i)


def _text(item: Any) -> str:
    return str(item["text"]) if isinstance(item, Mapping) else str(item)


def _look(sentence: str, documents: dict[str, str], min_support: float) -> Finding | None:
    """Returns what is found on a sentence; null where it cites nothing."""
    cited = []
    for found in _CITED.findall(sentence):
        parts = [part.strip().lstrip("^#") for part in re.split(r"[,;]", found)]
        if any(part in documents for part in parts) or all(re.fullmatch(r"\d{1,3}", part) for part in parts):
            cited += parts
    if not cited:
        return None
    missing = [name for name in cited if name not in documents]
    source = " ".join(documents[name] for name in cited if name in documents)
    bare = _CITED.sub(" ", sentence)
    held = {_stem(word) for word in _units.words(source.lower())}
    words = [_stem(word) for word in _units.words(bare.lower()) if len(word) > 3 and word not in _COMMON]
    support = sum(word in held for word in words) / len(words) if words else 1.0
    faults = [f"[{name}] does not exist" for name in missing]
    if support < min_support:
        faults.append(f"{support:.0%} of the words of {sentence[:60]!r} are in what it cites")
    numbers = set(_NUMBER.findall(source))
    faults += [f"{number} is not in what it cites" for number in _NUMBER.findall(bare) if number not in numbers]
    plain = " ".join(source.split()).lower()
    faults += [
        f"the quotation {quote[:40]!r} is not in what it cites"
        for quote in _QUOTE.findall(bare)
        if " ".join(quote.split()).lower().strip(" .,") not in plain
    ]
    return Finding(sentence, missing, support, faults)


def _stem(word: str) -> str:
    """Returns a word without its commonest endings, so that ``signed`` meets ``signs``."""
    for ending in ("ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word
