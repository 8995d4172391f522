"""Refusals and boilerplate: takes out pairs whose answer declines, or speaks of being a language model.

Source: the keyword lists of Zou et al. 2023, arXiv:2307.15043, appendix B (refusals by their first words); filtering
"as an AI language model" from instruction data (Conover et al. 2023, Vicuna's cleaning).

Use it on helpfulness data. It is bad on safety data, where declining is the chosen answer, and it knows English only.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import matches

_LOW = r"(?i)"
PATTERNS = {
    "refusal": _LOW
    + r"^\W*(?:(?:i['’]?m|i am) (?:very |so |really )?(?:sorry|afraid)|i apologi[sz]e|sorry|unfortunately)"
    r"[^.!?\n]{0,60}?\b(?:can(?:no|['’])?t|can not|unable|won['’]?t|will not|not able|not comfortable)\b"
    r"|^\W*(?:i|we) (?:can(?:no|['’])?t|can not|am unable to|won['’]?t|will not|must decline to|am not able to) "
    r"(?:\w+ ){0,2}(?:help|assist|provide|fulfil+|comply|answer|create|generate|discuss|support|engage|write|do that)",
    "boilerplate": _LOW + r"\bas an? (?:ai|artificial intelligence|large language|language)(?: language)?(?: model)?\b"
    r"|\bmy (?:knowledge cut-?off|training data (?:only )?goes)\b|\bas of my last (?:knowledge )?update\b",
}


@row_filter
def refusals(
    preferences: pl.DataFrame,
    *,
    of: Literal["chosen", "rejected", "either"] = "chosen",
    boilerplate: bool = True,
) -> pl.DataFrame:
    """Returns the removals of pairs whose answer begins as a refusal, or holds boilerplate: row_id, reason, the words.

    Args:
        boilerplate: also "as an AI language model" and its kin, anywhere in the text.
    """
    return matches(preferences, of, PATTERNS if boilerplate else {"refusal": PATTERNS["refusal"]})
