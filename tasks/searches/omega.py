"""A tree of process labels: wrong rollouts are halved one after another, the most telling ones first.

Source: OmegaPRM (arXiv:2406.06592, sections 3.2-3.4: pool of states and rollouts, Q + U, binary search).

Use it for many step labels a rollout, on problems solved now and then. It is bad at soft values: it spends its rollouts
around first errors and leaves the rest thin.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from schemas.blocks import search
from schemas.exchange import Search, Verdicts
from tasks.searches import _formulas as f
from tasks.searches._ask import Policy
from tasks.searches._bisect import Probe
from tasks.searches._hunt import hunt
from tasks.searches._paths import Solution, continued
from tasks.searches._rows import grown
from tasks.searches._tree import Node, Rules, Tree
from tasks.texts.pieces import Kind, Pieces


class Wrong(NamedTuple):
    """A wrong rollout and the state it was rolled out from."""

    state: Node
    solution: Solution


@search
def omega(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    verifier: str | dict[str, Any] = "math",
    searches: int = 8,
    window: int = 2,
    rollouts: int = 8,
    rule: Literal["sequential", "count", "any"] = "any",
    least: int = 2,
    alpha: float = 0.5,
    beta: float = 0.9,
    longest: int = 500,
    c: float = 0.125,
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
    """Returns a tree whose probed beginnings carry Monte-Carlo counts; a problem always or never solved is left alone.

    Args:
        verifier: the judge of whole answers. searches: halvings a problem, ``window`` of them at a time.
        rollouts: of each state and probe. rule, least: when a probe counts as fine.
        alpha, beta, longest, c: Q = alpha ** (1 - MC) * beta ** (words / longest), U = c * sqrt(all) / (1 + own).
    """
    tree, pieces = Tree(Rules(backup="none")), Pieces(delimiter, mark, chunk)
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, system=system,
        keep=keep_answers, logprobs=pieces.kind == "tokens",
    )  # fmt: skip
    pool: list[Wrong] = []
    states, done = [tree.root], 0
    errors: dict[Node, dict[str, Any]] = {}
    while states and done < searches:
        requests = [(node, asked.whole(node.prefix, rollouts, node.sampled)) for node in states]
        found = yield from continued(tree, asked, pieces, verdicts, requests)
        pool += [Wrong(node, one) for node, one in found if one.wrong and len(one.path) > node.depth + 1]
        pool = [one for one in pool if 0 < one.state.successes < one.state.rollouts]
        picked = _pick(tree, pool, min(window, searches - done), alpha, beta, longest, c)
        if not picked:
            break
        done += len(picked)
        pool = [one for one in pool if one not in picked]
        before = {node.number for node in tree.nodes if node.sampled}
        first = yield from hunt(
            tree, asked, verdicts, [one.solution for one in picked], Probe(rule, rollouts, least),
            known=[one.state.depth - 1 for one in picked],
        )  # fmt: skip
        errors |= {node: {"first_error": True} for node in first if node is not None}
        states = [
            node for node in tree.nodes
            if node.sampled and node.number not in before and 0 < node.successes < node.rollouts and not node.terminal
        ] or [one.state for one in pool[:1]]  # fmt: skip
    return grown(tree, asked, {"search": "omega", "delimiter": delimiter, "rule": rule}, errors)


def _pick(
    tree: Tree, pool: list[Wrong], count: int, alpha: float, beta: float, longest: float, c: float
) -> list[Wrong]:
    """Returns the best rollouts of the pool, each choice counting as a visit of its state."""
    picked: list[Wrong] = []
    while pool and len(picked) < count:
        total = sum(node.visits for node in tree.nodes)

        def value(one: Wrong, total: int = total) -> float:
            rate = one.state.successes / one.state.rollouts
            words = len(one.solution.text.split())
            return f.pool(rate, words, alpha=alpha, beta=beta, longest=longest) + f.pool_bonus(
                total, one.state.visits, c
            )

        best = max((one for one in pool if one not in picked), key=value, default=None)
        if best is None:
            break
        best.state.visits += 1
        picked.append(best)
    return picked
