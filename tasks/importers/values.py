"""Single values of foreign rows: texts, numbers and truth values, whatever type their file gave them.

Source: types of Arrow and JSON; integers beyond 64 bits stay integers, decimals keep their zeros, dates are ISO 8601.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")


def unpadded(value: Any) -> Any:
    """Returns a value without the null fields that Arrow gives a struct for what other rows have.

    >>> unpadded([{"role": "user", "content": "Q?", "name": None}, None])
    [{'role': 'user', 'content': 'Q?'}, None]
    """
    if isinstance(value, Mapping):
        return {key: unpadded(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [unpadded(part) for part in value]
    return value


def text(value: Any) -> str | None:
    """Returns a value as text: a number in its own digits, a date in ISO 8601, lists and objects as JSON.

    Raises:
        ValueError: bytes that are not UTF-8.

    >>> text(Decimal("1.50")), text(123456789012345678901234567890), text({"a": 1})
    ('1.50', '123456789012345678901234567890', '{"a":1}')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | Decimal):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise ValueError("expected text, found bytes that are not UTF-8") from error
    if isinstance(value, date | time | timedelta):
        return _plain(value)
    return dumps(value)


def dumps(value: Any) -> str:
    """Returns a value as JSON text, integers beyond 64 bits too."""
    try:
        return orjson.dumps(value, default=_plain).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def number(value: Any) -> float | None:
    """Returns a number that may be written as text; null of null.

    Raises:
        ValueError: it is none, or not a finite one.

    >>> number("8"), number(Decimal("1.5")), number(None)
    (8.0, 1.5, None)
    """
    if value is None:
        return None
    try:
        if not isinstance(value, int | float | Decimal | str):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"expected a number, found {value!r}") from error
    if not math.isfinite(found):
        raise ValueError(f"expected a number, found {value!r}")
    return found


def truth(value: Any) -> bool | None:
    """Returns whether a label says yes, written as a truth value, a 1 or 0, or such a word; null of null.

    Raises:
        ValueError: it is something else.

    >>> truth(1.0), truth("False"), truth(None)
    (True, False, None)
    """
    if value is None:
        return None
    said = str(value).strip().lower() if isinstance(value, bool | int | float | str) else ""
    if said in _TRUE or said in _FALSE:
        return said in _TRUE
    graded = isinstance(value, int | float) and not isinstance(value, bool)
    raise ValueError(f"expected true or false, found {value!r}{'; map a graded column as score' if graded else ''}")
