"""Plain values over a pipe between a judged program and its tests. Standard library only; both sides hold this text.

Source: none of its own; the idea is that of marshalling in remote procedure calls.

Only plain values cross (numbers, text, containers, dates). Everything else crosses as a number that stands for an
object on the other side, so an object with a friendly ``__eq__`` never meets an assertion.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

LONGEST = 16 << 20
ITEMS = 1_000_000
_SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z", collections.deque: "q"}
_MAKERS: dict[str, Callable[[Any], Any]] = {"l": list, "t": tuple, "s": set, "z": frozenset, "q": collections.deque}
_TEXTUAL: dict[type, tuple[str, Callable[[Any], str]]] = {
    int: ("i", hex), float: ("f", float.hex), bytes: ("b", bytes.hex), bytearray: ("B", bytearray.hex),
    decimal.Decimal: ("D", str), fractions.Fraction: ("F", str), datetime.datetime: ("Td", datetime.datetime.isoformat),
    datetime.date: ("Tt", datetime.date.isoformat), datetime.time: ("Ti", datetime.time.isoformat),
}  # fmt: skip
_READERS: dict[str, Callable[[str], Any]] = {
    "i": lambda text: int(text, 16), "f": float.fromhex, "b": bytes.fromhex, "B": bytearray.fromhex,
    "D": decimal.Decimal, "F": fractions.Fraction, "Td": datetime.datetime.fromisoformat,
    "Tt": datetime.date.fromisoformat, "Ti": datetime.time.fromisoformat,
}  # fmt: skip


def encode(value: Any, other: Callable[[Any], list[Any]]) -> Any:
    """Returns the value as JSON.

    Args:
        other: says what stands for an object that is no plain value.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind in _SEQUENCES:
        return [_SEQUENCES[kind], [encode(item, other) for item in value]]
    if kind is dict:
        return ["d", [[encode(key, other), encode(item, other)] for key, item in value.items()]]
    if kind in _TEXTUAL:
        name, write = _TEXTUAL[kind]
        return [name, write(value)]
    if kind is complex:
        return ["c", [value.real.hex(), value.imag.hex()]]
    if kind is range:
        return ["r", [value.start, value.stop, value.step]]
    if kind is datetime.timedelta:
        return ["Te", [value.days, value.seconds, value.microseconds]]
    return _odd(value, other)


def _odd(value: Any, other: Callable[[Any], list[Any]]) -> Any:
    """Returns subclasses as their base, iterators as what they yield, and the rest as what stands for it."""
    if isinstance(value, collections.abc.Iterator) and not callable(value):
        items = []
        for item in value:
            items.append(encode(item, other))
            if len(items) > ITEMS:
                raise ValueError("the iterator does not end")
        return ["it", items]
    if isinstance(value, (collections.abc.KeysView, collections.abc.ValuesView, collections.abc.ItemsView)):
        kind = "l" if isinstance(value, collections.abc.ValuesView) else "s"
        return [kind, [encode(item, other) for item in value]]
    for base in (bool, int, float, str, list, tuple, dict, set, frozenset, collections.deque):
        if isinstance(value, base) and not isinstance(value, type):
            return encode(_plain(base, value), other)
    return other(value)


def _plain(base: type, value: Any) -> Any:
    if base is dict:
        return dict(dict.items(value))
    if base in (list, tuple, set, frozenset, collections.deque):
        return base(base.__iter__(value))
    return base.__int__(value) if base is int else base(value)


def decode(value: Any, other: Callable[[str, Any], Any]) -> Any:
    """Returns the value of its JSON.

    Args:
        other: says what object a mark and its number stand for.
    """
    if not isinstance(value, list):
        return value
    kind, body = value
    if kind in _MAKERS:
        return _MAKERS[kind](decode(item, other) for item in body)
    if kind in _READERS:
        return _READERS[kind](body)
    if kind == "d":
        return {decode(key, other): decode(item, other) for key, item in body}
    if kind == "c":
        return complex(float.fromhex(body[0]), float.fromhex(body[1]))
    if kind == "r":
        return range(*body)
    if kind == "Te":
        return datetime.timedelta(*body)
    if kind == "it":
        return iter([decode(item, other) for item in body])
    return other(kind, body)


def send(descriptor: int, message: Any) -> None:
    """Writes one message.

    Raises:
        ValueError: it is longer than either side reads.
    """
    data = json.dumps(message).encode()
    if len(data) > LONGEST:
        raise ValueError(f"a value of {len(data)} bytes is too long")
    view = memoryview(struct.pack("=I", len(data)) + data)
    while view:
        view = view[os.write(descriptor, view) :]


def receive(descriptor: int) -> Any:
    """Returns the next message.

    Raises:
        EOFError: the other side is gone, or wrote something else.
    """
    (size,) = struct.unpack("=I", b"".join(_exactly(descriptor, 4)))
    if size > LONGEST:
        raise EOFError("a message of impossible length")
    return json.loads(b"".join(_exactly(descriptor, size)))


def _exactly(descriptor: int, size: int) -> Iterator[bytes]:
    while size:
        part = os.read(descriptor, min(size, 1 << 16))
        if not part:
            raise EOFError("the other side is gone")
        size -= len(part)
        yield part
