"""What goes wrong at an endpoint, sorted: pointless to go on, the request's own fault, or worth another attempt."""

from __future__ import annotations

import email.utils
import math
import re
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tasks.backends.http import Response
from tasks.backends.openai_habits import flagged, too_long
from tasks.backends.openai_wire import printable, shown

RETRYABLE = frozenset({408, 409, 425, 429})
OUTAGES = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 529, 530})
"""Statuses of an endpoint that is not there for now, whatever it is asked."""
TEACHING = frozenset({400, 422, 500, 501})
"""Statuses with which servers refuse a field."""
MOVED = frozenset({301, 302, 303, 307, 308})
LONGEST_AFTER_S = 31 * 86_400.0
_KEYS = re.compile(r"\b(?:sk|pk|rk|gsk|xai)-[\w*.-]{4,}|\bAIza[\w-]{20,}|Bearer\s+\S+", re.IGNORECASE)
_USED_UP = re.compile(
    r"insufficient_quota|billing_hard_limit|exceeded your current quota|insufficient.{0,10}balance", re.I
)
_DAILY = re.compile(r"per[ -_]?day|daily|\b[RT]PD\b|PerDay", re.IGNORECASE)
_TIME = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])", re.I
)
_AGAIN = re.compile(
    r"(?:again|retry|retryDelay|wait|resets?)\W{0,4}(?:[a-z]+\W{1,4}){0,3}?((?:\d+(?:\.\d+)?\s?[a-z]+\s?){1,8})",
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "m": 60.0, "s": 1.0, "h": 3600.0, "d": 86_400.0}


@dataclass(slots=True, frozen=True)
class Fault:
    """An attempt that failed and may be made again.

    Args:
        after_s: the pause the server asked for. counts: 1 where only so many are tried. gone: nobody listens.
        other_body: the endpoint wants the request in another form, which is known now. outage: it is not about this
            request. limited: it refuses calls as too many. quota: it does so until ``after_s``, which is longer than a
            call may take.
    """

    what: str
    after_s: float | None = None
    counts: int = 1
    gone: bool = False
    other_body: bool = False
    outage: bool = False
    limited: bool = False
    quota: bool = False


def parsed(response: Response) -> Any:
    """Returns the JSON of an error answer, or null."""
    try:
        return orjson.loads(response.content)
    except (orjson.JSONDecodeError, zlib.error):
        return None


def message(response: Response) -> str:
    """Returns what an error answer says, in a line."""
    return message_of(parsed(response)) or shown(response.body)


def message_of(data: Any) -> str:
    """Returns the message of an error object, in any of the shapes servers use, or nothing."""
    if isinstance(data, list) and data:  # Gemini's compatible route
        data = data[0]
    if not isinstance(data, dict):
        return ""
    error = data.get("error", data)
    if isinstance(error, str):
        return printable(error[:1000])[:500]
    if not isinstance(error, dict):
        return ""
    names = ("message", "msg", "detail", "details", "code")
    parts = [str(error[name])[:1000] for name in names if error.get(name)]
    return printable(" / ".join(dict.fromkeys(parts)))[:700]


def hidden(response: Response) -> Response | None:
    """Returns the failure that stands in an answer with status 200, where its code is an HTTP status."""
    if b'"choices"' in response.body[:4096] or b'"error"' not in response.body[:4096]:
        return None
    data = parsed(response)
    error = data.get("error") if isinstance(data, dict) and "choices" not in data else None
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    code = int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3 else code
    return response._replace(status=code) if type(code) is int and 400 <= code < 600 else None


def param_of(data: Any, depth: int = 0) -> str:
    """Returns the field that an error object names (``param``, or ``loc`` of a validation error), or nothing."""
    if isinstance(data, list):
        return next((found for item in data[:20] if (found := param_of(item, depth + 1))), "")
    if not isinstance(data, dict) or depth > 6:
        return ""
    if isinstance(data.get("param"), str):
        return str(data["param"])[:80]
    loc = data.get("loc")
    if isinstance(loc, list) and loc:
        return ".".join(str(part) for part in loc[:6])
    return next(
        (found for name in ("error", "message", "detail") if (found := param_of(data.get(name), depth + 1))), ""
    )


