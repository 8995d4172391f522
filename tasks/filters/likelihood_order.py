"""Pairs made under opposite conditions whose own likelihoods do not bear that out.

Source: SSO (arXiv:2410.17131, section 3.2 and its data scripts: p > o > n for the chosen and n > o > p for the
rejected, near-policy texts, and gaps above their mean).

Use it on pairs made under opposite conditions, with likelihoods under each. It is bad at keeping rows: the tests
against means take most of them out.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import row_filter
from schemas.notes import note


@row_filter(scope="dataset")
def likelihood_order(
    preferences: pl.DataFrame,
    *,
    order: tuple[str, str, str] = ("good", "none", "bad"),
    near_policy: bool = True,
    wide: bool = True,
) -> pl.DataFrame:
    """Returns the removals of pairs that fail a test of their mean log-probabilities under three conditions, in order.

    The chosen must be likelier under the first condition than under the second, and under the second than under the
    third; the rejected the other way round. Of those left, both must be at least as likely under the second condition
    as their mean; and of those, both gaps between first and third must be above their mean. Means of one pair alone
    take nothing out. A pair whose likelihoods are not known goes.

    Args:
        preferences: ``meta`` has ``chosen_likelihood`` and ``rejected_likelihood``, condition -> value (see ``weight:
            likelihoods``).
        near_policy, wide: make the second and the third test.
    """
    first, second, third = order
    rows = preferences.select(
        "pair_id",
        *(note(f"{side}_likelihood.{name}", pl.Float64).alias(f"{side[0]}{k}")
          for side in ("chosen", "rejected") for k, name in zip("pon", (first, second, third), strict=True)),
    )  # fmt: skip
    names = rows.columns[1:]
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
    ordered = (
        (pl.col("cp") > pl.col("co")) & (pl.col("co") > pl.col("cn"))
        & (pl.col("rn") > pl.col("ro")) & (pl.col("ro") > pl.col("rp"))
    )  # fmt: skip
    gaps = (pl.col("cp") - pl.col("cn"), pl.col("rn") - pl.col("rp"))
    tests = [("likelihoods are not known", known), ("likelihoods are out of order", ordered)]
    if near_policy:
        near = [pl.col(name) >= pl.col(name).mean() for name in ("co", "ro")]
        tests.append(("far from the policy", pl.all_horizontal(near)))
    if wide:
        tests.append(("gap of likelihoods is small", pl.all_horizontal(gap > gap.mean() + 1e-12 for gap in gaps)))
    found = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for reason, passed in tests:
        alone = rows.height == 1 and reason not in (tests[0][0], tests[1][0])
        marked = rows.with_columns(_passed=pl.lit(True) if alone else passed)
        out = marked.filter(~pl.col("_passed")).select(row_id="pair_id", reason=pl.lit(reason))
        found.append(out.with_columns(value=pl.lit(None, pl.String)))
        rows = marked.filter("_passed").drop("_passed")
    return pl.concat(found).sort("row_id")
