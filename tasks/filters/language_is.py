"""Language: takes out pairs with a text in another language than wanted.

Source: langid.py (Lui and Baldwin, ACL 2012), in the package py3langid: 97 languages, the same answer every time.

Use it where a policy slips into another language. It is bad on short texts, on code and on mixed texts; those below
``least_letters`` stay. About a thousand texts a second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides, spoken

_LONGEST = 2_000


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
    known = _identifier().labels
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
        guesses = {text: _identifier().classify(text[:_LONGEST]) for text in long["text"].unique()}
        found = [guesses[text] for text in long["text"]]
        parts.append(
            long.select(
                "row_id",
                reason=pl.Series(
                    [
                        f"{side} in another language" if name not in languages and p >= least_probability else None
                        for name, p in found
                    ],
                    dtype=pl.String,
                ),
                value=pl.Series([f"{name} {p:.3f}" for name, p in found], dtype=pl.String),
            )
        )
    return removals(pl.concat(parts))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
