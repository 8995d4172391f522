"""The SPEC of an endpoint: ``openai:URL[,URL…]:MODEL[?option=value&…]``."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlsplit

from schemas.errors import UsageError, nearest

_SPEC = re.compile(
    r"openai:(?P<urls>https?://(?:\[[0-9a-fA-F:.]+\]|[^/:,?\[\]]+)(?::\d+)?(?:/[^:,?]*)?"
    r"(?:,https?://(?:\[[0-9a-fA-F:.]+\]|[^/:,?\[\]]+)(?::\d+)?(?:/[^:,?]*)?)*):(?P<model>[^?]+)(?:\?(?P<options>.*))?"
)
DEFAULT_KEY = "OPENAI_API_KEY"


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

    @property
    def spec(self) -> str:
        """The SPEC without what changes no answer: this is what stands in the ledger's keys."""
        return f"openai:{self.address}:{self.model}"

    @property
    def written(self) -> str:
        """The SPEC with its address as it was written, as lakes of the first format have it."""
        return f"openai:{self.identity or self.urls[0]}:{self.model}"

    @property
    def address(self) -> str:
        """What stands for the endpoint: its identity, or its URL in the one way that all its spellings share."""
        return one_spelling(self.identity or self.urls[0])

    def key(self) -> str:
        """Returns the API key, or nothing where there is none.

        The usual variable is not sent over plain http beyond this machine and its private network.
        """
        if self.key_env == DEFAULT_KEY and not all(_private_or_secure(url) for url in self.urls):
            return ""
        return os.environ.get(self.key_env, "")


_NUMBERS = {
    field.name: int if "int" in str(field.type) else float
    for field in fields(Endpoint)
    if field.name not in ("urls", "model", "identity", "key_env")
}


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
    options: dict[str, str | float] = {}
    for name, value in parse_qsl(match["options"] or "", keep_blank_values=True):
        options[name] = _option(spec, name, value)
    return Endpoint(urls, match["model"], **options)  # type: ignore[arg-type]


def one_spelling(url: str) -> str:
    """Returns a URL as all its spellings are: lower-case host, this machine by number, no usual port, no last slash.

    What is no URL, such as the name that ``identity=`` gives, stays as it is.

    >>> one_spelling("http://LocalHost:80/v1/")
    'http://127.0.0.1/v1'
    """
    match = re.fullmatch(r"(https?)://(\[[^\]]*\]|[^/:\[\]]+)(:\d+)?(/.*)?", url, re.IGNORECASE)
    if match is None:
        return url
    scheme, host, port = match[1].lower(), match[2].lower(), match[3] or ""
    usual = {"http": ":80", "https": ":443"}[scheme]
    host = "127.0.0.1" if host.rstrip(".") == "localhost" else host
    return f"{scheme}://{host}{'' if port == usual else port}{match[4] or ''}".rstrip("/")


def _option(spec: str, name: str, value: str) -> str | float:
    if name in ("identity", "key_env"):
        return value
    if name not in _NUMBERS:
        raise UsageError(f"{spec}: no option {name!r}; {nearest(name, (*_NUMBERS, 'identity', 'key_env'))}")
    try:
        number = _NUMBERS[name](value)
    except ValueError:
        raise UsageError(f"{spec}: {name}={value!r} is not a number") from None
    if number < 0 or (number == 0 and not name.startswith(("price", "batch"))):
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
