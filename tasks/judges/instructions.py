"""Says whether a completion follows every verifiable instruction of its prompt.

Source: IFEval (arXiv:2311.07911): 25 kinds of instructions, strict and loose reading; M-IFEval (arXiv:2502.04688): the
same and others in Spanish, French and Japanese (ids that begin ``es:``, ``fr:``, ``ja:``).

Use it for prompts whose constraints can be checked by a program. It is bad at quality: a text may keep every constraint
and say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from schemas.blocks import judge
from schemas.messages import text_of
from tasks.judges import _ifeval
from tasks.judges._rows import Row, cut, judgeable, rule


@judge(needs=("tests",))
def instructions(
    prompt: Row,
    completions: Sequence[Row],
    *,
    reading: Literal["strict", "loose"] = "strict",
    score: Literal["all", "share"] = "all",
    criterion: str = "instruction_following",
) -> list[Row]:
    """Returns one judgment a completion: score 1 where every instruction is followed, else 0.

    A completion cut by its length limit that fails is ``truncated``. An empty one follows nothing, and scores 0.

    Args:
        prompt: ``tests`` is JSON {``instruction_id_list``: kinds, ``kwargs``: their arguments, one object each}.
        reading: ``loose`` also tries the text without its first line, its last line and its asterisks.
        score: ``share`` scores the share of the instructions that are followed.

    Returns:
        Rows of judgments; ``meta`` has ``followed`` (kind -> whether, in the order of the prompt) and ``loose``.
    """
    wanted = read(prompt["tests"])
    rows = []
    for completion in judgeable(completions, also=("empty",)):
        text = text_of(completion["messages"])
        strict = [_ifeval.follows(text, kind, given) for kind, given in wanted]
        loose = [_ifeval.follows(text, kind, given, loose=True) for kind, given in wanted]
        followed = strict if reading == "strict" else loose
        right = all(followed)
        broken = [kind for (kind, _), kept in zip(wanted, followed, strict=True) if not kept]
        verdict: bool | str = "truncated" if cut(completion) and not right else right
        made = rule(completion, criterion, verdict, why=f"not followed: {', '.join(broken)}" if broken else None)
        if score == "share" and made["outcome"] == "valid":
            made["score"] = sum(followed) / len(followed)
        kinds = [kind for kind, _ in wanted]
        made["meta"] = orjson.dumps({"kinds": kinds, "strict": strict, "loose": loose}).decode()
        rows.append(made)
    return rows


def read(tests: str) -> list[tuple[str, dict[str, Any]]]:
    """Returns the instructions and their arguments; arguments that are null are left out.

    Raises:
        ValueError: the tests hold no list of instructions, or not as many arguments.
    """
    found = json.loads(tests)
    if not isinstance(found, Mapping) or not found.get("instruction_id_list"):
        raise ValueError("tests hold no instruction_id_list")
    kinds, given = found["instruction_id_list"], found.get("kwargs") or [{} for _ in found["instruction_id_list"]]
    if not isinstance(kinds, list) or not isinstance(given, list):
        raise ValueError("instruction_id_list and kwargs must be lists")
    if len(kinds) != len(given):
        raise ValueError(f"there are {len(kinds)} instructions and {len(given)} sets of arguments")
    wrong = [each for each in given if each is not None and not isinstance(each, Mapping)]
    if wrong:
        raise ValueError(f"a set of arguments is {str(wrong[0])[:80]!r}, expected an object")
    return [
        (kind, {name: value for name, value in (arguments or {}).items() if value is not None})
        for kind, arguments in zip(kinds, given, strict=True)
    ]
