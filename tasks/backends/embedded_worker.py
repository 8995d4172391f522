"""The process the embedded policy runs in: requests as JSON lines in, replies as JSON lines out, as they finish.

A process of its own, because a batch step is some 150 short NumPy calls that each give up and take back the
interpreter's lock: in a thread they and the driver's event loop would wait for each other.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from tasks.backends.batch import Batch
from tasks.backends.embedded_score import score

ENGINE = "numpy-exact-1"
"""Part of the fingerprint: another number when the arithmetic or the sampling changes what is answered."""


def fingerprint(folder: Path) -> dict[str, str]:
    """Returns what tells this policy apart: hashes of everything that can change an answer."""
    files = {
        "revision": ("config.json", "generation_config.json", "model.safetensors"),
        "tokenizer": ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    }
    found = {"model": f"embedded/{folder.name}", "engine": ENGINE}
    for name, parts in files.items():
        digest = blake2b(digest_size=16)
        for part in parts:
            if (folder / part).exists():
                digest.update((folder / part).read_bytes())
        found[name] = digest.hexdigest()
    return found


def _write(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.buffer.flush()


def _read(lines: queue.SimpleQueue[bytes]) -> None:
    """Queues what the parent says; ends the process when the parent closes the pipe or is gone."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _handle(batch: Batch, line: bytes) -> None:
    from jinja2 import TemplateError

    message = orjson.loads(line)
    tag = message["id"]
    try:
        if "score" in message:
            _write({"id": tag, "tokens": batch.score(message["score"])})
        elif message["ask"]["kind"] == "score":
            _write({"id": tag, **score(batch, message["ask"])})
        else:
            batch.ask(message["ask"], partial(_done, tag))
    except (ValueError, TemplateError) as error:
        _write({"id": tag, "error": str(error) or type(error).__name__})


def _done(tag: int, reply: dict[str, Any]) -> None:
    _write({"id": tag, **reply})


def main(folder: Path) -> None:
    """Serves the checkpoint in the folder until the parent closes the pipe."""
    try:
        batch = Batch(folder)
    except (OSError, ValueError, KeyError) as error:
        _write({"failed": f"{type(error).__name__}: {error}"})
        return
    _write({"ready": fingerprint(folder)})
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        while not batch.busy or not lines.empty():
            _handle(batch, lines.get())
        batch.step()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
