"""Finds what a judge's reply claims in a form: JSON objects, also broken ones, double brackets and tags; and where.

Source: MT-bench's ``[[A]]`` and ``[[7]]`` (arXiv:2306.05685, appendix A); ``[RESULT] 4`` of Prometheus
(arXiv:2310.08491).

JSON that breaks the rules is repaired only where a strict reading failed and the key occurs exactly once in it. A
claim that is there but cannot be read has the value ``BROKEN``, so that no earlier one counts in its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

BRACKETS = re.compile(r"\[\[([^\[\]\n]{1,80})\]\]|\[RESULT\]:?[ \t*]{0,4}\(?([^\s()*,;]{1,12})\)?(?=[ \t*.]*(?:\n|$))")
_THOUGHTS = r"(?:think|thinking|thought|thoughts|reasoning|scratchpad|reflection|inner_monologue)"
_OPENED, _CLOSED = re.compile(rf"<{_THOUGHTS}>", re.IGNORECASE), re.compile(rf"</{_THOUGHTS}>", re.IGNORECASE)
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=lambda pairs: _unambiguous(pairs))
_WRAPPERS = ("result", "evaluation", "judgment", "judgement", "output", "response", "answer", "final_answer")
_VALUE = re.compile(
    r"\s*(?:(?P<open>[\"'“‘])(?P<quoted>[^\"'“”‘’\n]{1,80})[\"'”’]|(?P<bare>[^\s\"'“”‘’,{}\[\]]{1,20}))"
    r"(?P<end>[ \t]*(?:,?\s*(?:\}|```)|,\s*(?:[\"'“‘]?\w[\w ]{0,40}[\"'”’]?\s*:)|,?[ \t]*\n|,?\s*\Z))"
)
MOST_ATTEMPTS = 200
"""So many opening braces are tried in one reply; a judge that writes more of them gives no verdict in JSON."""
_MOST_REPAIRED = 20_000


class Broken:
    """What a claim holds that is there and cannot be read."""


BROKEN = Broken()


class Claim(NamedTuple):
    """One claim of a reply: its value, where it begins and ends, and the object that holds it.

    Attributes:
        at: where the value begins; below 0 where that is not clear. form: json, brackets, tag, line, alone or prose.
    """

    value: Any
    start: int
    end: int
    holder: dict[str, Any] | None = None
    key: str = ""
    at: int = -1
    form: str = "json"


def after_thinking(text: str) -> int:
    """Returns where a reply begins that follows a reasoning model's thoughts; its end when thoughts never end."""
    if "<" not in text:
        return 0
    start = max((match.end() for match in _CLOSED.finditer(text)), default=0)
    return len(text) if _OPENED.search(text, start) else start


