"""Near-duplicates: all but one of each group of prompts, pairs or answers that say almost the same.

Source: Lee et al. 2022, arXiv:2107.06499 (MinHash with true similarity checked); Broder 1997.

Use it on prompts that were scraped or generated, where one question comes in many wordings. It is bad at paraphrases
(other words, same sense), and on short templated texts, where a changed number is a new task but hardly another text.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import spoken
from tasks.texts.minhash import near


@row_filter(scope="dataset", texts=True)
def near_duplicates(
    preferences: pl.DataFrame,
    *,
    of: Literal["prompt", "pair", "chosen", "rejected"] = "prompt",
    threshold: float = 0.8,
    n: int = 3,
    unit: Literal["words", "characters"] = "words",
) -> pl.DataFrame:
    """Returns the removals of rows nearly equal to an earlier one by id: row_id, reason, value.

    ``value`` names what stays and the Jaccard similarity to the text it was found by. Every removal is checked against
    the true similarity; about one in a thousand pairs at the threshold is missed.

    Args:
        of: what is compared. ``prompt`` compares distinct prompts and takes out all pairs of one; pairs of the same
            prompt stay. ``pair`` compares prompt, chosen and rejected together.
        threshold: least share of common shingles, from 0.5 (loose) to 1 (equal up to case and punctuation).
        n: words or characters a shingle.
        unit: ``characters`` for very short texts, or texts without spaces; n is then counted in bytes of UTF-8.
    """
    if not 0.2 <= threshold <= 1 or n < 1:
        raise ValueError(f"threshold {threshold} must lie between 0.2 and 1, and n {n} be at least 1")
    key = "prompt_id" if of == "prompt" else "pair_id"
    columns = ["prompt", "chosen", "rejected"] if of == "pair" else [of]
    text = pl.concat_str([spoken(column) for column in columns], separator="\n\n")
    rows = preferences.select(key, text=text).unique(key, keep="first").sort(key)
    found = near(rows["text"], threshold=threshold, n=n, unit=unit)
    ids = rows[key]
    out = pl.DataFrame(
        {"id": ids.gather(found.row), "kept": ids.gather(found.kept), "alike": found.similarity},
        schema={"id": pl.String, "kept": pl.String, "alike": pl.Float64},
    )
    said = pl.concat_str(["kept", pl.lit(" "), pl.col("alike").round(3).cast(pl.String)])
    return (
        preferences.select("pair_id", id=key)
        .join(out, on="id")
        .select(row_id="pair_id", reason=pl.lit(f"{of} is a near-duplicate"), value=said)
        .sort("row_id")
    )
