"""Verb: writes a version out of the lake, in the shape a trainer loads, with a dataset card beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from schemas.errors import RefusedError, UsageError, boundary
from storage.files import atomic_folder, write_jsonl, write_parquet
from storage.store import Store
from storage.versions import Version
from tasks import registry
from tasks.exports._card import card


def write(
    store: Store, dataset: str, form: str, to: Path, *, jsonl: bool = False, replace: bool = False,
    quarantined: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Writes a version to a folder, whole or not at all, and returns what was written.

    The same version gives the same bytes, wherever and whenever it was made.

    Args:
        dataset: ``name``, ``name@v2`` or ``name@tag``. form: an export block's name.
        jsonl: JSON lines beside the Parquet file. replace: an existing folder may go.
        quarantined: a version that a gate refused may be written.

    Raises:
        UsageError: no such version or format, or the folder is there already.
        RefusedError: the version is in quarantine.
    """
    version = store.resolve(dataset)
    if version.status == "quarantined" and not quarantined:
        raise RefusedError(f"{version.name} was refused by a gate; --quarantined writes it all the same")
    block = registry.find("export", form)
    rows = store.read(block.tables[0], version=version.name).collect()
    with boundary(f"{version.name}, export {form}"):
        shaped: pl.DataFrame = block.function(rows)
    with atomic_folder(to, replace=replace) as draft:
        files = ["train.parquet"]
        write_parquet(draft / "train.parquet", shaped)
        if jsonl:
            write_jsonl(draft / "train.jsonl", shaped.iter_rows(named=True))
            files.append("train.jsonl")
        (draft / "README.md").write_text(
            described(store, version, rows=shaped.height, columns=shaped.columns), encoding="utf-8"
        )
    return {
        "version": version.name,
        "format": form,
        "rows": shaped.height,
        "to": str(to),
        "files": [*files, "README.md"],
    }


def described(
    store: Store, version: Version, *, rows: int, columns: list[str], license: str | None = None,
    configs: Mapping[str, Mapping[str, str]] | None = None,
) -> str:  # fmt: skip
    """Returns the dataset card of a version.

    Args:
        rows, columns: of the main file. configs: name -> split -> file, where there is more than ``train.parquet``.
    """
    runs = store.read("runs").filter(pl.col("run_id") == version.run_id).collect()
    if not runs.height:
        raise UsageError(f"{version.name} names the run {version.run_id!r}, which the lake does not know")
    run = runs.row(0, named=True)
    counts, outcomes = orjson.loads(run["counts"]), orjson.loads(run["outcomes"])
    resolved = orjson.loads(run["resolved"])
    return card(
        name=version.dataset, version=version.version, recipe=str(version.recipe), source=resolved["source"],
        about=resolved["about"], rows=rows, columns=columns, files="train.parquet", configs=configs,
        recipe_yaml=resolved["yaml"], outcomes=outcomes, removed=counts["removed"],
        checks=orjson.loads(version.gates or "[]"), digest=version.digest, license=license,
    )  # fmt: skip
