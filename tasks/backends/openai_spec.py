"""The SPEC of an endpoint: ``openai:URL[,URL…]:MODEL[?option=value&…]``."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import orjson

from schemas.errors import UsageError, nearest

_SPEC = re.compile(
    r"openai:(?P<urls>https?://(?:\[[0-9a-fA-F:.]+\]|[^/:,?\[\]]+)(?::\d+)?(?:/[^:,?]*)?"
    r"(?:,https?://(?:\[[0-9a-fA-F:.]+\]|[^/:,?\[\]]+)(?::\d+)?(?:/[^:,?]*)?)*):(?P<model>[^?]+)(?:\?(?P<options>.*))?"
)
DEFAULT_KEY = "OPENAI_API_KEY"
FIXED = ("model", "messages", "prompt", "stream")
"""Fields that a SPEC can neither add nor drop."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)?")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where answers come from, and how it is to be treated.

    Args:
        urls: base URLs that serve the same model; calls go where fewest are in flight.
        identity: stands for the URL in the SPEC, so that answers are found again when the address has changed.
        concurrency: the most calls in flight; start: how many at first.
        rpm, tpm: requests and tokens a minute that are allowed; null where not known (it is found out).
        timeout_s: of one attempt. deadline_s: of a call with all its attempts. tries: of failures that are not
            about load (a refused connection or a 429 is tried until the deadline).
        key_env: the environment variable that holds the API key.
        price_in, price_out, price_cached: US dollars a million tokens; cached ones cost ``price_in`` unless told.
        batch: collect so many requests into a job of the provider's Batch API; 0 asks one by one.
        batch_wait_s: without a new request for so long, what there is becomes a job. batch_poll_s: between looks.
        batch_price: what a batched answer costs, as a share of the price.
        patience: so long an endpoint that has answered is waited for when it is away or out of quota, in seconds; the
            option takes ``90``, ``5m`` or ``2h`` too; null is the run's.
        drop: fields of the body that are not sent. add: fields that are (``add.reasoning_effort=low``); both change
            answers, so they are part of what answers are kept under.
        headers: sent with every call (``header.NAME=VALUE``; ``$NAME`` is the environment variable's value).
    """

    urls: tuple[str, ...]
    model: str
    identity: str = ""
    concurrency: int = 256
    start: int = 32
    rpm: float | None = None
    tpm: float | None = None
    timeout_s: float = 300.0
    deadline_s: float = 600.0
    tries: int = 8
    key_env: str = DEFAULT_KEY
    price_in: float = 0.0
    price_out: float = 0.0
    price_cached: float | None = None
    batch: int = 0
    batch_wait_s: float = 5.0
    batch_poll_s: float = 30.0
    batch_price: float = 0.5
    patience: float | None = None
    drop: tuple[str, ...] = ()
    add: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> str:
        """The SPEC without what changes no answer: this is what stands in the ledger's keys."""
        parts = [f"add.{quote(name)}={quote(orjson.dumps(self.add[name]).decode())}" for name in sorted(self.add)]
        parts += [f"drop={','.join(sorted(self.drop))}"] if self.drop else []
        return f"openai:{self.identity or self.urls[0]}:{self.model}" + (f"?{'&'.join(parts)}" if parts else "")

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers of the SPEC, with the values of the environment variables they name.

        Raises:
            UsageError: there is no such variable.
        """
        return {name: _valued(name, value) for name, value in self.headers.items()}

    def key(self) -> str:
        """Returns the API key, or nothing where there is none.

        The usual variable is not sent over plain http beyond this machine and its private network.
        """
        if self.key_env == DEFAULT_KEY and not all(_private_or_secure(url) for url in self.urls):
            return ""
        return os.environ.get(self.key_env, "")


_NUMBERS = {
    each.name: int if "int" in str(each.type) else float
    for each in fields(Endpoint)
    if each.name not in ("urls", "model", "identity", "key_env", "patience", "drop", "add", "headers")
}
_NAMES = (*_NUMBERS, "identity", "key_env", "patience", "drop", "add.FIELD", "header.NAME")


def parse(spec: str) -> Endpoint:
    """Returns the endpoint a SPEC names.

    Raises:
        UsageError: it is not of that form, or an option there is not.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise UsageError(f"{spec}: expected openai:URL:MODEL, such as openai:http://127.0.0.1:8000/v1:my-model")
    urls = tuple(url.rstrip("/") for url in match["urls"].split(","))
    if re.search(r"https?://[^/?,]*@", spec):
        raise UsageError("a URL must not hold a user or password: put the key into an environment variable (key_env=…)")
    for url in urls:
        _check_port(spec, url)
    options: dict[str, Any] = {"add": {}, "headers": {}}
    for name, value in parse_qsl(match["options"] or "", keep_blank_values=True):
        if name.startswith("add."):
            options["add"][_field(spec, name.removeprefix("add."))] = _json(value)
        elif name.startswith("header."):
            options["headers"][_header(spec, name.removeprefix("header."), value)] = value
        elif name == "drop":
            words = [word.strip() for word in value.split(",") if word.strip()]
            options[name] = tuple(sorted({*options.get(name, ()), *(_field(spec, word) for word in words)}))
        elif name == "patience":
            options[name] = seconds(spec, name, value)
        else:
            options[name] = _option(spec, name, value)
    return Endpoint(urls, match["model"], **options)


def seconds(where: str, name: str, value: str) -> float:
    """Returns a duration in seconds: ``90``, ``90s``, ``5m``, ``5min``, ``2h``, ``1d``.

    Args:
        where, name: of the option, for messages.

    Raises:
        UsageError: it is none.
    """
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise UsageError(f"{where}: {name}={value!r} is no duration; it is written 90, 5m, 2h or 1d")
    return float(match[1]) * _SECONDS[match[2] or ""]


def _check_port(spec: str, url: str) -> None:
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise UsageError(f"{spec}: the port in {url} is none; ports go from 1 to 65535")


def _field(spec: str, name: str) -> str:
    if not name or name in FIXED:
        raise UsageError(f"{spec}: {name or 'an empty name'!r} cannot be added or dropped; it is what is asked")
    return name


def _json(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value  # a plain word


def _header(spec: str, name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not value.isprintable() or not value.isascii():
        raise UsageError(f"{spec}: header.{name} is no header; a name and a value of plain characters are allowed")
    if name.lower() in ("host", "content-length", "transfer-encoding", "connection", "content-type"):
        raise UsageError(f"{spec}: header.{name} is set by the connection itself; leave it out")
    return name


def _valued(name: str, value: str) -> str:
    if not value.startswith("$"):
        return value
    found = os.environ.get(value[1:])
    if not found or not found.isprintable() or not found.isascii():
        raise UsageError(f"header.{name} is to be {value}: set the environment variable {value[1:]} to a plain text")
    return found


def _option(spec: str, name: str, value: str) -> str | float:
    if name in ("identity", "key_env"):
        return value
    if name not in _NUMBERS:
        raise UsageError(f"{spec}: no option {name!r}; {nearest(name, _NAMES)}")
    try:
        number = _NUMBERS[name](value)
    except ValueError:
        raise UsageError(f"{spec}: {name}={value!r} is not a number") from None
    if not math.isfinite(number) or number < 0 or (number == 0 and not name.startswith(("price", "batch"))):
        raise UsageError(f"{spec}: {name}={value} must be above zero")
    return number


def _private_or_secure(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_private
    except ValueError:
        return "." not in (parts.hostname or ".")  # a name without a dot is one of this network
