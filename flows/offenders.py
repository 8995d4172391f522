"""``pairwright offenders``: the rows behind what a gate said of a version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import yaml

from schemas.errors import UsageError, nearest
from schemas.recipe import Recipe
from schemas.tables import TABLES
from storage.store import Store
from storage.versions import Version, listed, paths_of
from tasks.check import offending
from tasks.score import Step


def offenders(store: Store, name: str, *, check: str | None = None, most: int = 20) -> dict[str, Any]:
    """Returns a version's checks, and at most so many rows behind each that failed, or behind one that is named.

    Args:
        name: a version, quarantined ones among them, or the id of the run that made it.
        check: its name, or its gate's and its own, as in ``basics.length_win_rate``.

    Raises:
        UsageError: no such version or check, or the version was not held against any gate.
    """
    version = _version(store, name)
    checks = orjson.loads(version.gates or "[]")
    if not checks:
        raise UsageError(f"{version.name} was not held against a gate; add one to its recipe, such as `gate: basics`")
    full = [f"{row['gate']}.{row['name']}" for row in checks]
    wanted = [label for label, row in zip(full, checks, strict=True) if not row["success"]]
    if check is not None:
        wanted = [label for label in full if check in (label, label.partition(".")[2])]
        if not wanted:
            raise UsageError(f"{version.name} was not checked for {check!r}; {nearest(check, full)}")
    gates, tables = _gates(store, version), _tables(store, version)
    rows = {}
    for label in wanted:
        gate, _, own = label.partition(".")
        rows[label] = offending(gates[gate], own, tables, most=most).to_dicts()
    return {"version": version.name, "status": version.status, "checks": checks, "rows": rows}


def _version(store: Store, name: str) -> Version:
    made = [version for version in listed(store) if version.run_id == name]
    return made[-1] if made else store.resolve(name)


def _gates(store: Store, version: Version) -> dict[str, Step]:
    """Returns the gates of the version's recipe, with the settings it was run with."""
    rows = store.read("runs").filter(pl.col("run_id") == version.run_id).collect()
    if not rows.height:
        raise UsageError(f"{version.name} was not made by a run ({version.run_id}): its gates are not known")
    recipe = Recipe.model_validate(yaml.safe_load(orjson.loads(rows["resolved"][-1])["yaml"]))
    return {spec.name: Step.of(spec, recipe.name) for spec in recipe.of("gate")}


def _tables(store: Store, version: Version) -> dict[str, Any]:
    """Returns what the gates looked at; of the judgments those by the judges of the run."""
    runs = store.read("runs").filter(pl.col("run_id") == version.run_id).collect()
    judges = list(orjson.loads(runs["outcomes"][-1] or "{}"))
    earlier = [
        other for other in listed(store, version.dataset)
        if other.status == "published" and other.created_at < version.created_at
    ]  # fmt: skip
    paths: dict[str, Any] = {name: store.delta(name).files() for name in ("prompts", "completions")}
    paths["preferences"] = paths_of(store, "preferences", version)
    paths["previous"] = paths_of(store, "preferences", earlier[-1]) if earlier else []
    tables = {
        name: found or TABLES[{"previous": "preferences"}.get(name, name)].empty() for name, found in paths.items()
    }
    return tables | {"judgments": store.read("judgments").filter(pl.col("judge").is_in(judges))}


def write_docs(found: dict[str, Any], folder: Path) -> Path:
    """Writes Great Expectations' Data Docs of what ``offenders`` found; returns their first page.

    Raises:
        UsageError: the folder holds something.
    """
    from tasks.gates._docs import data_docs

    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name another folder for the Data Docs")
    return data_docs(found["version"], found["checks"], folder)
