"""What becomes of answers: which step they begin with, whether their end is right, and what that adds to the tree.

Source: Monte-Carlo values from rollouts: Math-Shepherd (arXiv:2312.08935, equation 3-4); a failed or cut answer is no
evidence and never a zero.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from schemas.exchange import Choice, Reply, Request, Verdicts
from tasks.searches._ask import EVIDENCE, Policy, ended_by
from tasks.searches._tree import Node, Tree
from tasks.texts.pieces import Pieces

Asking = Generator[list[Request], list[Reply], list[float | None]]


class Answer(NamedTuple):
    """One sampled continuation: the node it continues, the child it begins with, and the last node made of it."""

    parent: Node
    child: Node | None
    last: Node | None
    text: str
    cut: bool
    fresh: bool


def read_whole(
    tree: Tree, policy: Policy, pieces: Pieces, node: Node, request: Request, reply: Reply, *, keep_path: bool
) -> list[Answer]:
    """Returns the answers of a request for whole continuations; their first steps become children.

    A continuation that was cut inside its first step makes no child. With ``keep_path`` every further step becomes a
    node too.
    """
    answers = []
    for choice in reply.choices:
        if choice.outcome not in EVIDENCE:
            node.failed += 1
            continue
        cut = choice.outcome == "truncated"
        text = policy.met(request, reply, choice, node.number)
        steps = pieces.cut(choice.text, [token.text for token in choice.tokens])
        if cut:
            steps = steps[:-1]
        if not steps:
            if not cut and node.parent is not None:
                node.terminal = node.closed = True  # nothing more was to be said
            answers.append(Answer(node, None, None, text, cut, False))
            continue
        ends = len(steps) == 1 and not cut
        size = _share(choice, len(steps[0]))
        child, fresh = tree.add(node, steps[0], logprob=size[0], tokens=size[1], terminal=ends)
        one = child
        if keep_path:
            for number, step in enumerate(steps[1:], start=2):
                one, _ = tree.add(one, step, terminal=number == len(steps) and not cut)
        answers.append(Answer(node, child, one, text, cut, fresh))
    node.failed += request.n - len(reply.choices)
    return answers


def _share(choice: Choice, length: int) -> tuple[float | None, int]:
    """Returns log-probability and tokens of the first ``length`` characters, where token probabilities are known."""
    total, tokens, seen = 0.0, 0, 0
    for token in choice.tokens:
        if seen >= length:
            break
        total, tokens, seen = total + token.logprob, tokens + 1, seen + len(token.text)
    return (total, tokens) if tokens else (None, 0)


def read_steps(tree: Tree, policy: Policy, pieces: Pieces, node: Node, request: Request, reply: Reply) -> list[Answer]:
    """Returns the answers of a request for single steps; each becomes a child, and an end where nothing follows."""
    answers = []
    for choice in reply.choices:
        if choice.outcome not in EVIDENCE:
            node.failed += 1
            continue
        stopped, cut = ended_by(choice, request.stop), choice.outcome == "truncated"
        step = choice.text + (pieces.restored if stopped else "")
        if not choice.text.strip():
            if not stopped and not cut and node.parent is not None:
                node.terminal = node.closed = True
            continue
        if cut and not pieces.chunked:
            node.failed += 1  # the step was not finished: it can be no node
            continue
        ends = pieces.last(step) or not (stopped or cut)
        child, fresh = tree.add(node, step, logprob=choice.logprob, tokens=choice.completion_tokens, terminal=ends)
        text = policy.met(request, reply, choice, node.number, "answer") if ends else child.prefix
        answers.append(Answer(node, child, child, text, False, fresh))
    node.failed += request.n - len(reply.choices)
    return answers


def outcome(score: float | None) -> int | None:
    """Returns 1 or 0 for a judged end, null for one that could not be judged."""
    return None if score is None else int(score >= 0.5)


def tally(node: Node, score: float | None) -> None:
    """Counts one judged continuation of a node; one that could not be judged counts as failed."""
    decided = outcome(score)
    if decided is None:
        node.failed += 1
        return
    node.rollouts += 1
    node.successes += decided


def rolled_out(policy: Policy, nodes: Sequence[Node], counts: Sequence[int], verdicts: Verdicts) -> Asking:
    """Rolls out ``counts`` continuations from each node to their ends, counts them, and returns the best of each."""
    requests = [policy.whole(node.prefix, n, node.sampled) for node, n in zip(nodes, counts, strict=True)]
    replies = yield requests
    texts, cuts, owners = [], [], []
    for place, (node, request, reply) in enumerate(zip(nodes, requests, replies, strict=True)):
        node.sampled += request.n
        node.failed += request.n - len(reply.choices)
        for choice in reply.choices:
            if choice.outcome not in EVIDENCE:
                node.failed += 1
                continue
            texts.append(policy.met(request, reply, choice, node.number))
            cuts.append(choice.outcome == "truncated")
            owners.append(place)
    scores = yield from verdicts("verifier", texts, cuts)
    best: list[float | None] = [None] * len(nodes)
    for place, score in zip(owners, scores, strict=True):
        tally(nodes[place], score)
        if score is not None:
            best[place] = score if best[place] is None else max(score, best[place] or 0.0)
    return best
