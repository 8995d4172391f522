"""Secrets: takes out pairs that hold keys, tokens or passwords.

Source: the published formats of the providers' tokens, as in gitleaks and detect-secrets.

Use it on code and on prompts from users. It is bad at passwords in prose, and finds made-up keys too, unless they say
that they are examples.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import matches

PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{60,})\b",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{34}\b",
    "API key": r"\bsk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{32,}\b",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{20,}\b",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "address with password": r"\b[a-z][a-z0-9+]{2,12}://[^\s:/@<>{}$]{1,64}:[^\s:/@<>{}$*]{3,64}@[\w.-]+",
}


@row_filter
def secrets(
    preferences: pl.DataFrame, *, of: Literal["prompt", "chosen", "rejected", "either", "all"] = "all"
) -> pl.DataFrame:
    """Returns the removals of pairs that hold a secret: row_id, its kind and where; ``value`` is its first letters."""
    made_up = r"(?i)example|xxxx|your|1234567890|abcdefgh"
    found = matches(preferences, of, PATTERNS, unless=made_up)
    return found.with_columns(value=pl.col("value").str.slice(0, 6) + "…")
