"""The measures of a dataset: how good, how varied and how much on policy what it holds is; one row a measure.

Source: TQ and SACo of Schweighofer et al. 2022, arXiv:2111.04714, for texts (a state is a prompt, an action an answer
up to near-duplicates); Vendi score of Friedman and Dieng 2022, arXiv:2210.02410; distinct-n of Li et al. 2016,
arXiv:1510.03055; best-of-n KL of Stiennon et al. 2020, arXiv:2009.01325, appendix G.3 (log n - (n - 1)/n); estimators
of KL of Schulman 2020; length and KL of a dataset as in arXiv:2407.15229; STARC of Skalse et al. 2023,
arXiv:2309.15257, over answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from tasks.reports._varied import distinct_n, support, vendi

MEASURES = {"measure": pl.String, "of": pl.String, "value": pl.Float64, "n": pl.Int64}
PROMPTS = 2_000
"""Prompts at most that are looked at: those with the lowest ids, which are hashes, so any sample is a fair one."""
TEXTS = 500
"""Texts at most that are looked at, of the prompts with the lowest ids: more would cost a run seconds at its end."""
PAIRWISE = 250
"""Texts at most that are held against each other."""
_SAID = pl.element().struct.field("content").fill_null("")
Found = tuple[str, str, float | None, int]


def measures(
    pairs: pl.LazyFrame, completions: pl.LazyFrame | None = None, scores: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """Returns measure, of, value and n (rows it is over); what cannot be measured is left out.

    Args:
        pairs: the preferences. scores: of the completions that these pairs were selected among.
        completions: those that were scored; others are left aside where there are scores.
    """
    pairs, completions, scores = _sampled(pairs, completions, scores)
    lean = pairs.select(name for name in _READ if name in pairs.collect_schema().names()).collect(engine="streaming")
    rows = [*_of_pairs(lean), *_of_texts(pairs, None)] if completions is None else [*_of_pairs(lean)]
    if completions is not None:
        held = scores.collect(engine="streaming") if scores is not None else None
        ids = held["completion_id"].unique().implode() if held is not None and held.height else None
        own = completions if ids is None else completions.filter(pl.col("completion_id").is_in(ids))
        names = [name for name in _OWN if name in own.collect_schema().names()]
        facts = own.select(names).collect(engine="streaming")
        rows += [*_of_completions(facts, lean), *_of_texts(pairs, own)]
        if held is not None and held.height:
            rows += [*_quality(lean, held, facts), *_agreement(held, facts)]
    kept = [row for row in rows if row[2] is not None and np.isfinite(row[2])]
    return pl.DataFrame(kept, schema=MEASURES, orient="row")


def _sampled(
    pairs: pl.LazyFrame, completions: pl.LazyFrame | None, scores: pl.LazyFrame | None
) -> tuple[pl.LazyFrame, pl.LazyFrame | None, pl.LazyFrame | None]:
    """Returns the rows of a sample of the prompts, so that a large dataset takes no more memory than a small one."""
    asked = pairs.select("prompt_id").unique().sort("prompt_id").head(PROMPTS + 1).collect(engine="streaming")
    if asked.height <= PROMPTS:
        return pairs, completions, scores
    here = pl.col("prompt_id") <= asked["prompt_id"][PROMPTS - 1]
    return (
        pairs.filter(here), completions if completions is None else completions.filter(here),
        scores if scores is None else scores.filter(here),
    )  # fmt: skip


_READ = (
    "prompt_id", "chosen_id", "rejected_id", "margin", "p_chosen", "strength", "chosen_policy", "rejected_policy",
    "chosen_logprob", "rejected_logprob", "chosen_reference_logprob", "rejected_reference_logprob", "chosen_tokens",
    "rejected_tokens", "chosen_score", "rejected_score",
)  # fmt: skip
_OWN = (
    "completion_id", "prompt_id", "policy", "content_id", "completion_tokens", "logprob", "on_policy_age", "label",
)  # fmt: skip


def _of_pairs(pairs: pl.DataFrame) -> Iterator[Found]:
    for name in ("margin", "strength"):
        if name in pairs.columns and (there := pairs[name].drop_nulls().drop_nans()).len():
            yield "mean", name, _number(there.mean()), there.len()
            yield "deviation", name, _number(there.std(ddof=0)), there.len()
    if "p_chosen" in pairs.columns:
        p = pairs["p_chosen"].drop_nulls().to_numpy()
        if len(p):
            yield "label_entropy", "bits", float(np.mean(binary_entropy(p))), len(p)
    both = [f"{side}_{kind}" for side in ("chosen", "rejected") for kind in ("logprob", "reference_logprob")]
    if set(both) <= set(pairs.columns):
        parts = [pairs.select(a=f"{side}_logprob", b=f"{side}_reference_logprob") for side in ("chosen", "rejected")]
        gap = pl.concat(parts).drop_nulls().select(pl.col("a") - pl.col("b")).to_series().to_numpy()
        if len(gap):
            yield "kl_k1", "to the reference", float(gap.mean()), len(gap)
            yield "kl_k3", "to the reference", float(k3(gap)), len(gap)
    if {"chosen_tokens", "chosen_score", "rejected_tokens", "rejected_score"} <= set(pairs.columns):
        parts = [pairs.select(a=f"{side}_tokens", b=f"{side}_score") for side in ("chosen", "rejected")]
        sides = pl.concat([part.cast(pl.Float64) for part in parts]).drop_nulls().drop_nans()
        yield "correlation", "tokens ~ score", _number(sides.select(pl.corr("a", "b")).item()), sides.height


def binary_entropy(p: Any) -> Any:
    """Returns the entropy in bits of a coin that falls with probability p."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))


