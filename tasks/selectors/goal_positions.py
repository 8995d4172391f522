"""Pairs with drawn positions: where a reward model is to compare a state with a later goal.

Source: Learning Goal-Conditioned Representations for Language Reward Models (arXiv:2407.13887, section 3.2: sixteen
source and goal positions in the preferred text, sixteen in the other).

Use it for contrastive losses on the states of a reward model. It is bad for trainers that re-tokenise: the positions
count this tokenizer's tokens.
"""

from __future__ import annotations

import orjson
import polars as pl

from schemas.blocks import selector
from schemas.ids import coin
from tasks.selectors._candidates import candidates, pairs


@selector
def goal_positions(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    draws: int = 16,
    seed: int = 0,
    criterion: str | None = None,
    min_margin: float = 0.0,
) -> pl.DataFrame:
    """Returns the best against the worst answer of a prompt; ``meta`` has the positions drawn, in tokens of the answer.

    ``sources`` and ``goals`` lie in the chosen answer, a goal after its source; ``positives`` there too, ``negatives``
    in the rejected one. An answer of fewer than two tokens makes no pair.

    Args:
        draws: positions of each kind. criterion: which scores count. min_margin: scores must lie further apart.
    """
    sizes = completions.filter(pl.col("completion_tokens") >= 2).select("completion_id", "completion_tokens")
    rows = candidates(completions, scores, criterion=criterion, truncated=False)
    rows = rows.join(sizes, on="completion_id", how="semi", maintain_order="left").drop("row").with_row_index("row")
    ends = (
        rows.group_by("group", maintain_order=True)
        .agg(
            best=pl.col("row").get(pl.col("score").arg_max()), worst=pl.col("row").get(pl.col("score").arg_min()),
            margin=pl.col("score").max() - pl.col("score").min(),
        )
        .filter(pl.col("margin") > min_margin)
    )  # fmt: skip
    made = pairs(rows, ends["best"], ends["worst"])
    size = dict(sizes.iter_rows())
    metas = []
    for one, other in made.select("chosen_id", "rejected_id").iter_rows():
        found = [later(seed, size[one], one, draw) for draw in range(draws)]
        meta = {
            "sources": [a for a, _ in found], "goals": [b for _, b in found],
            "positives": [int(coin(seed, "positive", one, draw) * size[one]) for draw in range(draws)],
            "negatives": [int(coin(seed, "negative", other, draw) * size[other]) for draw in range(draws)],
        }  # fmt: skip
        metas.append(orjson.dumps(meta, option=orjson.OPT_SORT_KEYS).decode())
    return made.with_columns(pl.Series("meta", metas, dtype=pl.String))


def later(seed: int, size: int, *parts: object) -> tuple[int, int]:
    """Returns a position and a later one, every such pair as likely as another."""
    first = int(coin(seed, "source", *parts) * size)
    second = int(coin(seed, "goal", *parts) * (size - 1))
    second += second >= first
    return min(first, second), max(first, second)
