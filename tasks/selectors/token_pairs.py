"""Pairs with a column of numbers for every token: what token-level trainers read.

Source: TDPO (arXiv:2404.11999); TGDPO (arXiv:2506.14574); RTO (arXiv:2404.18922); From r to Q* (arXiv:2404.12358);
GenARM (arXiv:2410.08193: pairs for a reward model of tokens).
"""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson
import polars as pl

from schemas.blocks import selector
from schemas.messages import text_of
from tasks.selectors import _tokens
from tasks.selectors._candidates import candidates, pairs
from tasks.selectors.outcome_examples import token_ends


@selector
def token_pairs(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    columns: Literal["plain", "credit", "rewards", "weights"] = "plain",
    beta: float = 0.1,
    alpha: float = 0.5,
    b1: float = 0.05,
    bound: float = 0.05,
    split: str = r"\n",
    criterion: str | None = None,
    min_margin: float = 0.0,
) -> pl.DataFrame:
    """Returns the best against the worst answer of a prompt, with token columns of both in ``meta``.

    Always: ``tokens``, ``sample_logps``, ``loss_mask``, ``step_token_ends``, each with a suffix for its side. Where the
    completions' own meta has ``reference_token_logprobs`` (one a token) also ``reference_logps`` and what ``columns``
    names.
    An answer without token log-probabilities, or with another number of the reference's, makes no pair.

    Args:
        columns: ``credit`` (beta * log-ratio, and the step where it is lowest), ``rewards`` (RTO's, within ``bound``),
            ``weights`` (TGDPO's).
        split: pattern whose matches end a step. criterion: which scores count. min_margin: of the two scores.
    """
    rows = candidates(completions, scores, criterion=criterion, truncated=False)
    known = completions.filter(pl.col("token_logprobs").is_not_null(), pl.col("tokens").list.len() > 0)
    rows = rows.join(known.select("completion_id"), on="completion_id", how="semi", maintain_order="left")
    rows = rows.drop("row").with_row_index("row")
    ends = (
        rows.group_by("group", maintain_order=True)
        .agg(
            best=pl.col("row").get(pl.col("score").arg_max()), worst=pl.col("row").get(pl.col("score").arg_min()),
            margin=pl.col("score").max() - pl.col("score").min(),
        )
        .filter(pl.col("margin") > min_margin)
    )  # fmt: skip
    made = pairs(rows, ends["best"], ends["worst"])
    held = {row["completion_id"]: row for row in known.iter_rows(named=True)}
    metas = []
    for one, other, high, low in made.select("chosen_id", "rejected_id", "chosen_score", "rejected_score").iter_rows():
        sides = []
        for name, row, reward in (("chosen", held[one], high), ("rejected", held[other], low)):
            sides.append(_side(row, name == "chosen", reward, columns, (beta, alpha, b1, bound), split))
        found = {f"{key}_{side}": value for side, part in zip(("chosen", "rejected"), sides, strict=True)
                 for key, value in (part or {}).items()}  # fmt: skip
        metas.append(orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if all(sides) else None)
    made = made.with_columns(pl.Series("meta", metas, dtype=pl.String), level=pl.lit("token"))
    return made.filter(pl.col("meta").is_not_null())


def _side(
    row: dict[str, Any], chosen: bool, reward: float, columns: str, knobs: tuple[float, float, float, float], split: str
) -> dict[str, Any] | None:
    beta, alpha, b1, bound = knobs
    logps, text = row["token_logprobs"], text_of(row["messages"])
    if row.get("prefix"):
        text = text[len(row["prefix"]) :]
    ends = [found.end() for found in re.finditer(split, text) if found.end() < len(text)] + [len(text)]
    steps = token_ends(row["tokens"], ends)
    found: dict[str, Any] = {
        "tokens": row["tokens"], "sample_logps": logps, "loss_mask": [1] * len(logps), "step_token_ends": steps,
    }  # fmt: skip
    reference = (orjson.loads(row["meta"]) if row.get("meta") else {}).get("reference_token_logprobs")
    if reference is None:
        return found if columns == "plain" else None
    if len(reference) != len(logps):
        return None
    ratio = _tokens.ratios(logps, reference)
    found["reference_logps"] = reference
    if columns == "credit":
        credit = _tokens.credits(ratio, beta)
        found |= {"credit": credit, "step_credit": _tokens.by_step(credit, steps)[0],
                  "lowest_step": _tokens.lowest_step(credit, steps)}  # fmt: skip
    elif columns == "rewards":
        found["token_rewards"] = _tokens.rto_rewards(ratio, [0.0] * len(ratio), reward, b1=b1, bound=bound)
    elif columns == "weights":
        found["token_weights"] = _tokens.guided_weights(ratio, chosen=chosen, alpha=alpha, beta=beta)
    return found
