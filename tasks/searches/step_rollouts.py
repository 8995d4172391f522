"""Monte-Carlo labels of steps: whole solutions, and continuations from the end of each of their steps.

Source: Math-Shepherd (arXiv:2312.08935, section 3.2; 8 completions a step); DAPO (arXiv:2412.18279, section 3.1: values
of every step state for advantages).

Use it for the plainest unbiased step values. It is bad at price, rollouts times steps times solutions: ``first_error``
and ``omega`` need fewer.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import search
from schemas.exchange import Search, Verdicts
from tasks.searches._ask import Policy
from tasks.searches._paths import inner, probe, solutions
from tasks.searches._rows import grown
from tasks.searches._tree import Rules, Tree
from tasks.texts.pieces import Kind, Pieces


@search
def step_rollouts(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    verifier: str | dict[str, Any] = "math",
    n: int = 4,
    rollouts: int = 8,
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
    """Returns the tree of ``n`` solutions, each step that is no end with ``rollouts`` judged continuations.

    A node's value is the share of right ones; the root's is that of the solutions themselves. Equal steps after equal
    beginnings are one node and rolled out once. A continuation that was cut or could not be judged is not counted.

    Args:
        verifier: the judge of whole answers.
    """
    if n < 1 or rollouts < 1:
        raise ValueError(f"n is {n} and rollouts is {rollouts}; both must be at least 1")
    tree, pieces = Tree(Rules(backup="none")), Pieces(delimiter, mark, chunk)
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, system=system,
        keep=keep_answers, logprobs=pieces.kind == "tokens",
    )  # fmt: skip
    found = yield from solutions(tree, asked, pieces, verdicts, n, count=False)
    nodes = inner([solution.path for solution in found])
    if nodes:
        yield from probe(asked, verdicts, nodes, rollouts)
    return grown(tree, asked, {"search": "step_rollouts", "delimiter": delimiter}, {})
