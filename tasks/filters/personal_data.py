"""Personal data: takes out pairs that hold e-mail addresses, telephone, card or account numbers.

Source: the pattern recognisers of Presidio and the regular expressions of BigCode's PII pipeline (arXiv:2301.03988,
section 4.2), with check digits verified.

Use it on prompts from users. It is bad at names and postal addresses, which need a model of language, and prefers to
miss a number rather than to take out every sum with eleven digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import polars as pl

from schemas.blocks import row_filter
from tasks.filters._texts import removals, sides, spoken

Kind = Literal["email", "phone", "card", "iban", "ssn", "ip"]
_EXAMPLES = re.compile(
    r"@(?:[\w-]+\.)*(?:example|test|domain|email|company|yourdomain)\.\w+$|^(?:user(?:name)?|name)@", re.I
)


def _email(text: str) -> bool:
    return not _EXAMPLES.search(text)


def _card(text: str) -> bool:
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 2


def _iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _ip(text: str) -> bool:
    parts = [int(part) for part in text.split(".")]
    return max(parts) < 256 and not (parts[0] in (0, 10, 127, 255) or parts[:2] == [192, 168] or parts[:3] == [1, 2, 3])


KINDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "email": (r"\b[\w.+-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b", _email),
    "phone": (
        r"\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}\b|\(\d{3}\) ?\d{3}-\d{4}\b|\b\d{3}[.-]\d{3}[.-]\d{4}\b",
        lambda text: "555" not in text,
    ),
    "card": (r"\b(?:4\d{3}|5[1-5]\d{2}|6011|3[47]\d{2})(?:[ -]?\d{4}){2}[ -]?\d{3,4}\b", _card),
    "iban": (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", _iban),
    "ssn": (r"\b\d{3}-\d{2}-\d{4}\b", lambda text: text[:3] not in ("000", "666") and text[0] != "9"),
    "ip": (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", _ip),
}  # fmt: skip


@row_filter
def personal_data(
    preferences: pl.DataFrame,
    *,
    of: Literal["prompt", "chosen", "rejected", "either", "all"] = "all",
    kinds: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn"),
) -> pl.DataFrame:
    """Returns the removals of pairs that hold personal data: row_id, the kind and where; ``value`` is masked.

    Numbers with check digits count only where these are right; addresses of documentation (example.com, 555) do not.
    """
    rows = preferences.select(row_id="pair_id", **{side: spoken(side) for side in sides(of)})
    parts = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for kind in kinds:
        pattern, true = KINDS[kind]
        for side in sides(of):
            near = rows.filter(pl.col(side).str.contains("@", literal=True)) if kind == "email" else rows  # a 400th
            hits = near.filter(pl.col(side).str.contains(pattern)).select(
                "row_id", found=pl.col(side).str.extract_all(pattern)
            )
            first = [next((text for text in found if true(text)), None) for found in hits["found"].to_list()]
            said = [None if text is None else text[:2] + "*" * (len(text) - 2) for text in first]
            parts.append(
                hits.select("row_id", reason=pl.lit(f"{kind} in the {side}"), value=pl.Series(said, dtype=pl.String))
                .filter(pl.col("value").is_not_null())
            )  # fmt: skip
    return removals(pl.concat(parts))
