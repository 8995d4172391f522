"""What goes wrong at an endpoint, sorted: pointless to go on, the request's own fault, or worth another attempt."""

from __future__ import annotations

import email.utils
import re
import time
from dataclasses import dataclass
from typing import Any

import orjson

from tasks.backends.http import Response
from tasks.backends.openai_wire import Habits, shown

RETRYABLE = frozenset({408, 409, 425, 429})
_KEYS = re.compile(r"\b(?:sk|pk|rk)-[\w*.-]{4,}|Bearer\s+\S+", re.IGNORECASE)


@dataclass(slots=True, frozen=True)
class Fault:
    """An attempt that failed and may be made again.

    Args:
        after_s: the pause the server asked for. counts: 1 where only so many are tried. gone: nobody listens.
        other_body: the endpoint wants the request in another form, which is known now.
    """

    what: str
    after_s: float | None = None
    counts: int = 1
    gone: bool = False
    other_body: bool = False


def message(response: Response) -> str:
    """Returns what an error answer says, in a line."""
    try:
        data = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return shown(response.body)
    return message_of(data) or shown(response.body)


def message_of(data: Any) -> str:
    """Returns the message of an error object, in any of the shapes servers use, or nothing."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error", data)
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    parts = [str(error[name]) for name in ("message", "detail", "code") if error.get(name)]
    return " / ".join(dict.fromkeys(parts))[:500]


def is_fatal(status: int, message: str, *, answered: bool) -> bool:
    """Whether no request can succeed: key, model, address or quota. A 403 after answers is about one request."""
    if status == 429:
        return "insufficient_quota" in message
    if status == 403:
        return not answered
    return status in (401, 402, 404, 405) or 300 <= status < 400


def advice(status: int, message: str, url: str, model: str, key: str, location: str) -> str:
    """Returns the message of an EndpointError: which URL, which model, which key variable, and what to do."""
    said = f"HTTP {status}: {message}"
    if status in (401, 403):
        return f"{url} refuses us with {key} ({said}). Check the key, and that it may use {model!r}"
    if status in (402, 429):
        return f"{url}: the account behind {key} has no quota left ({said})"
    if 300 <= status < 400:
        return f"{url} has moved to {location or 'another address'} ({said}). Use that address in the SPEC"
    return f"{url} knows no such model or route: {model!r} ({said}). Is the name right, and does the URL end in /v1?"


def adapt(habits: Habits, message: str) -> bool:
    """Learns from a refusal which form the endpoint wants; returns whether there is something new to try."""
    if habits.limit_field == "max_tokens" and "max_completion_tokens" in message:
        habits.limit_field = "max_completion_tokens"
        return True
    if not habits.one_at_a_time and re.search(r"(?:^|[\s'\"`.])n['\"`]?\s*(?:>|must|should|is|parameter|=)", message):
        habits.one_at_a_time = True
        return True
    return False


def retry_after(response: Response) -> float | None:
    """Returns the seconds a server asks us to wait (``Retry-After`` as seconds or date, or the millisecond form)."""
    milliseconds = response.header("retry-after-ms")
    if milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    value = response.header("retry-after")
    if not value:
        return None
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def card(response: Response, model: str) -> dict[str, str]:
    """Returns what ``/models`` says of a model: what it was made from, who owns it, how long its context is."""
    try:
        listed = orjson.loads(response.body).get("data")
        found = next(item for item in listed if item.get("id") == model)
    except (orjson.JSONDecodeError, AttributeError, TypeError, StopIteration):
        return {}
    return {name: str(found[name]) for name in ("root", "owned_by", "max_model_len") if found.get(name)}


def redacted(text: str, key: str) -> str:
    """Returns a message without keys, ours or what looks like one."""
    return _KEYS.sub("***", text.replace(key, "***") if key else text)