def k3(gap: Any) -> Any:
    """Returns Schulman's estimator of KL from log-probability differences: never below 0."""
    return np.mean(np.exp(-gap) - 1 + gap)


def best_of_n_kl(n: Any) -> Any:
    """Returns how far, at most, the best of n samples is from one, in nats: log n - (n - 1)/n."""
    return np.log(n) - (n - 1) / n


def _of_completions(own: pl.DataFrame, pairs: pl.DataFrame) -> Iterator[Found]:
    sizes = own.group_by("prompt_id").len()["len"].to_numpy()
    if len(sizes):
        yield "best_of_n_kl", "nats", float(best_of_n_kl(sizes).mean()), len(sizes)
    tokens = own.select("logprob", "completion_tokens").drop_nulls().filter(pl.col("completion_tokens") > 0)
    if tokens.height:
        total = -_number(tokens["logprob"].sum()) / _number(tokens["completion_tokens"].sum())
        yield "token_entropy", "nats", total, tokens.height
    sides = pl.concat([pairs.select(completion_id=f"{side}_id") for side in ("chosen", "rejected")])
    met = sides.join(own.unique("completion_id"), on="completion_id")
    if "policy" in own.columns and met.height:
        main = own["policy"].value_counts().sort("count", "policy", descending=[True, False])["policy"][0]
        yield "on_policy_share", str(main), float((met["policy"] == main).mean() or 0.0), met.height
    ages = met["on_policy_age"].drop_nulls() if "on_policy_age" in own.columns else pl.Series([])
    if ages.len():
        yield "on_policy_age", "mean", _number(ages.mean()), ages.len()
        yield "on_policy_age", "highest", _number(ages.max()), ages.len()


def _of_texts(pairs: pl.LazyFrame, own: pl.LazyFrame | None) -> Iterator[Found]:
    """Yields what is measured on a sample of prompts, with all that was said to them."""
    first = _first(pairs)
    said = pl.col("chosen").list.eval(_SAID).list.join("\n\n")
    sample = pairs.filter(first).select("prompt_id", "pair_id", text=said)
    chosen = sample.collect(engine="streaming").sort("prompt_id", "pair_id").head(TEXTS)["text"]
    if not chosen.len():
        return
    for n in (1, 2, 3):
        yield f"distinct_{n}", "chosen", distinct_n(chosen, n), chosen.len()
    few = chosen.head(PAIRWISE)
    yield "vendi", "chosen", vendi(few), few.len()
    if own is None:
        return
    said = pl.col("messages").list.eval(_SAID).list.join("\n\n")
    asked = own.filter(_first(own)).select("prompt_id", "completion_id", text=said)
    rows = asked.collect(engine="streaming").sort("prompt_id", "completion_id")
    used = pl.concat([pairs.select(completion_id=f"{side}_id") for side in ("chosen", "rejected")])
    kept = used.filter(pl.col("completion_id").is_in(rows["completion_id"].implode())).collect(engine="streaming")
    yield from support(rows.with_columns(kept=pl.col("completion_id").is_in(kept["completion_id"].implode())))


