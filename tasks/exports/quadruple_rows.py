"""Quadruples of two prompts and two answers, each the better one for its own prompt.

Source: IOPO (arXiv:2411.06208, section 3.2: (x1, y1) and (x2, y2) above (x1, y2) and (x2, y1)).

Use it for losses over two prompts and two answers. It is bad for anything else: as two plain pairs export with
``trl_dpo``.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import export
from schemas.errors import RowsError
from schemas.notes import note
from tasks.exports._chat import SIDES, finite, plain


@export
def quadruple_rows(preferences: pl.DataFrame) -> pl.DataFrame:
    """Returns quadruple, x1, x2, y1 and y2, each a list of {role, content}, one row for two pairs; by quadruple.

    The four sequences of the loss are x1 y1 and x2 y2, which are preferred, and x1 y2 and x2 y1.

    Raises:
        ValueError: a pair lacks its other half (a filter took it, or ``select: quadruples`` did not make it), or a
            message is more than text.
    """
    rows = plain(finite(preferences, "pair_id"), "pair_id", *SIDES)
    rows = rows.with_columns(quadruple=note("quadruple"), side=note("side", pl.Int64))
    first, second = (rows.filter(pl.col("side") == turn) for turn in (1, 2))
    both = first.join(second, on="quadruple", suffix="_2", maintain_order="left").sort("quadruple")
    alike = (pl.col("chosen") == pl.col("rejected_2")) & (pl.col("rejected") == pl.col("chosen_2"))
    both = both.filter(alike)
    if 2 * both.height != rows.height:
        halves = set(rows["pair_id"]) - set(both["pair_id"]) - set(both["pair_id_2"])
        raise RowsError(
            "pair", dict.fromkeys(halves, "the other half of its quadruple is not there; export it as trl_dpo")
        )
    return both.select("quadruple", x1="prompt", x2="prompt_2", y1="chosen", y2="chosen_2")
