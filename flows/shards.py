"""What happens to a shard when its last answer is there: facts are committed, rows are scored, selected and curated.

Everything derived is spooled to Parquet under ``<root>/work/<run id>``, so that memory holds one shard, not the run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from flows.plan import Plan
from flows.result import Counts
from schemas.messages import text_of
from schemas.tables import COMPLETIONS, JUDGMENTS, PREFERENCES, SCORES
from storage.store import Store
from tasks.answer import Answered
from tasks.curate import Curated, curate
from tasks.driver import Rows
from tasks.score import score
from tasks.select import LOG, select

TEXTS = ("prompt", "chosen", "rejected")
GATED = ("judgment_id", "judge", "fingerprint", "kind", "criterion", "outcome", "comparison", "comparison_id", "flags")


@dataclass
class Spool:
    """Where a run's derived rows wait to be published: one Parquet file a table and shard."""

    folder: Path
    counts: Counts = field(default_factory=Counts)

    def start(self) -> None:
        """Empties the folder: what is derived is derived again, from answers that are kept elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("preferences", "scores", "removals", "judgments"):
            (self.folder / name).mkdir(parents=True)

    def write(self, name: str, index: int, frame: pl.DataFrame) -> None:
        """Writes one shard's rows of a table."""
        if frame.height:
            frame.write_parquet(self.folder / name / f"{index:07d}.parquet", compression="zstd", compression_level=1)

    def files(self, name: str) -> list[Path]:
        """Returns a table's files in the order of the shards."""
        return sorted((self.folder / name).glob("*.parquet"))

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def finish(shard: Answered, plan: Plan, store: Store, spool: Spool, run_id: str) -> None:
    """Commits one shard's facts, and spools what its scorers, selectors and filters make of them."""
    completions, judgments = frame(shard.completions, "completions"), frame(shard.judgments, "judgments")
    store.append("prompts", shard.prompts, run_id=run_id)
    store.append("completions", completions, run_id=run_id)
    store.append("judgments", judgments, run_id=run_id)
    tables: dict[str, pl.DataFrame] = {"prompts": shard.prompts, "completions": completions, "judgments": judgments}
    tables, removed = curate(tables, plan.before)
    tables["scores"] = score(tables, plan.scorers) if plan.scorers else SCORES.empty().drop(LOG)
    tables["preferences"] = select(tables, plan.selectors, plan.recipe.name)
    curated = curate(tables, plan.after)
    removals = pl.concat([removed, curated.removals])
    spool.write("scores", shard.number, tables["scores"])
    spool.write("removals", shard.number, removals)
    spool.write("judgments", shard.number, judgments.select(GATED))
    spool.write("preferences", shard.number, curated.tables["preferences"])
    spool.counts.add_answers(shard.completions, shard.judgments)
    spool.counts.add_removals(removals)
    spool.counts.rows["prompts"] += shard.prompts.height
    spool.counts.rows["scores"] += tables["scores"].height


def frame(rows: Rows, name: str) -> pl.DataFrame:
    """Returns rows as a frame with the table's columns and types, log columns left out."""
    table = {"completions": COMPLETIONS, "judgments": JUDGMENTS}[name]
    schema = {column: dtype for column, dtype in table.empty().schema.items() if column not in LOG}
    return pl.DataFrame(rows, schema=schema, orient="row")


def conclude(plan: Plan, spool: Spool) -> None:
    """Applies the blocks that must see all rows, to everything but the texts, and rewrites the spool to match."""
    files = spool.files("preferences")
    if not plan.last or not files:
        return
    lean = pl.concat([pl.read_parquet(file).drop(TEXTS) for file in files])
    curated: Curated = curate({"preferences": lean}, plan.last)
    kept = curated.tables["preferences"]
    for file in files:
        texts = pl.read_parquet(file, columns=["pair_id", *TEXTS])
        rows = texts.join(kept, on="pair_id", how="inner", maintain_order="left")
        columns = [name for name in PREFERENCES.schema.names if name in rows.columns]
        file.unlink() if not rows.height else rows.select(columns).write_parquet(file)
    spool.write("removals", 9_999_999, curated.removals)
    spool.counts.add_removals(curated.removals)


def published(spool: Spool) -> dict[str, list[Path]]:
    """Returns what is to be published: table -> files."""
    return {name: files for name in ("preferences", "scores", "removals") if (files := spool.files(name))}


def examples(spool: Spool, count: int = 5) -> list[dict[str, Any]]:
    """Returns the first pairs of the dataset, as a person reads them."""
    found: list[dict[str, Any]] = []
    for file in spool.files("preferences"):
        rows = pl.read_parquet(file, n_rows=count - len(found))
        for row in rows.iter_rows(named=True):
            texts = {name: text_of(row[name]) for name in TEXTS}
            found.append({"pair_id": row["pair_id"], **texts, "margin": row["margin"]})
        if len(found) >= count:
            break
    return found
