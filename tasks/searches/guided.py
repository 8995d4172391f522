"""Tree search in which a model values every step: a value model, a process reward model, or a judge.

Source: ReST-MCTS* (arXiv:2406.03816, section 3); AlphaMath (arXiv:2405.03553, section 3); SVPO (arXiv:2406.10858); CPL
(arXiv:2409.08642, section 3.1: plans).

Use it where a model can value steps, so that no rollouts are needed. It is bad where those values are wrong: the search
then looks for what fools them.
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
def guided(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    model: str,
    verifier: str | dict[str, Any] = "math",
    critic: str | dict[str, Any] | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
    delimiter: Kind = "step",
    mark: str = "",
    chunk: int = 128,
    rule: _tree.Select = "puct",
    c: float = 1.5,
    width: int = 1,
    children: int = 5,
    root_children: int | None = None,
    widen: float = 0.0,
    max_depth: int = 8,
    prior: Literal["share", "mean", "length", "uniform"] = "mean",
    rollouts: int = 0,
    lookahead: float = 0.0,
    backup: _tree.Backup = "mean",
    gamma: float = 1.0,
    mix: float = 0.5,
    scale: Literal["01", "pm1"] = "pm1",
    simulations: int = 40,
    window: int = 1,
    solved: int = 0,
    stable: int = 0,
    advance: bool = False,
    keep_answers: bool = True,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    step_tokens: int = 256,
    seed: int = 0,
    system: str | None = None,
) -> Search:
    """Returns one tree a prompt, grown step by step where the model's values and the verifier's ends lead.

    Args:
        policy: SPEC of the model that writes steps. model: SPEC of the model that values them; it is sent score
            requests, or the critic's questions where a critic is named.
        verifier: the judge of whole answers. critic: a judge of unfinished ones. value_range: of a value model.
        rollouts: also continue every new step to its end so often. lookahead: share of the best of these in its value.
    """
    pieces = Pieces(delimiter, mark, chunk)
    rules = _tree.Rules(rule, c, children, root_children, widen, max_depth, width, backup, gamma, mix, scale, window)
    by: _grow.Evaluate = "critic" if critic else "value"
    effort = _grow.Effort(
        simulations=simulations, expand="step", draws=children, rollouts=rollouts, value_model=model,
        evaluate=(by, "rollouts") if rollouts else (by,), value_range=value_range, prior=prior, lookahead=lookahead,
        solved=solved, stable=stable, advance=advance,
    )  # fmt: skip
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, max_tokens=max_tokens,
        step_tokens=chunk if delimiter == "tokens" else step_tokens, seed=seed, system=system, keep=keep_answers,
    )  # fmt: skip
    tree = _tree.Tree(rules)
    yield from _grow.Search(tree, asked, pieces, effort, verdicts).grow()
    return grown(tree, asked, {"search": "guided", "rule": rule, "backup": backup, "delimiter": delimiter}, {})