def is_fatal(status: int, message: str, *, answered: bool) -> bool:
    """Whether no request can succeed: key, model, address or quota. A 403 after answers is about one request."""
    if status == 429:
        return bool(_USED_UP.search(message))
    if status == 403:
        return not answered
    return status in (401, 402, 404, 405) or status in MOVED


def is_daily(message: str) -> bool:
    """Whether a 429 is about a day's quota."""
    return bool(_DAILY.search(message))


def of_request(status: int, message: str) -> bool:
    """Whether a refusal is this request's own: it does not fit, or what it says is not wanted."""
    return status in (403, 413) or too_long(message) or flagged(message)


def advice(status: int, message: str, url: str, model: str, key: str, location: str) -> str:
    """Returns the message of an EndpointError: which URL, which model, which key variable, and what to do."""
    said = f"HTTP {status}: {message}"
    if status in (401, 403):
        return f"{url} refuses us with {key} ({said}). Check the key, and that it may use {model!r}"
    if status in (402, 429):
        return (
            f"{url}: the account behind {key} has no quota left ({said}). Every answer is kept: once there is quota, "
            "the same command goes on from here"
        )
    if 300 <= status < 400:
        return f"{url} has moved to {location or 'another address'} ({said}). Use that address in the SPEC"
    return f"{url} knows no such model or route: {model!r} ({said}). Is the name right, and does the URL end in /v1?"


def out_of_quota(url: str, what: str, after_s: float | None, patience_s: float) -> str:
    """Returns the message of an EndpointError about a quota that comes back by itself, later than one waits."""
    if after_s is None:
        when = "it does not say when it goes on; a day's quota mostly comes back at midnight UTC"
    else:
        at = datetime.now(UTC) + timedelta(seconds=after_s)
        when = f"it goes on at {at:%Y-%m-%d %H:%M} UTC, in {spoken(after_s)}"
    return (
        f"{url}: the quota is used up ({what}); {when}, and patience is {spoken(patience_s)}. Every answer is kept: "
        "give the same command then, or more patience (?patience=…) now"
    )


def silent(url: str, how_long: str, what: str) -> str:
    """Returns the message of an EndpointError about one that gives no answers."""
    return f"{url} has not answered for {how_long}: {what}. Is it still running?"


def spoken(seconds: float) -> str:
    """Returns a duration as people say it.

    >>> spoken(4.2), spoken(90), spoken(46_000)
    ('4 s', '1 min 30 s', '12 h 46 min')
    """
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min {whole % 60} s".removesuffix(" 0 s") if minutes else f"{whole} s"


def retry_after(response: Response, message: str = "") -> float | None:
    """Returns the seconds a server asks us to wait: in ``Retry-After`` (seconds, date, ``1m30s``), or in its words.

    What cannot be read, lies in the past or beyond a month is null.
    """
    number = _number(response.header("retry-after-ms"))
    found = None if number is None else number / 1000
    value = response.header("retry-after").strip()[:80]
    if found is None and value:
        found = _number(value)
        found = _duration(value) if found is None else found
        found = _until(value) if found is None else found
    if found is None and not value and (said := _AGAIN.search(message)):
        found = _duration(said[1])
    return found if found is not None and 0 <= found <= LONGEST_AFTER_S else None


def _number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and len(text) < 30 else None
    except ValueError:
        return None


def _duration(text: str) -> float | None:
    parts = _TIME.findall(text)
    if not parts or re.match(r"[a-z]{3,}", _TIME.sub("", text).strip(" ,.;"), re.IGNORECASE):
        return None
    units = [unit.lower() for _, unit in parts]
    names = ["ms" if unit.startswith(("ms", "milli")) else unit[0] for unit in units]
    return math.fsum(float(number[:15]) * _UNITS[name] for (number, _), name in zip(parts, names, strict=True))


def _until(text: str) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return None


def card(response: Response, model: str) -> dict[str, str]:
    """Returns what ``/models`` says of a model: what it was made from, who owns it, how long its context is."""
    try:
        listed = parsed(response).get("data")
        found = next(item for item in listed if item.get("id") == model)
    except (AttributeError, TypeError, StopIteration):
        return {}
    names = ("root", "owned_by", "max_model_len")
    return {name: printable(str(found[name])[:300]) for name in names if found.get(name)}


def redacted(text: str, *keys: str) -> str:
    """Returns a message without keys: ours, and what looks like one."""
    for secret in filter(None, keys):
        text = text.replace(secret, "***")
    return _KEYS.sub("***", text)