def _first(rows: pl.LazyFrame) -> pl.Expr:
    """Returns which rows are of the prompts with the lowest ids, as many as hold ``TEXTS`` rows, and at least one."""
    sizes = rows.group_by("prompt_id").len().collect(engine="streaming").sort("prompt_id")
    fit = max(1, int((sizes["len"].cum_sum() <= TEXTS).sum()))
    return pl.col("prompt_id").is_in(sizes["prompt_id"].head(fit).implode())


def _quality(pairs: pl.DataFrame, scores: pl.DataFrame, own: pl.DataFrame) -> Iterator[Found]:
    """Yields TQ of the chosen by each criterion, between a random sample and the best, and between two policies."""
    here = scores.join(pairs.select("prompt_id").unique(), on="prompt_id", how="semi")
    picked = pairs.select(completion_id="chosen_id").unique()
    for (name,), part in here.group_by("criterion", maintain_order=True):
        each = part.group_by("prompt_id", "completion_id").agg(pl.col("score").mean())
        data = each.join(picked, on="completion_id", how="semi")["score"]
        ends = each.group_by("prompt_id").agg(low=pl.col("score").mean(), high=pl.col("score").max())
        if data.len():
            found = quality(_number(data.mean()), _number(ends["low"].mean()), _number(ends["high"].mean()))
            yield "tq", f"{name}: from a random sample to the best", found, data.len()
        by = each.join(own.select("completion_id", "policy"), on="completion_id").group_by("policy")
        means = by.agg(pl.col("score").mean()).sort("score", "policy")
        if means.height > 1 and data.len():
            weak, strong = means.row(0), means.row(-1)
            said = f"{name}: from {weak[0]} to {strong[0]}"
            yield "tq", said, quality(_number(data.mean()), weak[1], strong[1]), data.len()


def quality(data: float, low: float, high: float) -> float | None:
    """Returns where ``data`` lies between the two: 0 at the low one, 1 at the high one; null where they are equal."""
    return None if high == low else (data - low) / (high - low)


def _agreement(scores: pl.DataFrame, own: pl.DataFrame) -> Iterator[Found]:
    """Yields correlation and distance of every two criteria, labels that came with the data among them."""
    wide = scores.group_by("prompt_id", "completion_id", "criterion").agg(pl.col("score").mean())
    if "label" in own.columns and own["label"].drop_nulls().len():
        gold = own.drop_nulls("label").select(
            "prompt_id", "completion_id", criterion=pl.lit("label"), score=pl.col("label").cast(pl.Float64)
        )
        wide = pl.concat([wide, gold])
    names = wide["criterion"].unique().sort().to_list()
    for one, other in combinations(names[:8], 2):
        both = wide.filter(pl.col("criterion") == one).join(
            wide.filter(pl.col("criterion") == other), on="completion_id"
        )
        if both.height > 2:
            found = both.select(pl.corr("score", "score_right", method="spearman")).item()
            yield "spearman", f"{one} ~ {other}", _number(found), both.height
            yield "starc", f"{one} ~ {other}", starc(both, "score", "score_right"), both.height


def starc(scored: pl.DataFrame, one: str, other: str) -> float:
    """Returns the distance of two reward functions on the same answers: 0 the same but for scale, 1 opposed.

    Rewards less their prompt's mean, over their length; half the distance of the two. A constant one stays zero.
    """
    sides = []
    for name in (one, other):
        flat = scored.select(pl.col(name) - pl.col(name).mean().over("prompt_id")).to_series().to_numpy()
        size = float(np.linalg.norm(flat))
        sides.append(flat / size if size > 1e-12 else np.zeros(len(flat)))
    return float(np.linalg.norm(sides[0] - sides[1]) / 2)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
