"""The rows behind a check: what one would look at to see why a gate refused.

Source: Great Expectations' unexpected rows; here queries over the tables, in ``<gate>_rows.sql`` beside each gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tasks.gates._suite import Rows, asked
from tasks.gates.trust import PROMPTS
from tasks.texts.items import read_items
from tasks.texts.minhash import near
from tasks.texts.overlap import index, overlaps

FOLDER = Path(__file__).parent


def offending(
    gate: str, check: str, tables: Mapping[str, Rows], params: Mapping[str, Any], *, most: int = 20
) -> pl.DataFrame:
    """Returns at most so many rows behind one check of a gate, the worst first; of a drift, both sides of it.

    Args:
        params: the gate's own, as the recipe had them.

    Raises:
        ValueError: the gate has no such check.
    """
    if check == "near_duplicate_share":
        return _near(tables, params["threshold"]).head(most)
    if check == "benchmark_overlaps":
        return _overlaps(tables, params["against"], params["run"]).head(most)
    file = FOLDER / f"{gate}_rows.sql"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    queries = {name.strip(): query for name, _, query in (part.partition("\n") for part in text.split("\n-- ")[1:])}
    if check not in queries:
        raise ValueError(f"gate {gate} has no rows for a check {check!r}; it has {', '.join(queries) or 'none'}")
    return asked(f"select * from ({queries[check]}) limit {most}", tables)


def _near(tables: Mapping[str, Rows], threshold: float) -> pl.DataFrame:
    rows = asked(PROMPTS.format(sample=2**60), {"preferences": tables["preferences"]})
    found = near(rows["prompt"], threshold=threshold)
    columns = {"similarity": pl.Series(found.similarity, dtype=pl.Float64)}
    for name, places in (("", found.row), ("like_", found.kept)):
        columns |= {f"{name}{column}": rows[column].gather(places) for column in ("prompt_id", "prompt")}
    return pl.DataFrame(columns).sort("similarity", "prompt_id", descending=[True, False])


def _overlaps(tables: Mapping[str, Rows], against: str | tuple[str, ...], run: int) -> pl.DataFrame:
    rows = asked(PROMPTS.format(sample=2**60), {"preferences": tables["preferences"]})
    items = read_items(Path(against))["text"] if isinstance(against, str) else pl.Series(against, dtype=pl.String)
    found = overlaps(rows["prompt"], index(items, run=run))
    low = rows["prompt"].gather(found.text).str.to_lowercase()
    spans = [text.encode()[a:b].decode() for text, a, b in zip(low, found.start, found.end, strict=True)]
    return pl.DataFrame(
        {"prompt_id": rows["prompt_id"].gather(found.text), "shared": spans, "item": items.gather(found.item)},
        schema={"prompt_id": pl.String, "shared": pl.String, "item": pl.String},
    )
