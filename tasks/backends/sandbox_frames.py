"""Frames on a pipe: four bytes of length and JSON. Standard library only.

Source: none; the simplest framing there is.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any


def read_frame(descriptor: int) -> Any:
    """Returns the next frame, or null at the end of the pipe."""
    head = _exactly(descriptor, 4)
    if head is None:
        return None
    body = _exactly(descriptor, struct.unpack("=I", head)[0])
    return None if body is None else json.loads(body)


def _exactly(descriptor: int, size: int) -> bytes | None:
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_frame(descriptor: int, value: Any) -> None:
    """Writes one frame."""
    body = json.dumps(value).encode()
    data = memoryview(struct.pack("=I", len(body)) + body)
    while data:
        data = data[os.write(descriptor, data) :]
