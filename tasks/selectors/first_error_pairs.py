"""The first wrong step of a wrong solution against the step that mends it.

Source: Step-DPO (arXiv:2406.18629, section 3.2: chosen is the first step of the policy's own right continuation from
before the error); OmegaPRM (arXiv:2406.06592, section 3.4).

Use it after a search for first errors, to correct single steps. It is bad where the mending step differs from the wrong
one in more than the error.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from tasks.selectors._posterior import doubt
from tasks.selectors._trees import Step, marked_right, pair, preferences, same, trees


@selector
def first_error_pairs(
    nodes: pl.DataFrame,
    *,
    min_rollouts: int = 1,
    min_share: float = 0.0,
    max_share: float = 1.0,
    max_doubt: float = 1.0,
    origins: tuple[str, ...] = (),
    per_error: int | None = None,
    marked: bool = False,
) -> pl.DataFrame:
    """Returns pairs whose rejected step is a first error and whose chosen one begins a right end after the same steps.

    ``criterion`` is ``share``: of right ends among the judged continuations. A chosen step has more of them.

    Args:
        min_rollouts: judged continuations of the chosen step. min_share: least share of them that end right.
        max_share: most of the rejected step's continuations that end right: errors the policy often recovers from are
            left out.
        max_doubt: that the chosen step, or one before it, is worse than what stands beside or before it (posterior of
            the counts): errors that the policy papers over lie there.
        origins: who wrote the chosen step (``mend``: the rectifying continuations); all where none is named.
        per_error: at most so many chosen steps an error, those with the most right ends.
        marked: instead of all these limits, the chosen step is one that people's marks call right, as the rejected one
            is one they call wrong; wherever it ended.
    """
    rows = []
    for tree in trees(nodes):
        right = marked_right(tree) if marked else set()
        for error in tree.steps:
            if not error.meta.get("first_error") or error.parent is None:
                continue
            if marked:
                found = [step for step in error.parent.children if step in right and not same(step.text, error.text)]
            elif (error.share or 0.0) > max_share:
                continue
            else:
                found = [
                    step for step in error.parent.children
                    if _mends(step, error, min_rollouts, min_share) and (not origins or _origin(step) in origins)
                    and (max_doubt >= 1 or doubt(step) <= max_doubt)
                ]  # fmt: skip
            found.sort(key=lambda step: (-step.successes, step.order))
            meta = {"step_index": error.depth - 1, "n_rectify_ok": error.parent.successes,
                    "n_rectify_total": error.parent.rollouts}  # fmt: skip
            rows += [pair(step, error, "share", meta=meta) for step in found[:per_error]]
    return preferences(rows)


def _mends(step: Step, error: Step, min_rollouts: int, min_share: float) -> bool:
    share = step.share
    return (
        not step.meta.get("first_error") and share is not None and share >= min_share and share > (error.share or 0.0)
        and step.rollouts >= min_rollouts and not same(step.text, error.text)
    )  # fmt: skip


def _origin(step: Step) -> str:
    return str(step.meta.get("origin", "policy"))
