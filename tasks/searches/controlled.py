"""Wrong continuations of right solutions, from a known step on, at a temperature that rises step by step.

Source: Step-Controlled DPO (arXiv:2407.00782, section 3.1; released schedules min(1.1 + 0.1 i, 1.4) and others).

Use it to make errors late in solutions that began well. It is bad on problems the policy never or always solves, and
hot samples err in ways that the policy itself would not.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from schemas.blocks import search
from schemas.exchange import Reply, Request, Search, Verdicts
from tasks.searches._ask import EVIDENCE, Policy, ended_by
from tasks.searches._judge import tally
from tasks.searches._paths import solutions
from tasks.searches._rows import grown
from tasks.searches._tree import Node, Rules, Tree
from tasks.texts.pieces import Kind, Pieces


@dataclass(slots=True)
class _Walk:
    """One continuation on its way."""

    start: Node
    node: Node
    steps: int = 0
    temperature: float = 1.0


def schedule(start: float, slope: float, top: float, steps: int) -> list[float]:
    """Returns the temperatures of successive steps.

    >>> schedule(1.1, 0.1, 1.4, 5)
    [1.1, 1.2, 1.3, 1.4, 1.4]
    """
    return [round(min(start + slope * i, top), 6) for i in range(steps)]


@search
def controlled(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    verifier: str | dict[str, Any] = "math",
    n: int = 4,
    most_right: int = 1,
    starts: int = 3,
    rounds: int = 2,
    start: float = 1.1,
    slope: float = 0.1,
    top: float = 1.4,
    max_steps: int = 64,
    delimiter: Kind = "newline",
    mark: str = "",
    keep_answers: bool = True,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    step_tokens: int = 512,
    seed: int = 0,
    system: str | None = None,
) -> Search:
    """Returns the tree of ``n`` solutions, and of continuations of right ones that end wrong (origin ``controlled``).

    Args:
        verifier: the judge of whole answers. most_right: continue so many distinct right solutions.
        starts: from at most so many of a solution's steps, evenly spread; never from its very beginning.
        rounds: tries a start until one ends wrong. start, slope, top: the temperature's first value, rise and limit.
    """
    tree, pieces = Tree(Rules(backup="none")), Pieces(delimiter, mark)
    if not pieces.stop:
        raise ValueError(f"delimiter is {delimiter!r}; the temperature can only rise where a stop string ends a step")
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens, step_tokens=step_tokens,
        seed=seed, system=system, keep=keep_answers,
    )  # fmt: skip
    found = yield from solutions(tree, asked, pieces, verdicts, n)
    right = list({one.text: one for one in found if one.right}.values())[:most_right]
    left = {node.number: node for one in right for node in _spread(one.path[:-1], starts)}
    heats = schedule(start, slope, top, max_steps)
    for again in range(rounds):
        if not left:
            break
        wrong = yield from _round(tree, asked, pieces, verdicts, list(left.values()), heats, again)
        left = {number: node for number, node in left.items() if number not in wrong}
    return grown(tree, asked, {"search": "controlled", "delimiter": delimiter, "temperatures": heats[:8]}, {})


def _spread(nodes: list[Node], count: int) -> list[Node]:
    if len(nodes) <= count:
        return nodes
    return [nodes[(2 * i + 1) * len(nodes) // (2 * count)] for i in range(count)]


def _round(
    tree: Tree, policy: Policy, pieces: Pieces, verdicts: Verdicts, starts: list[Node], heats: list[float], again: int
) -> Generator[list[Request], list[Reply], set[int]]:
    """Continues every start once, a step at a time, and returns the numbers of those that ended wrong."""
    walks, ended = [_Walk(node, node) for node in starts], list[_Walk]()
    while walks:
        requests = [policy.step(w.node.prefix, 1, again, pieces.stop, temperature=heats[w.steps]) for w in walks]
        replies = yield requests
        going = []
        for walk, request, reply in zip(walks, requests, replies, strict=True):
            node = _stepped(tree, policy, pieces, walk, request, reply)
            if node is None:
                continue
            walk.node, walk.steps = node, walk.steps + 1
            if node.terminal:
                ended.append(walk)
            elif walk.steps < len(heats):
                going.append(walk)
        walks = going
    scores = yield from verdicts("verifier", [walk.node.prefix for walk in ended], [False] * len(ended))
    wrong = set()
    for walk, score in zip(ended, scores, strict=True):
        if score is not None:
            walk.node.reward = score
            tally(walk.node, score)
            if score < 0.5:
                wrong.add(walk.start.number)
    return wrong


def _stepped(tree: Tree, policy: Policy, pieces: Pieces, walk: _Walk, request: Request, reply: Reply) -> Node | None:
    """Returns the node of the next step; null where none came, or only a part of one."""
    if not reply.choices or reply.choices[0].outcome not in EVIDENCE or reply.choices[0].outcome == "truncated":
        return None
    choice = reply.choices[0]
    stopped = ended_by(choice, request.stop)
    if not choice.text.strip():
        return None
    text = choice.text + (pieces.restored if stopped else "")
    ends = pieces.last(text) or not stopped
    node, _ = tree.add(walk.node, text, terminal=ends, origin="controlled")
    if ends:
        policy.met(request, reply, choice, walk.node.number, "controlled")
    return node