def _key(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().casefold())


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns the object; a key given twice with different values is ``BROKEN``."""
    item: dict[str, Any] = {}
    for key, value in pairs:
        item[key] = value if key not in item or item[key] == value else BROKEN
    return item


def objects(text: str, start: int = 0) -> list[tuple[dict[str, Any], int, int]]:
    """Returns the JSON objects in a text, outermost only, each with its place."""
    items, at = [], text.find("{", start)
    for _ in range(MOST_ATTEMPTS):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError:
            end = at + 1
        except RecursionError:
            break
        else:
            items.append((value, at, end))
        at = text.find("{", end)
    return items


def explicit(text: str, start: int, keys: Sequence[str]) -> list[Claim]:
    """Returns the claims made in JSON, in double brackets, or in tags, in their order."""
    parsed = objects(text, start) if "{" in text else []
    claims = [claim for item, at, end in parsed if (claim := _of_object(text, item, at, end, tuple(keys)))]
    spans = [(at, end) for _, at, end in parsed]
    if "[" in text or "<" in text:
        claims += [claim for claim in _forms(text, start, tuple(keys)) if not _inside(claim.start, spans)]
    if ":" in text:
        claims += _slips(text, start, tuple(keys), spans)
    return sorted(claims, key=lambda claim: claim.start) if len(claims) > 1 else claims


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(one <= place < end for one, end in spans)


def _of_object(text: str, item: dict[str, Any], at: int, end: int, keys: tuple[str, ...]) -> Claim | None:
    """Returns the claim of an object: of the first key it has; ``BROKEN`` where names of one key differ in value."""
    names = {_key(name): name for name in item}
    for wrapper in _WRAPPERS:
        inner = item.get(names.get(wrapper, ""))
        if isinstance(inner, dict) and not any(key in names for key in keys):
            item, names = inner, {_key(name): name for name in inner}
    for key in keys:
        if key in names:
            same = [value for name, value in item.items() if _key(name) == key]
            value = item[names[key]] if all(other == same[0] for other in same) else BROKEN
            places = list(_mention((key,)).finditer(text, at, end))
            space = re.compile(r"\s*[\"']?").match(text, places[-1].end()) if places else None
            return Claim(value, at, end, item, key, space.end() if space else -1)
    return None


def _forms(text: str, start: int, keys: tuple[str, ...]) -> list[Claim]:
    claims = [
        Claim(match[1] or match[2], match.start(), match.end(), at=match.start(1 if match[1] else 2), form="brackets")
        for match in BRACKETS.finditer(text, start)
    ]
    if "</" in text:
        claims += [
            Claim(match[2].strip(), match.start(), match.end(), at=match.start(2), form="tag")
            for match in _tags(keys).finditer(text, start)
        ]
    return claims


def _slips(text: str, start: int, keys: tuple[str, ...], spans: Sequence[tuple[int, int]]) -> list[Claim]:
    """Returns the claims of objects that cannot be parsed strictly: wherever a key stands outside of the others."""
    brace = text.find("{", start)
    low = text.casefold()
    if not any(key in low or key.replace("_", " ") in low for key in keys):
        return []
    mentions = [
        match for match in _mention(keys).finditer(text, start)
        if not _inside(match.start(), spans) and not (match["later"] and not 0 <= brace < match.start())
    ]  # fmt: skip
    names = [_named(match) for match in mentions]
    first = min(names, key=keys.index, default="")
    claims = []
    for match, name in zip(mentions[:MOST_ATTEMPTS], names, strict=False):
        if name != first:
            continue
        lowest = max((end for _, end in spans if end <= match.start()), default=start)
        opened = max(text.rfind("\n{", lowest, match.end()) + 1, text.find("{", lowest, match.end()))
        end = min((at for at, _ in spans if at >= match.end()), default=len(text))
        end = text.rfind("}", match.end(), end) + 1 or end
        alone = names.count(name) == 1 and opened >= 0
        claims.append(_repaired(text, match, opened, end) if alone else _lost(match))
    return claims


def _named(match: re.Match[str]) -> str:
    return _key(match["quoted"] or match["bare"] or match["later"])


def _lost(match: re.Match[str]) -> Claim:
    return Claim(BROKEN, match.start(), match.end(), key=_named(match))


def _repaired(text: str, match: re.Match[str], opened: int, end: int) -> Claim:
    """Returns the claim of one object whose form has a slip, as ``json_repair`` and the text itself both have it."""
    if end - opened > _MOST_REPAIRED or "\\" in match[0]:
        return _lost(match)
    from json_repair import repair_json

    try:
        repaired: Any = repair_json(text[opened:end], return_objects=True)
    except (ValueError, RecursionError):
        return _lost(match)
    item: dict[str, Any] = repaired if isinstance(repaired, dict) else {}
    names = {_key(name): name for name in item}
    key = _named(match)
    if key not in names:
        item, names = {names.get(key, key): None}, {key: names.get(key, key)}
    value = item[names[key]]
    if isinstance(value, list | dict):
        whole = text[match.end() : end].strip().rstrip("`").rstrip()
        return Claim(value, opened, end, item, key) if whole.endswith(("}", "]")) else _lost(match)
    seen = _VALUE.match(text, match.end())
    if seen is None or (seen["bare"] and seen.end() >= len(text) and not seen["end"].strip(" \t")):
        return _lost(match)
    word = (seen["quoted"] or seen["bare"]).strip()
    if value is not None and str(value).strip().casefold() != word.casefold() and _number(value) != _number(word):
        return _lost(match)
    last = len(text[:end].rstrip()) if not text[seen.end() : end].strip("}` \n\t") else end
    return Claim(word, opened, max(last, seen.end()), item, key, seen.start("quoted" if seen["quoted"] else "bare"))


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


@lru_cache
def _mention(keys: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(key).replace("_", r"[_\- ]") for key in sorted(keys, key=len, reverse=True))
    return re.compile(
        rf"(?:\\{{0,8}}[\"'“‘](?P<quoted>{names})\\{{0,8}}[\"'”’]|\{{\s{{0,8}}(?P<bare>{names})"
        rf"|(?<=,)\s{{0,8}}(?<=[\s,])(?P<later>{names}))\s{{0,8}}[:：]",
        re.IGNORECASE,
    )


@lru_cache
def _tags(keys: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(key) for key in keys)
    return re.compile(rf"<((?:final_?)?(?:{names}))>([^<>]{{1,80}})</\1>", re.IGNORECASE)
