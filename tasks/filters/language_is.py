"""Language: takes out pairs with a text in another language than wanted.

Source: langid.py (Lui and Baldwin, ACL 2012), in the package py3langid: 97 languages, the same answer every time.

Use it where a policy slips into another language. It is bad on short texts, on code and on mixed texts; those below
``least_letters`` stay. Some ten thousand texts a second, of about 750 bytes.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides, spoken
from tasks.texts.languages import identifier, likeliest


@row_filter
def language_is(
    preferences: pl.DataFrame,
    *,
    languages: list[str],
    of: Literal["prompt", "chosen", "rejected", "either", "all"] = "either",
    least_letters: int = 30,
    least_probability: float = 0.8,
) -> pl.DataFrame:
    """Returns the removals of pairs with a text that is surely in none of the languages: row_id, reason, value.

    ``value`` is the language found and its probability.

    Args:
        languages: ISO 639-1 codes that are allowed.
        least_letters: texts of fewer letters stay, code in fences and links left out.
        least_probability: a language found with less certainty takes nothing out.
    """
    known = identifier().labels
    strange = [name for name in languages if name not in known]
    if strange or not languages:
        raise ValueError(
            f"cannot tell the language {strange[:1] or 'of no list'}; known are {', '.join(sorted(known))}"
        )
    rows = preferences.select(
        row_id="pair_id",
        **{
            side: spoken(side).str.replace_all(r"(?s)```.*?(?:```|\z)|`[^`\n]*`|https?://\S+", " ")
            for side in sides(of)
        },
    )
    parts = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for side in sides(of):
        long = rows.filter(pl.col(side).str.count_matches(r"\p{L}") >= least_letters).select("row_id", text=side)
        texts = long["text"].unique()
        found = likeliest(texts.to_list(), bound=least_probability)
        guesses = pl.DataFrame({"text": texts, "name": found.names.tolist(), "p": found.probabilities},
                               schema_overrides={"name": pl.String})  # fmt: skip
        wrong = guesses.filter(~pl.col("name").is_in(languages) & (pl.col("p") >= least_probability))
        value = wrong.select("text", value=pl.Series([f"{name} {p:.3f}" for _, name, p in wrong.iter_rows()],
                                                     dtype=pl.String))  # fmt: skip
        reason = pl.lit(f"{side} in another language")
        parts.append(long.join(value, on="text", maintain_order="left").select("row_id", reason=reason, value="value"))
    return removals(pl.concat(parts))
