"""Stage by: the order in which groups of pairs are trained on, as it is written down.

Source: SPO (arXiv:2405.12739, section 3: one dimension after another); OFS-DPO (arXiv:2406.05534, section 4: domain
after domain).

Use it where the groups and their order are known. It is bad at learning an order: see ``stage_by_accuracy``.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import weighter


@weighter
def stage_by(
    preferences: pl.DataFrame,
    *,
    by: Literal["source", "criterion", "level", "annotator_group", "split"] = "source",
    order: list[str],
) -> pl.DataFrame:
    """Returns the preferences with ``stage`` = their group's place in the order, from 1; null where it has none.

    Args:
        by: the column that names the group.
        order: groups, the first trained on first.

    Raises:
        ValueError: a group stands twice in the order, or the order is empty.
    """
    if not order or len(set(order)) < len(order):
        raise ValueError(f"order is {order}; groups are named once each, at least one")
    places = {name: place for place, name in enumerate(order, start=1)}
    stage = pl.col(by).cast(pl.String).replace_strict(places, default=None, return_dtype=pl.Int64)
    return preferences.with_columns(stage=stage)
