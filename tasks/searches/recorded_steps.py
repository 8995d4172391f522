"""Trees of solutions one already has, with the first wrong step that people marked in them; nobody is asked.

Source: BIG-Bench Mistake (arXiv:2311.08516), MR-GSM8K (arXiv:2312.17080), ProcessBench (arXiv:2412.06559): solutions
whose first wrong step is labelled.

Use it for step labels that people gave, and for pairs where solutions part after common steps. It is bad where nobody
marked the solutions: take ``step_rollouts`` or ``first_error`` for these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from schemas.blocks import search
from schemas.exchange import Choice, Search, Verdicts
from tasks.searches._ask import Policy
from tasks.searches._judge import tally
from tasks.searches._rows import grown
from tasks.searches._tree import Node, Rules, Tree
from tasks.texts.pieces import Kind, Pieces, parts

_STEP = re.compile(r"\s*(?:step\s*)?(\d{1,6})(?:\.0)?\s*", re.IGNORECASE)
_NONE = re.compile(r"\s*(?:-1(?:\.0)?|none|n/a|no error|correct)\s*", re.IGNORECASE)


@dataclass
class Solution:
    """A recorded solution: its nodes, and what its record says of it.

    Attributes:
        error: number of its first wrong step from 1, 0 where none is, null where that is not known.
        marked: ``error``, ``none``, or why it has no mark.
    """

    path: list[Node]
    error: int | None
    marked: str

    @property
    def judged(self) -> list[tuple[Node, bool]]:
        """Its steps up to the first wrong one, and whether each is it."""
        if self.error is None:
            return []
        return [(node, place == self.error) for place, node in enumerate(self.path[: self.error or None], start=1)]


@search
def recorded_steps(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str = "",
    counted_from: Literal[0, 1] = 1,
    unmarked: Literal["unlabelled", "right"] = "unlabelled",
    delimiter: Kind = "newline",
    mark: str = "",
) -> Search:
    """Returns the tree of the prompt's recorded solutions; their first wrong steps carry ``first_error`` in their meta.

    The end of a solution without a wrong step carries ``no_error``. A recorded label is the reward of the
    end, and counts as one judged continuation of every step before it. In their ``meta``, completions say how they are
    ``marked``: ``error``, ``none``, or, with no label, ``unlabelled``, ``unreadable`` (no step has that number),
    ``contradicted`` (by a solution that has the same steps) or ``empty``.

    Args:
        policy: SPEC of the record, as ``--data FILE`` gives it; ``--map first_error=COLUMN`` says where the marks are.
        counted_from: the number of the first step, in the marks. -1 and ``none`` say that no step is wrong.
        unmarked: what a null there means; never assumed of data without such a column.
        delimiter, mark: where steps begin in solutions that came as one text; those that came as lists keep theirs.
    """
    tree, pieces, asked = Tree(Rules(backup="none")), Pieces(delimiter, mark), Policy(prompt, policy)
    extra = {"prompt_id": prompt["prompt_id"]} if policy.startswith("replay:") else {}
    request = replace(asked.whole("", 0), extra=extra, seed=None)
    (reply,) = yield [request]
    found = []
    for choice in reply.choices:
        asked.met(request, reply, choice, None, "recorded")
        found.append(_solution(tree, pieces, choice, counted_from, unmarked))
    notes = _notes(found)
    for row, choice, one in zip(asked.completions, reply.choices, found, strict=True):
        brought = dict(choice.value or {})
        known = {"marked": one.marked, "first_error": one.error or "none"} if one.error is not None else {}
        row["meta"] = {**_meta(brought), "first_error": None, "marked": one.marked, **row["meta"], **known}
        row |= {name: value for name, value in brought.items() if name != "meta"} | {"sampling": "{}"}
    return grown(tree, asked, {"search": "recorded_steps"}, notes)


def _meta(brought: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(brought.get("meta") or "{}")
    return found


def _solution(tree: Tree, pieces: Pieces, choice: Choice, counted_from: int, unmarked: str) -> Solution:
    brought = dict(choice.value or {})
    meta = _meta(brought)
    steps = parts(choice.text, meta["cuts"]) if "cuts" in meta else pieces.cut(choice.text)
    if choice.outcome != "ok" or not steps:
        return Solution([], None, "empty")
    node, path = tree.root, []
    for place, step in enumerate(steps, start=1):
        node, _ = tree.add(node, step, terminal=place == len(steps), origin="recorded")
        path.append(node)
    label = brought.get("label")
    if label is not None:
        path[-1].reward = float(label)
        for one in (tree.root, *path):
            tally(one, float(label))
    error, marked = _marked(meta, len(path), counted_from, unmarked)
    return Solution(path, error, marked)


def _marked(meta: Mapping[str, Any], steps: int, counted_from: int, unmarked: str) -> tuple[int | None, str]:
    said = meta.get("first_error")
    if said is None:
        right = unmarked == "right" and "first_error" in meta
        return (0, "none") if right else (None, "unlabelled")
    if _NONE.fullmatch(str(said)):
        return 0, "none"
    number = _STEP.fullmatch(str(said))
    place = int(number[1]) + 1 - counted_from if number else 0
    return (place, "error") if 1 <= place <= steps else (None, "unreadable")


def _notes(found: Sequence[Solution]) -> dict[Node, dict[str, Any]]:
    """Returns the marks of the nodes; solutions that say different things of one step lose theirs."""
    said: dict[Node, set[bool]] = defaultdict(set)
    for one in found:
        for node, wrong in one.judged:
            said[node].add(wrong)
    for one in found:
        if any(len(said[node]) > 1 for node, _ in one.judged):
            one.error, one.marked = None, "contradicted"
    kept = [one for one in found if one.error is not None]
    ends = {one.path[-1]: {"no_error": True} for one in kept if one.error == 0}
    return ends | {one.path[one.error - 1]: {"first_error": True} for one in kept if one.error}
