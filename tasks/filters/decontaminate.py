"""Decontamination: takes out rows that share text with benchmark items.

Source: Brown et al. 2020, arXiv:2005.14165, appendix C (runs of 13 words); Lambert et al. 2024, arXiv:2411.15124,
section 3.2 (more than half of an item's words within common 8-grams).

Use it on every dataset that a published model is trained on. It is bad at paraphrases and translations, and finds
standard phrases that an item shares with the world; the span it shows tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import spoken
from tasks.texts.items import read_items
from tasks.texts.overlap import Index, index, overlaps

_SHOWN = 300


@row_filter(files=("against",))
def decontaminate(
    preferences: pl.DataFrame,
    *,
    against: str | list[str],
    column: str | None = None,
    of: Literal["prompt", "chosen", "all"] = "prompt",
    run: int = 13,
    share: float | None = 0.5,
    n: int = 8,
) -> pl.DataFrame:
    """Returns the removals of rows that overlap with a benchmark item: row_id, reason, and the item and the span.

    A row overlaps when it has ``run`` words in a row in common with an item, or holds a whole shorter item (of five
    words at least), or is an item, or holds more than ``share`` of an item's words within common ``n``-grams. Case,
    punctuation and whitespace do not count; every overlap without a changed word is found.

    Args:
        against: the items, or a file of items, or a folder of benchmark sets as they are published (``texts.items``).
            The recipe's hash holds what stands in the files, not where they lie.
        column: of the files, with the text; by default the one that published sets use.
        of: what is searched: all turns of the prompt, of the chosen answer, or of prompt, chosen and rejected.
        share: null looks for runs alone, which takes half as long.
    """
    if run < 5 or n < 3 or (share is not None and not 0 < share < 1):
        raise ValueError(f"run {run} must be at least 5, n {n} at least 3, share {share} between 0 and 1")
    known, names = _known(against, column, run, None if share is None else n)
    key = "prompt_id" if of == "prompt" else "pair_id"
    columns = ["prompt", "chosen", "rejected"] if of == "all" else [of]
    rows = preferences.unique(key, keep="first").select(
        key, text=pl.concat_str([spoken(name) for name in columns], separator="\n\n")
    )
    found = overlaps(rows["text"], known, share=share)
    texts = rows["text"].gather(found.text).str.to_lowercase()
    spans = [text.encode()[a:b].decode() for text, a, b in zip(texts, found.start, found.end, strict=True)]
    out = pl.DataFrame(
        {
            key: rows[key].gather(found.text),
            "value": [f"{names[i]}: {span[:_SHOWN]}" for i, span in zip(found.item, spans, strict=True)],
        },
        schema={key: pl.String, "value": pl.String},
    )
    reason = pl.lit(f"{'text' if of == 'all' else of} overlaps with a benchmark")
    chosen = preferences.select("pair_id", *([key] if key != "pair_id" else [])).join(out, on=key)
    return chosen.select(row_id="pair_id", reason=reason, value="value").sort("row_id")


def _known(against: str | Sequence[str], column: str | None, run: int, n: int | None) -> tuple[Index, list[str]]:
    if isinstance(against, str):
        return _from_file(Path(against), column, run, n, _state(Path(against)))
    if not against:
        raise ValueError("the list of benchmark items is empty")
    return index(pl.Series(list(against)), run=run, n=n), [f"item {i}" for i in range(1, len(against) + 1)]


def _state(path: Path) -> tuple[tuple[int, int], ...]:
    """Returns what changes when a file, or one in the folder, does."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file())


@lru_cache(maxsize=4)  # a filter runs shard by shard, the list is read once
def _from_file(path: Path, column: str | None, run: int, n: int | None, _state: object) -> tuple[Index, list[str]]:
    items = read_items(path, column)
    names = items.select(pl.concat_str("benchmark", "item", separator="/")).to_series()
    return index(items["text"], run=run, n=n), names.to_list()
