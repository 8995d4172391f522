"""Likelihoods: what both texts of a pair are worth to the policy under each condition it was sampled under.

Source: SSO (arXiv:2410.17131, section 3.2: mean log-probability of a text given good, no and bad principles).

Use it before a filter that looks at them. It is bad as a measure: it only copies what the sampler noted, and has
nothing where that noted nothing.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import weighter
from schemas.notes import noted


@weighter
def likelihoods(preferences: pl.DataFrame, completions: pl.DataFrame, *, conditions: list[str]) -> pl.DataFrame:
    """Returns the preferences with ``chosen_likelihood`` and ``rejected_likelihood`` in ``meta``, condition -> value.

    Args:
        completions: with the ``likelihood`` that ``sample: conditioned`` notes when it is asked to.
        conditions: whose values are taken over; null where one is not known.

    Raises:
        ValueError: no condition is named.
    """
    if not conditions:
        raise ValueError("conditions are empty; name those of the sampler")
    values = pl.struct(
        pl.col("meta").cast(pl.String).str.json_path_match(f"$.likelihood.{name}").cast(pl.Float64).alias(name)
        for name in conditions
    )
    told = completions.select("completion_id", told=values)
    rows = preferences
    for side in ("chosen", "rejected"):
        own = told.rename({"completion_id": f"{side}_id", "told": f"_{side}"})
        rows = rows.join(own, on=f"{side}_id", how="left", maintain_order="left")
    made = noted(rows, chosen_likelihood=pl.col("_chosen"), rejected_likelihood=pl.col("_rejected"))
    return made.drop("_chosen", "_rejected")
