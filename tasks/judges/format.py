"""Says whether a completion has the outward form it should have.

Source: format reward of DeepSeek-R1 (arXiv:2501.12948, section 2.2.2: reasoning and answer between tags).

Use it beside a judge of content, where a parser reads the answer later. It is bad alone: an empty form passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges._rows import Row, cut, judgeable, rule


def _checks(
    *, tags: Sequence[str] = (), starts_with: str = "", ends_with: str = "", contains: Sequence[str] = (),
    lacks: Sequence[str] = (), **_: Any,
) -> None:  # fmt: skip
    if not (tags or starts_with or ends_with or contains or lacks):
        raise ValueError("no form is asked for: give tags, starts_with, ends_with, contains or lacks")


@judge(checks=_checks)
def format(
    prompt: Row,
    completions: Sequence[Row],
    *,
    tags: Sequence[str] = (),
    outside: bool = False,
    starts_with: str = "",
    ends_with: str = "",
    contains: Sequence[str] = (),
    lacks: Sequence[str] = (),
    criterion: str = "format",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where it has the form, else 0.

    A completion cut by its length limit that lacks something is ``truncated``; one that holds what it must not is not.

    Args:
        tags: ``["think", "answer"]``: the text is ``<think>…</think>`` then ``<answer>…</answer>``, each once and none
            of them blank.
        outside: text before, between and after the tags is allowed.
        starts_with, ends_with: compared with the text without the blanks round it.
        contains, lacks: texts that must, and must not, occur.

    Raises:
        ValueError: no form is asked for.
    """
    _checks(tags=tags, starts_with=starts_with, ends_with=ends_with, contains=contains, lacks=lacks)
    rows = []
    for completion in judgeable(completions):
        text = text_of(completion["messages"]).strip()
        final = [f"it holds {part!r}" for part in lacks if part in text]
        if not text.startswith(starts_with):
            final.append(f"it does not start with {starts_with!r}")
        faults = [*final, *(f"it lacks {part!r}" for part in contains if part not in text)]
        if not text.endswith(ends_with):
            faults.append(f"it does not end with {ends_with!r}")
        fault = _tag_fault(text, tags, outside)
        faults += [fault] if fault else []
        verdict: bool | str = "truncated" if cut(completion) and faults and not final else not faults
        rows.append(rule(completion, criterion, verdict, why="; ".join(faults) or None))
    return rows


def _tag_fault(text: str, tags: Sequence[str], outside: bool) -> str | None:
    """Returns what is wrong with the tagged parts, or null."""
    place = 0
    for tag in tags:
        opened, closed = f"<{tag}>", f"</{tag}>"
        if text.count(opened) != 1 or text.count(closed) != 1:
            return f"<{tag}> does not stand there once, opened and closed"
        start, end = text.find(opened, place), text.find(closed, place)
        if start < 0 or end < start:
            return f"<{tag}> stands in the wrong place"
        if not text[start + len(opened) : end].strip():
            return f"<{tag}> is blank"
        if text[place:start].strip() and not outside:
            return f"there is text before <{tag}>"
        place = end + len(closed)
    return "there is text after the last tag" if tags and text[place:].strip() and not outside else None
