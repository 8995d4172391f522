"""Monte-Carlo tree search over steps; with other rules also best-first, beam and breadth-first search.

Source: MCTS-DPO (arXiv:2405.00451, section 2.1); AlphaMath (arXiv:2405.03553, section 3); SVPO (arXiv:2406.10858,
section 3.1); tree-structured responses: Reward Generalization in RLHF (arXiv:2402.10184, section 4).

Use it for pairs and values of steps under a budget, on problems whose ends can be checked. It is bad at speed, one
round after the other, and with few simulations its values are noise.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.blocks import search
from schemas.exchange import Search, Verdicts
from tasks.searches import _grow, _tree
from tasks.searches._ask import Policy
from tasks.searches._rows import grown
from tasks.texts.pieces import Kind, Pieces


@search
def mcts(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    model: str | None = None,
    verifier: str | dict[str, Any] = "math",
    critic: str | dict[str, Any] | None = None,
    delimiter: Kind = "newline",
    mark: str = "",
    chunk: int = 128,
    rule: _tree.Select = "uct",
    c: float = 1.0,
    width: int = 1,
    expand: Literal["whole", "step"] = "whole",
    children: int = 4,
    root_children: int | None = None,
    widen: float = 0.0,
    max_depth: int = 16,
    dedup: Literal["exact", "normalized", "none"] = "exact",
    prior: Literal["share", "mean", "length", "uniform"] = "share",
    evaluate: tuple[Literal["rollouts", "self", "critic"], ...] = (),
    rollouts: int = 4,
    lookahead: float = 0.0,
    backup: _tree.Backup = "mean",
    gamma: float = 1.0,
    mix: float = 0.5,
    scale: Literal["01", "pm1"] = "01",
    simulations: int = 64,
    window: int = 1,
    solved: int = 0,
    stable: int = 0,
    advance: bool = False,
    keep_path: bool = False,
    keep_answers: bool = True,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    step_tokens: int = 256,
    seed: int = 0,
    system: str | None = None,
) -> Search:
    """Returns one tree a prompt, and the whole answers met while it grew.

    Args:
        policy: SPEC of the model that writes steps. model: of verifier and critic, where they ask one.
        verifier: the judge of whole answers, by name, or with its parameters and the ``range`` of its scores; half way
            up it and above counts as right. critic: a judge of unfinished answers, for ``evaluate: [critic]``.
        delimiter, mark, chunk: what a step is; ``mark`` replaces the word, tag or names, ``chunk`` is words or tokens.
        rule, c, width, children, root_children, widen, max_depth, dedup, backup, gamma, mix, scale, window: the
            rules of the tree.
        expand, prior, evaluate, rollouts, lookahead, simulations, solved, stable, advance, keep_path: how much is
            tried, and how it is valued.
        keep_answers: whole answers become completions, which other judges can judge again.
        max_tokens: of the rest of an answer. step_tokens: of one step, where steps are asked for.
    """
    if "critic" in evaluate and not critic:
        raise ValueError("evaluate names critic, and no judge is named as critic")
    pieces = Pieces(delimiter, mark, chunk)
    rules = _tree.Rules(
        rule, c, children, root_children, widen, max_depth, width, backup, gamma, mix, scale, window, dedup=dedup
    )
    walks = rule in ("puct", "uct", "damped", "schedule")
    effort = _grow.Effort(
        simulations=simulations, expand=expand, draws=1 if walks and expand == "whole" else children,
        evaluate=tuple(evaluate), rollouts=rollouts, prior=prior, lookahead=lookahead,
        solved=solved, stable=stable, advance=advance, keep_path=keep_path,
    )  # fmt: skip
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens,
        step_tokens=chunk if delimiter == "tokens" else step_tokens, seed=seed, system=system, keep=keep_answers,
        logprobs=delimiter == "tokens" or (expand == "whole" and prior in ("mean", "length")),
    )  # fmt: skip
    tree = _tree.Tree(rules)
    yield from _grow.Search(tree, asked, pieces, effort, verdicts).grow()
    return grown(tree, asked, {"search": "mcts", "rule": rule, "backup": backup, "delimiter": delimiter}, {})
