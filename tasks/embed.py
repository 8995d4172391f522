"""Verb: has texts turned into vectors by an endpoint, and keeps every vector in a folder of Parquet files."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from schemas.errors import EndpointError, UsageError
from storage.files import atomic_file, write_parquet
from tasks.backends import openai_faults as faults
from tasks.backends.http import Client, TransportError
from tasks.backends.limits import Limits
from tasks.backends.openai_scores import Patient
from tasks.backends.openai_spec import Endpoint, parse

log = logging.getLogger(__name__)
BATCH = 64
"""Texts a call."""
AT_ONCE = 16
PART = 4_096
"""Texts a file: what was bought is on the disk before more is asked."""


def embed(texts: pl.Series, spec: str, folder: Path, *, batch: int = BATCH) -> dict[str, int]:
    """Returns how many different texts there are, how many vectors were there, and how many were bought.

    The folder holds Parquet files with columns text and vector, as ``filter: semantic_duplicates`` reads them; asked
    again, it buys what is missing. It is of one model.

    Args:
        spec: ``openai:URL:MODEL``, with the options of any endpoint.

    Raises:
        UsageError: the folder holds another model's vectors.
        EndpointError: the endpoint refuses, or answers something else than vectors.
    """
    options = parse(spec)
    _claim(folder, options.spec)
    wanted = texts.drop_nulls().unique(maintain_order=True)
    files = sorted(folder.glob("*.parquet"))
    held = pl.scan_parquet(files).select("text").collect()["text"] if files else pl.Series([], dtype=pl.String)
    missing = wanted.filter(~wanted.is_in(held.implode())).to_list()
    asyncio.run(_all(missing, options, folder, len(files), batch))
    log.info("%s: %d texts, %d vectors bought of %s", folder, len(wanted), len(missing), options.spec)
    return {"texts": len(wanted), "held": len(wanted) - len(missing), "bought": len(missing)}


def _claim(folder: Path, model: str) -> None:
    note = folder / "model.json"
    if note.is_file():
        known = json.loads(note.read_text(encoding="utf-8"))["model"]
        if known != model:
            raise UsageError(f"{folder} holds vectors of {known}, not of {model}; name another folder")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_file(note) as draft:
        draft.write_text(json.dumps({"model": model}), encoding="utf-8")


async def _all(missing: Sequence[str], options: Endpoint, folder: Path, number: int, batch: int) -> None:
    key = options.key()
    client = Client(
        options.urls[0], {"User-Agent": "pairwright", **({"Authorization": f"Bearer {key}"} if key else {})}
    )
    limits = Limits(options.concurrency, options.start, options.rpm, options.tpm)
    way, gate = Patient(client, limits, options), asyncio.Semaphore(AT_ONCE)

    async def ask(part: Sequence[str]) -> list[list[float]]:
        async with gate:
            return await _vectors(way, part, options)

    try:
        for start in range(0, len(missing), PART):
            part = missing[start : start + PART]
            calls = [part[i : i + batch] for i in range(0, len(part), batch)]
            answers = await asyncio.gather(*map(ask, calls), return_exceptions=True)
            _keep(calls, answers, folder / f"{number + start // PART:06d}.parquet")
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
    except TransportError as error:
        raise EndpointError(f"{options.urls[0]}: {error}; what was bought is kept") from error
    finally:
        await client.close()


def _keep(calls: Sequence[Sequence[str]], answers: Sequence[Any], path: Path) -> None:
    """Writes what came back, whatever became of the other calls."""
    pairs = [pair for call, answer in zip(calls, answers, strict=True) if isinstance(answer, list)
             for pair in zip(call, answer, strict=True)]  # fmt: skip
    if pairs:
        vectors = pl.Series([vector for _, vector in pairs], dtype=pl.List(pl.Float32))
        with atomic_file(path) as draft:
            write_parquet(draft, pl.DataFrame({"text": [text for text, _ in pairs], "vector": vectors}))


async def _vectors(way: Patient, texts: Sequence[str], options: Endpoint) -> list[list[float]]:
    """Returns the vectors of a few texts, in their order."""
    body = orjson.dumps({"model": options.model, "input": list(texts), "encoding_format": "float"})
    response = await way.post("/embeddings", body, options.timeout_s)
    where = f"{options.urls[0]}/embeddings"
    if response.status != 200:
        raise EndpointError(f"{where}: HTTP {response.status}: {faults.message(response)}; what was bought is kept")
    try:
        data: Any = orjson.loads(response.content)["data"]
        found = {int(entry["index"]): [float(number) for number in entry["embedding"]] for entry in data}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise EndpointError(f"{where} answers no embeddings: {error!r}") from error
    if sorted(found) != list(range(len(texts))) or len({len(vector) for vector in found.values()}) != 1:
        raise EndpointError(f"{where} gave {len(found)} vectors for {len(texts)} texts, or vectors of several lengths")
    return [found[place] for place in range(len(texts))]
