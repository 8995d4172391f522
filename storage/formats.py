"""The lake's format: its number, and what a lake of the first format needs so that its answers are found as before.

Format 1 has no number. It made the seeds of a question from the prompt's id, which covers reference, tests and group;
format 2 makes them from what is asked. So a lake that comes from format 1 holds ``elders.parquet``: for every prompt it
had, the id that its seeds were made of. Whatever changes here only adds files: no row of the lake is written again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler

from schemas.errors import StoreError
from schemas.ids import prompt_key
from storage.delta import Root
from storage.files import atomic_file

if TYPE_CHECKING:
    from storage.store import Store

FORMAT = 2
FILE, ELDERS = "format.json", "elders.parquet"


def format_of(root: Root) -> int | None:
    """Returns the number a lake says it has; null for none, which is format 1 or an empty lake.

    Raises:
        StoreError: it is newer than this program, or no number.
    """
    text = _read(root, FILE)
    if text is None:
        return None
    try:
        number = int(orjson.loads(text)["format"])
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{root.at(FILE)} holds no format number: {error}; restore it, or move it away") from error
    if number > FORMAT:
        raise StoreError(
            f"the lake at {root} has format {number}, and this Pairwright knows up to {FORMAT}: "
            "install a newer Pairwright, or choose another --root"
        )
    return number


def migrate(store: Store) -> int:
    """Brings a lake to today's format, and returns the format it had; does nothing where it has that already.

    Raises:
        StoreError: the lake cannot be written; it is as it was.
    """
    number = format_of(store.root)
    if number == FORMAT:
        return FORMAT
    found = 1 if _is_older(store) else FORMAT
    if found == 1:
        frame = pl.DataFrame(list(_elders_of_first(store).items()), schema=["name", "elder"], orient="row")
        _write(store.root, ELDERS, frame)
    _write(store.root, FILE, orjson.dumps({"format": FORMAT, "from": found}))
    return found


def elders(store: Store) -> dict[str, str]:
    """Returns prompt id or key -> the id that its seeds were made of; empty for a lake that began with format 2.

    A prompt that is there goes by its own id. A new row of the same messages (a corrected reference) goes by the id of
    the first one, so that its answers are found.
    """
    if format_of(store.root) is None:
        return _elders_of_first(store) if _is_older(store) else {}
    data = _read(store.root, ELDERS)
    return {} if data is None else dict(pl.read_parquet(data).select("name", "elder").iter_rows())


def from_first(store: Store) -> bool:
    """Whether a lake began with format 1."""
    return _read(store.root, ELDERS) is not None


def carry(store: Store, other: Store) -> None:
    """Gives another lake, an empty one, the elders of this one."""
    frame = pl.DataFrame(list(elders(store).items()), schema={"name": pl.String, "elder": pl.String}, orient="row")
    _write(other.root, ELDERS, frame)
    _write(other.root, FILE, orjson.dumps({"format": FORMAT, "from": FORMAT}))


def _is_older(store: Store) -> bool:
    return any(store.delta(name).version >= 0 for name in ("runs", "prompts"))


def _elders_of_first(store: Store) -> dict[str, str]:
    """Returns the elders of a lake of format 1: every prompt by its id, and every text by its first prompt's."""
    found: dict[str, str] = {}
    rows = store.read("prompts", ["prompt_id", "messages", "created_at"]).collect().sort("created_at", "prompt_id")
    for prompt_id, messages in rows.select("prompt_id", "messages").iter_rows():
        key = prompt_key(messages)
        if key != prompt_id:
            found[prompt_id] = prompt_id
            found.setdefault(key, prompt_id)
        else:
            found[key] = key  # asked without a reference, too: these answers count for every later row of the text
    return found


def _read(root: Root, name: str) -> bytes | None:
    if root.folder is not None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return (root.folder / name).read_bytes()
        return None
    with contextlib.suppress(OSError, DeltaError):
        file: Any = DeltaStorageHandler(root.uri, dict(root.options)).open_input_file(name)
        return bytes(file.read())
    return None


def _write(root: Root, name: str, data: bytes | pl.DataFrame) -> None:
    from io import BytesIO

    if isinstance(data, pl.DataFrame):
        buffer = BytesIO()
        data.write_parquet(buffer)
        data = buffer.getvalue()
    if root.folder is None:
        with DeltaStorageHandler(root.uri, dict(root.options)).open_output_stream(name) as sink:
            sink.write(data)
        return
    with atomic_file(Path(root.at(name))) as draft:
        draft.write_bytes(data)
