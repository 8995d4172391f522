"""Pairs with a column of numbers for every token: what token-level trainers read.

Source: TDPO (arXiv:2404.11999); TGDPO (arXiv:2506.14574); RTO (arXiv:2404.18922); From r to Q* (arXiv:2404.12358);
GenARM (arXiv:2410.08193: pairs for a reward model of tokens).

Use it for losses that weigh or reward single tokens. It is bad where the sampler kept no log-probabilities, and its
rows are large.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

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
    b2: float = 0.01,
    bound: float = 0.05,
    split: str = r"\n",
    criterion: str | None = None,
    min_margin: float = 0.0,
) -> pl.DataFrame:
    """Returns the best against the worst answer of a prompt, with token columns of both in ``meta``.

    Always: ``tokens``, ``sample_logps``, ``loss_mask``, ``step_token_ends``, each with a suffix for its side. Where the
    sampler was told a ``reference_model`` or a tuned ``model`` also ``reference_logps``, ``tuned_logps`` and what
    ``columns`` names, made of tuned less reference; who is not named is the policy that sampled.
    An answer without token log-probabilities, or without those of a model it needs, makes no pair.

    Args:
        columns: ``credit`` (beta * log-ratio, and the step where it is lowest), ``rewards`` (RTO's, within ``bound``,
            less b2 * (sample - reference)), ``weights`` (TGDPO's, and their mean).
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
            sides.append(_side(row, name == "chosen", reward, columns, Knobs(beta, alpha, b1, b2, bound), split))
        found = {f"{key}_{side}": value for side, part in zip(("chosen", "rejected"), sides, strict=True)
                 for key, value in (part or {}).items()}  # fmt: skip
        metas.append(orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if all(sides) else None)
    made = made.with_columns(pl.Series("meta", metas, dtype=pl.String), level=pl.lit("token"))
    return made.filter(pl.col("meta").is_not_null())


class Knobs(NamedTuple):
    """The numbers that token columns are made with."""

    beta: float
    alpha: float
    b1: float
    b2: float
    bound: float


def _side(
    row: dict[str, Any], chosen: bool, reward: float, columns: str, knobs: Knobs, split: str
) -> dict[str, Any] | None:
    logps, text = row["token_logprobs"], text_of(row["messages"])
    if row.get("prefix"):
        text = text[len(row["prefix"]) :]
    ends = [found.end() for found in re.finditer(split, text) if found.end() < len(text)] + [len(text)]
    steps = token_ends(row["tokens"], ends)
    found: dict[str, Any] = {
        "tokens": row["tokens"], "sample_logps": logps, "loss_mask": [1] * len(logps), "step_token_ends": steps,
    }  # fmt: skip
    notes = orjson.loads(row["meta"]) if row.get("meta") else {}
    asked = set(orjson.loads(row["sampling"] or "{}")) & {"reference", "tuned"} if row.get("sampling") else set()
    told: dict[str, list[float]] = {
        name: notes[key] for name in ("reference", "tuned") if (key := f"{name}_token_logprobs") in notes
    }
    if any(len(numbers) != len(logps) for numbers in told.values()):
        return None
    found |= {f"{name}_logps": numbers for name, numbers in told.items()}
    if columns == "plain":
        return found
    if not told or asked - set(told):
        return None
    reference = told.get("reference", logps)
    ratio = _tokens.ratios(told.get("tuned", logps), reference)
    return found | _made(columns, ratio, _tokens.ratios(logps, reference), chosen, reward, knobs, steps)


def _made(
    columns: str, ratio: list[float], kl: list[float], chosen: bool, reward: float, knobs: Knobs, steps: list[int]
) -> dict[str, Any]:
    if columns == "credit":
        credit = _tokens.credits(ratio, knobs.beta)
        sums, means = _tokens.by_step(credit, steps)
        return {"credit": credit, "step_credit": sums, "step_credit_mean": means,
                "lowest_step": _tokens.lowest_step(credit, steps)}  # fmt: skip
    if columns == "rewards":
        return {"token_rewards": _tokens.rto_rewards(ratio, kl, reward, b1=knobs.b1, b2=knobs.b2, bound=knobs.bound)}
    weights = _tokens.guided_weights(ratio, chosen=chosen, alpha=knobs.alpha, beta=knobs.beta)
    return {"token_weights": weights, "mean_weight": sum(weights) / len(weights)}
