"""Step rewards bounded so that a policy cannot gather them by saying more.

Source: On Designing Effective RL Reward at Training Time (arXiv:2410.15115, section 4: clipping r' = min(r - eta, 0)
and delta r' = r_k - r_{k+1}).

Use it for process rewards in policy-gradient training, which long answers would gather. It is bad at rewarding a step
that helps: clipping leaves only blame.
"""

from __future__ import annotations

from typing import Literal

import orjson
import polars as pl

from schemas.blocks import selector
from tasks.selectors._trees import frame, trees


@selector(makes="steps")
def shaped_rewards(
    nodes: pl.DataFrame,
    *,
    by: Literal["value", "share", "self_evaluation"] = "share",
    shape: Literal["raw", "clip", "delta", "clip_delta"] = "clip_delta",
    eta: float = 0.5,
) -> pl.DataFrame:
    """Returns one row a path to a judged end: steps, process rewards (``values``) and shaped ones (``labels``).

    ``advantages`` are null. A path one of whose steps has no process reward makes no row.

    Args:
        by: what the process reward is. eta: bound of the clipping, fixed for a run (a quantile of held-out steps).
    """
    rows = []
    for tree in trees(nodes):
        for end in tree.leaves():
            path = end.path()
            scores = [step.measured(by) for step in path]
            known = [score for score in scores if score is not None]
            if len(known) < len(path):
                continue
            meta = {"tree_id": end.tree_id, "node_ids": [step.node_id for step in path], "reward_kind": shape,
                    "eta": eta, "success": int((end.reward or 0.0) >= 0.5)}  # fmt: skip
            rows.append(
                {
                    "prompt_id": end.prompt_id, "completions": [step.text for step in path], "values": known,
                    "labels": shaped(known, shape, eta),
                    "meta": orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode(),
                }
            )  # fmt: skip
    return frame(rows, "steps").unique(["prompt_id", "completions"], keep="first", maintain_order=True)


def shaped(scores: list[float], shape: str, eta: float) -> list[float]:
    """Returns the shaped rewards of one trajectory.

    >>> [round(r, 6) for r in shaped([.9, .95, .8, .9], "delta", .85)]
    [-0.05, 0.15, -0.1, 0.9]
    """
    if shape in ("clip", "clip_delta"):
        scores = [min(score - eta, 0.0) for score in scores]
    if shape in ("delta", "clip_delta"):
        scores = [a - b for a, b in zip(scores, [*scores[1:], 0.0], strict=True)]
    return scores
