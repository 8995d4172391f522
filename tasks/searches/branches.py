"""Branches from random cuts of a solution: several ways on from the same beginnings.

Source: TPO (arXiv:2410.12854, section 3.1: three random cuts of the right solution); tree-structured responses: Reward
Generalization in RLHF (arXiv:2402.10184, section 4.2).

Use it for whole answers that share a beginning, cheaper than a full search. It is bad at finding where an error lies:
the cuts are drawn blindly.
"""

from __future__ import annotations

from typing import Any

from schemas.blocks import search
from schemas.exchange import Search, Verdicts
from schemas.ids import coin, key_of
from tasks.searches._ask import Policy
from tasks.searches._paths import continued, solutions
from tasks.searches._rows import grown
from tasks.searches._tree import Rules, Tree
from tasks.texts.pieces import Kind, Pieces


@search
def branches(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    verifier: str | dict[str, Any] = "math",
    n: int = 4,
    cuts: int = 3,
    per_cut: int = 1,
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
    """Returns the tree of ``n`` solutions and of the branches from ``cuts`` places of the first right one.

    Without a right one the first solution is branched from. Cuts are drawn by the seed and the prompt's id.

    Args:
        verifier: the judge of whole answers. per_cut: branches a cut.
    """
    tree, pieces = Tree(Rules(backup="none")), Pieces(delimiter, mark, chunk)
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, system=system,
        keep=keep_answers, logprobs=pieces.kind == "tokens",
    )  # fmt: skip
    found = yield from solutions(tree, asked, pieces, verdicts, n)
    trunk = next((one for one in found if one.right), found[0] if found else None)
    if trunk is not None:
        places = [node for node in trunk.path if not node.terminal]
        places.sort(key=lambda node: coin(seed, "cut", key_of(prompt), node.prefix))
        chosen = sorted(places[:cuts], key=lambda node: node.prefix)
        requests = [(node, asked.whole(node.prefix, per_cut, node.sampled)) for node in chosen]
        if requests:
            yield from continued(tree, asked, pieces, verdicts, requests, origin="branch")
    return grown(tree, asked, {"search": "branches", "delimiter": delimiter}, {})
