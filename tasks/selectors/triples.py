"""Three completions a prompt: a reference above a chosen above a rejected one.

Source: Triple Preference Optimization (arXiv:2405.16681, section 4: gold is the best of four, preferred the second,
rejected the worst); WRPO (arXiv:2412.03187, section 3.2: best of the source models, own best, own worst).

Use it for trainers that imitate a reference and prefer a chosen. It is bad with coarse scores: two equal best ones
leave the prompt out.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import selector
from schemas.notes import noted
from tasks.selectors._candidates import candidates


@selector(makes="rankings")
def triples(
    completions: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    own: str | None = None,
    source: str | None = None,
    criterion: str | None = None,
    truncated: bool = False,
) -> pl.DataFrame:
    """Returns at most one list of three a prompt: reference, chosen, rejected; ``meta`` names these roles.

    The three scores fall strictly: the best, the second (of equal ones the lowest id) and the worst; a prompt whose
    two best tie, or with fewer than three scores, makes none.

    Args:
        own: a policy: the reference is the best of all others, whatever its score, chosen and rejected are this
            policy's best and worst; those two must differ.
        source: a policy, the other way round: own are all others.
        criterion: which scores count, where there are several.
        truncated: completions cut by their length limit may be used.

    Raises:
        ValueError: both own and source, or it is unclear which scores count.
    """
    if own and source:
        raise ValueError(f"own is {own!r} and source {source!r}; one of them says what the other is")
    rows = candidates(completions, scores, criterion=criterion, truncated=truncated)
    rows = rows.join(completions.select("completion_id", "policy"), on="completion_id", maintain_order="left")
    rows = rows.sort("group", "score", "row", descending=[False, True, False])
    mine = pl.col("policy") == own if own else pl.col("policy") != (source or "")
    plain = not own and not source
    if plain:
        places = {"reference": pl.col("row").first(), "chosen": pl.col("row").get(1, null_on_oob=True)}
        low = pl.col("score") == pl.col("score").last()
        places["rejected"] = pl.col("row").filter(low).first()
    else:
        low = mine & (pl.col("score") == pl.col("score").filter(mine).last())
        places = {
            "reference": pl.col("row").filter(~mine).first(), "chosen": pl.col("row").filter(mine).first(),
            "rejected": pl.col("row").filter(low).first(),
        }  # fmt: skip
    found = rows.group_by("group", maintain_order=True).agg(**places).drop_nulls()
    by_row = rows.sort("row")
    score, ids = by_row["score"], by_row["completion_id"]
    scored = found.with_columns(**{f"{role}_score": score.gather(found[role]) for role in places})
    falls = pl.col("chosen_score") > pl.col("rejected_score")
    if plain:
        falls &= pl.col("reference_score") > pl.col("chosen_score")
    kept = scored.filter(falls)
    lists = pl.DataFrame({role: ids.gather(kept[role]) for role in places}).hstack(
        kept.select(f"{role}_score" for role in places)
    )
    lists = by_row[kept["chosen"]].select("prompt_id", "criterion").hstack(lists)
    lists = lists.with_columns(
        completion_ids=pl.concat_list(*places), rewards=pl.concat_list(f"{role}_score" for role in places)
    )
    lists = noted(lists, roles=pl.concat_list(pl.lit("reference"), pl.lit("chosen"), pl.lit("rejected")))
    return lists.select("prompt_id", "criterion", "completion_ids", "rewards", "meta")
