"""Finds the first wrong step of wrong solutions by rollouts and halving, and optionally has the policy mend it.

Source: OmegaPRM (arXiv:2406.06592, section 3.2); Step-DPO (arXiv:2406.18629, section 3.2: 20 continuations from the
steps before the error, the first step of a right one is chosen).

Use it for pairs of single steps and for labels of the first error: halving takes few rollouts. It is bad where a wrong
step can still lead to a right end: rollouts then blame a later one.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.blocks import search
from schemas.exchange import Search, Verdicts
from tasks.searches._ask import Policy
from tasks.searches._bisect import Probe
from tasks.searches._hunt import hunt
from tasks.searches._paths import Solution, continued, solutions
from tasks.searches._rows import grown
from tasks.searches._tree import Node, Rules, Tree
from tasks.texts.pieces import Kind, Pieces


@search
def first_error(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    verifier: str | dict[str, Any] = "math",
    n: int = 4,
    most_wrong: int = 4,
    rule: Literal["sequential", "count", "any"] = "sequential",
    rollouts: int = 32,
    lot: int = 4,
    least: int = 2,
    lost: float = 0.2,
    fine: float = 0.9,
    bound: float = 4.0,
    mend: int = 0,
    delimiter: Kind = "newline",
    mark: str = "",
    chunk: int = 128,
    keep_answers: bool = True,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    seed: int = 0,
    system: str | None = None,
) -> Search:
    """Returns the tree of ``n`` solutions; the first wrong step of each wrong one carries ``first_error`` in its meta.

    A problem none of whose solutions is right has no right beginning to go wrong from: nothing is hunted there.

    Args:
        verifier: the judge of whole answers. most_wrong: hunt in so many wrong solutions, the first ones.
        rule, rollouts, lot, least, lost, fine, bound: when a probed beginning is decided; see ``_bisect.Probe``.
        mend: continuations from just before each error; those that end right rectify it.
    """
    tree, pieces = Tree(Rules(backup="none")), Pieces(delimiter, mark, chunk)
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, system=system,
        keep=keep_answers, logprobs=pieces.kind == "tokens",
    )  # fmt: skip
    found = yield from solutions(tree, asked, pieces, verdicts, n)
    wrong = list({one.text: one for one in found if one.wrong and one.path}.values())[:most_wrong]
    notes: dict[Node, dict[str, Any]] = {}
    if wrong and any(one.right for one in found):
        test = Probe(rule, rollouts, least, lot, lost, fine, bound)
        errors = yield from hunt(tree, asked, verdicts, wrong, test)
        for node in errors:
            if node is not None:
                notes[node] = {"first_error": True}
        if mend:
            yield from _mend(tree, asked, pieces, verdicts, wrong, errors, mend)
    return grown(tree, asked, {"search": "first_error", "delimiter": delimiter, "rule": rule}, notes)


def _mend(
    tree: Tree, policy: Policy, pieces: Pieces, verdicts: Verdicts, wrong: list[Solution],
    errors: list[Node | None], mend: int,
) -> Any:  # fmt: skip
    starts = {node.parent.number: node.parent for node in errors if node is not None and node.parent is not None}
    requests = [
        (node, policy.whole(node.prefix, mend, node.sampled))
        for node in sorted(starts.values(), key=lambda node: node.prefix)
    ]
    if requests:
        yield from continued(tree, policy, pieces, verdicts, requests, origin="mend")
