"""`pairwright compare`: what several recipes made of the same stored answers, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from flows.describe import readable
from schemas.errors import DataError, UsageError
from storage.store import Store
from storage.versions import Version
from tasks.reports import compare as figures
from tasks.reports._frames import items
from tasks.reports.shapes import recognised

_SIDES = {
    "preferences": ("chosen_id", "rejected_id"), "rankings": ("completion_ids",), "examples": ("completion_id",),
    "steps": ("completion_id",),
}  # fmt: skip
_READ = (
    "pair_id", "prompt", "chosen", "rejected", "margin", "strength", "p_chosen", "chosen_policy", "rejected_policy",
)  # fmt: skip


def compare(store: Store, names: Sequence[str], *, gold: Path | None = None) -> dict[str, Any]:
    """Returns each dataset's numbers (``recipes``), what each two share (``overlaps``) and pairs they turn round.

    Args:
        names: datasets, ``dataset@version`` for another version than the newest. gold: pairs that people labelled, in
            any shape that an audit reads; labels and scores that came with replayed answers are known without it.

    Raises:
        UsageError: fewer than two different versions, or one that is not there.
    """
    versions = {version.name: version for version in map(store.resolve, names)}
    if len(versions) < 2:
        raise UsageError(f"name two datasets or more to compare; {', '.join(versions) or 'none'} is not enough")
    labels = _labels(versions)
    rows = {labels[name]: figures.lean(store.read("preferences", version=name)) for name in versions}
    ratings, labelled = _ratings(store), _gold(gold)
    runs = {row["run_id"]: row for row in store.read("runs").collect().iter_rows(named=True)}
    recipes = []
    for name, version in versions.items():
        label, run = labels[name], runs.get(version.run_id) or {}
        counts = orjson.loads(run.get("counts") or "{}")
        prompts = (counts.get("rows") or {}).get("prompts")
        recipes.append({
            "recipe": label, "version": name, "status": version.status, "made": version.primary, "rows": version.rows,
            **figures.measures(rows[label], prompts=prompts), **_others(store, version, prompts),
            "removed": sum(sum(reasons.values()) for reasons in (counts.get("removed") or {}).values()),
            "people": _people(rows[label], ratings, labelled)._asdict(), **_spent(store, version, run),
        })  # fmt: skip
    told = "labels and scores that came with the answers" if ratings.height else None
    return {
        "recipes": recipes, "overlaps": figures.overlaps(rows), "opposed": _examples(store, rows, labels),
        "people": gold.name if gold else told,
    }  # fmt: skip


def _labels(versions: dict[str, Version]) -> dict[str, str]:
    """Returns version name -> the dataset's name alone, where no other version of it is compared."""
    datasets = [version.dataset for version in versions.values()]
    return {name: v.dataset if datasets.count(v.dataset) == 1 else name for name, v in versions.items()}


def _ratings(store: Store) -> pl.DataFrame:
    """Returns completion_id and rating of the completions whose label or score came with the data."""
    score = pl.col("meta").str.json_path_match("$.score").cast(pl.Float64, strict=False)
    rating = pl.coalesce(score, pl.col("label").cast(pl.Float64)).alias("rating")
    return store.read("completions", columns=["completion_id", "label", "meta"]).select(
        "completion_id", rating
    ).drop_nulls().collect(engine="streaming")  # fmt: skip


def _gold(path: Path | None) -> pl.DataFrame | None:
    if path is None:
        return None
    from tasks.read import read_rows

    try:
        gold = recognised(read_rows(path), None).gold
    except ValueError as error:
        raise DataError(str(error), file=str(path)) from error
    texts = gold.select("item_id", "prompt", "first", "second").unique("item_id", keep="first")
    return items(gold).select("item_id", "label").join(texts, on="item_id")


def _others(store: Store, version: Version, prompts: int | None) -> dict[str, Any]:
    """Returns how many prompts have a row, where a version is about something else than pairs."""
    if version.primary == "preferences" or version.primary not in _SIDES:
        return {}
    held = store.read(version.primary, version=version.name).select(pl.col("prompt_id").n_unique()).collect().item()
    return {"prompts": held, "yield": held / prompts if prompts else None}


def _people(rows: pl.DataFrame, ratings: pl.DataFrame, gold: pl.DataFrame | None) -> Any:
    return figures.against_gold(rows, gold) if gold is not None else figures.against_ratings(rows, ratings)


def _spent(store: Store, version: Version, run: dict[str, Any]) -> dict[str, Any]:
    """Returns what the run asked and paid, and the dollars behind the answers and verdicts that its rows stand on."""
    calls = orjson.loads(run.get("calls") or "{}")
    ids = pl.concat([_named(store, version, table) for table in _SIDES if table in version.tables]).unique()
    bought = store.read("completions", columns=["completion_id", "cost"]).join(ids, on="completion_id", how="semi")
    said = store.read("judgments", columns=["judgment_id", "subjects", "cost"]).explode("subjects").join(
        ids, left_on="subjects", right_on="completion_id", how="semi"
    ).unique("judgment_id")  # fmt: skip
    behind = sum(float(part.select(pl.col("cost").sum()).collect().item() or 0.0) for part in (bought, said))
    return {
        "asked": calls.get("asked"), "from_ledger": calls.get("from_ledger"), "cost": run.get("cost"),
        "cost_behind": behind, "seconds": run.get("seconds"),
    }  # fmt: skip


def _named(store: Store, version: Version, table: str) -> pl.LazyFrame:
    """Returns the completion_ids that the rows of a version's table name."""
    held = store.read(table, version=version.name)
    sides = [held.select(pl.col(column).alias("completion_id")) for column in _SIDES[table]]
    return pl.concat([side.explode("completion_id") if table == "rankings" else side for side in sides]).drop_nulls()


def _examples(store: Store, rows: dict[str, pl.DataFrame], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Returns pairs that two recipes hold the other way round, with their texts."""
    names = {label: name for name, label in labels.items()}
    found = []
    for pair in figures.opposed(rows):
        held = store.read("preferences", version=names[pair["a"]]).filter(pl.col("pair_id") == pair["pair_id"])
        found.append({**pair, **readable(held.select(_READ).collect().row(0, named=True))})
    return found
