"""What an audit keeps for those who pool judges: graded answers on every item, people's ties, what the items are like.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.4 (orders); Platt 1999 and Zadrozny and Elkan 2002 (a
classifier's own margins, calibrated on labelled cases).
"""

from __future__ import annotations

from math import log
from typing import Any

import polars as pl

from tasks.reports._frames import FAILED, PAIR, implied
from tasks.texts.likeness import NAMES, likeness

GRADED = "graded"
_LABELS = [*PAIR, "tie"]


def graded(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns the verdicts with ``graded``, for the first: margin, else 2 p - 1, else 1, 0 or -1; null if failed."""
    signed = pl.col("read").replace_strict(
        {"first": 1.0, "second": -1.0, "tie": 0.0}, default=None, return_dtype=pl.Float64
    )
    finer = {"margin": pl.col("margin").fill_nan(None), "probability": 2 * pl.col("probability") - 1}
    own = pl.coalesce(*(value for name, value in finer.items() if name in rows.columns), signed)
    return rows.with_columns(pl.when(signed.is_not_null()).then(own).alias(GRADED))


def unit(rows: pl.DataFrame) -> str:
    """Returns what the answers are measured in: ``margin``, ``probability`` or, where neither is kept, ``verdict``."""
    counted = rows.filter(pl.col("read") != FAILED)
    return next((name for name in ("margin", "probability") if counted[name].count()), "verdict")


def evidence(rows: pl.DataFrame, gold: pl.DataFrame) -> dict[str, Any]:
    """Returns columns of one entry an item with a label: what the judge said of the better one, and what it is like.

    ``truth`` is 1, or 1/2 where people tie; there the first stands for the better one. ``straight``: mean graded answer
    where the better one was shown first; ``turned``: where it was shown second; ``blind``: where the order is not
    known; ``implied``: what the judge's answers on other pairs of the prompt imply. ``longer``: log of the better one's
    length over the other's. ``like``: the numbers of ``likeness``, null where the texts are not at hand. ``unit`` holds
    for all.

    Args:
        rows: as ``judged`` returns them. gold: as ``plain`` returns it; it has the texts.
    """
    known = graded(rows).filter(pl.col("label").is_in(_LABELS)).drop_nulls(GRADED)
    first = pl.col("label") != "second"
    said = pl.when(first).then(pl.col(GRADED)).otherwise(-pl.col(GRADED))
    known = known.with_columns(said=said, mirrored=first == pl.col("swapped"))
    direct = known.group_by("item_id").agg(
        straight=pl.col("said").filter(~pl.col("mirrored")).mean(), turned=pl.col("said").filter("mirrored").mean(),
        blind=pl.col("said").filter(pl.col("mirrored").is_null()).mean(), label=pl.col("label").first(),
        prompt=pl.coalesce("prompt_id", "prompt", "item_id").first(), task=pl.col("task").first(),
    )  # fmt: skip
    others = implied(known, GRADED)
    mirror = pl.when(pl.col("label") == "second").then(-pl.col("implied")).otherwise("implied")
    table = direct.join(others, on="item_id", how="left").sort("item_id").with_columns(
        pl.col("straight", "turned", "blind").round(6), implied=mirror.round(6),
        truth=pl.when(pl.col("label") == "tie").then(0.5).otherwise(1.0),
        prompt=pl.col("prompt").rank("dense").cast(pl.Int64),
    )  # fmt: skip
    columns = ("item_id", "truth", "straight", "turned", "blind", "implied", "prompt", "task")
    texts = gold.group_by("item_id").agg(
        pl.col("prompt", "first", "second", "first_chars", "second_chars").drop_nulls().first()
    )
    rows = table.select("item_id", "label").join(texts, on="item_id", how="left", maintain_order="left")
    chars = [pl.coalesce(pl.col(side).str.len_chars(), f"{side}_chars") + 1 for side in PAIR]
    lean = (chars[0] / chars[1]).log() * pl.when(pl.col("label") == "second").then(-1.0).otherwise(1.0)
    return {
        "unit": unit(known), **table.select(columns).to_dict(as_series=False),
        "longer": rows.select(lean.round(4)).to_series().to_list(),
        "like": [_numbers(*row) for row in rows.drop("item_id", "label").iter_rows()],
    }  # fmt: skip


def _numbers(
    prompt: str | None, first: str | None, second: str | None, one: int | None, other: int | None
) -> list[float | None]:
    if first is not None and second is not None:
        found: list[float | None] = [*likeness(prompt or "", first, second)]
        return found
    if one is None or other is None:
        return [None] * len(NAMES)
    return [round(abs(log((one + 1) / (other + 1))), 4), round(log(one + other + 2), 4), *[None] * (len(NAMES) - 2)]
