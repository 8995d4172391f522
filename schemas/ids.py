"""Ids derived from content: the same thing has the same id everywhere, so re-running is an anti-join."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY


def canonical(value: Any) -> bytes:
    """Returns the one JSON text of a value: sorted keys, no spaces, UTF-8.

    Raises:
        TypeError: for a value JSON cannot hold.
    """
    return orjson.dumps(value, option=_CANONICAL)


def content_id(*parts: Any) -> str:
    """Returns the BLAKE2b-128 of the parts' canonical JSON, as 32 hex digits.

    >>> content_id("prompt", {"b": 1, "a": 2}) == content_id("prompt", {"a": 2, "b": 1})
    True
    """
    return blake2b(canonical(parts), digest_size=16).hexdigest()


def prompt_key(messages: Any) -> str:
    """Returns the content id of what a prompt asks: of its messages alone, as rows of a table.

    A prompt's id covers its reference, tests and group too. Seeds are made of the key, so that correcting one of these
    changes no question and buys no answer again. A prompt that has none of these has its id for its key.
    """
    return content_id("prompt", messages, None, None, None)


def key_of(prompt: Mapping[str, Any]) -> str:
    """Returns what a prompt's seeds and coins are made of: its ``prompt_key``, or its id where nobody gave it one."""
    key: str = prompt.get("prompt_key") or prompt["prompt_id"]
    return key


def coin(seed: int, *parts: Any) -> float:
    """Returns a number in [0, 1) that depends only on the seed and the parts, so that shards do not matter."""
    digest = blake2b(canonical((seed, *parts)), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def seed_for(seed: int, *parts: Any) -> int:
    """Returns a 31-bit seed (what every engine accepts) that depends only on the seed and the parts."""
    digest = blake2b(canonical((seed, *parts)), digest_size=8).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
