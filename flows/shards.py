"""What happens to a shard when its last answer is there: facts are committed, rows are scored, selected and curated.

Everything derived is spooled to Parquet under ``<root>/work/<run id>``, so that memory holds one shard, not the run.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from flows.plan import Plan
from flows.result import Counts
from schemas.messages import text_of
from schemas.notes import note
from schemas.tables import PREFERENCES, SCORES, TABLES
from storage.store import Store
from tasks.answer import Answered
from tasks.curate import REMOVED, curate
from tasks.driver import Rows
from tasks.score import Step, score
from tasks.select import LOG, select, whole

log = logging.getLogger(__name__)
TEXTS = ("prompt", "chosen", "rejected")
HEAVY = ("tokens", "token_logprobs")
MADE = ("preferences", "rankings", "examples", "steps", "scores", "removals")
LAST = 9_000_001
"""Number of the first spool file that holds what was found over all rows."""


@dataclass
class Spool:
    """Where a run's derived rows wait to be published: one Parquet file a table and shard."""

    folder: Path
    counts: Counts = field(default_factory=Counts)

    def start(self) -> None:
        """Empties the folder: what is derived is derived again, from answers that are kept elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def write(self, name: str, index: int, frame: pl.DataFrame) -> None:
        """Writes one shard's rows of a table."""
        if frame.height:
            (self.folder / name).mkdir(exist_ok=True)
            frame.write_parquet(self.folder / name / f"{index:07d}.parquet", compression="zstd", compression_level=1)

    def files(self, name: str) -> list[Path]:
        """Returns a table's files in the order of the shards."""
        return sorted((self.folder / name).glob("*.parquet"))

    def remove(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def judged(plan: Plan) -> Callable[[Rows], Rows] | None:
    """Returns what takes out completions before anybody is asked about them, null where the recipe has no such filter.

    It is a filter of completions that stands before the recipe's first judge and looks at one prompt at a time. What it
    takes out is removed, and written down, with the shard.
    """
    blocks = plan.recipe.blocks
    first = next((place for place, spec in enumerate(blocks) if spec.verb == "judge"), 0)
    steps = [Step.of(spec, plan.recipe.name) for spec in blocks[:first] if spec.verb == "filter"]
    early = [s for s in steps if s.block.tables == ("completions",) and s.block.mark.scope == "prompt"]
    if not early:
        return None

    def kept(rows: Rows) -> Rows:
        gone = set(curate({"completions": frame(rows, "completions")}, early).removals["row_id"])
        return [row for row in rows if row["completion_id"] not in gone]

    return kept


def finish(shard: Answered, plan: Plan, store: Store, spool: Spool, run_id: str) -> None:
    """Commits one shard's facts, and spools what its scorers, selectors and filters make of them."""
    completions, judgments = frame(shard.completions, "completions"), frame(shard.judgments, "judgments")
    store.append("prompts", shard.prompts, run_id=run_id)
    store.append("completions", completions, run_id=run_id)
    store.append("judgments", judgments, run_id=run_id)
    nodes = frame(shard.nodes, "nodes")
    store.append("nodes", nodes, run_id=run_id)
    spool.counts.rows["nodes"] += nodes.height
    spool.counts.add_answers(shard.completions, shard.judgments)
    spool.counts.rows["prompts"] += shard.prompts.height
    spool.write("judgments", shard.number, judgments.drop("raw", "rationale"))
    tables = {
        "prompts": shard.prompts, "completions": completions, "judgments": judgments, "nodes": nodes,
        "audits": plan.audits,
    }  # fmt: skip
    if plan.late:
        spool.write("nodes", shard.number, nodes)
        spool.write("prompts", shard.number, shard.prompts)
        spool.write("completions", shard.number, completions.drop(HEAVY))
        return
    tables, removed = curate(tables, plan.before)
    tables["scores"] = scored(tables, plan)
    _spool(shard.number, select(tables, plan.selectors), tables, plan, spool, removed)
    spool.write("scores", shard.number, tables["scores"])
    spool.counts.rows["scores"] += tables["scores"].height


def scored(tables: dict[str, pl.DataFrame], plan: Plan) -> pl.DataFrame:
    """Returns the scores, an empty table where the recipe has no scorer."""
    return score(tables, plan.scorers) if plan.scorers else SCORES.empty().drop(LOG)


def _spool(
    number: int, chosen: dict[str, pl.DataFrame], tables: dict[str, pl.DataFrame], plan: Plan, spool: Spool,
    removed: pl.DataFrame,
) -> None:  # fmt: skip
    """Fills in the rows chosen of one shard, curates the pairs among them, and spools all."""
    made = {name: whole(name, lean, tables, plan.recipe.name) for name, lean in chosen.items()}
    if "preferences" in made:
        curated = curate({**tables, "preferences": made["preferences"]}, plan.after)
        made["preferences"], removed = curated.tables["preferences"], pl.concat([removed, curated.removals])
    for name, rows in made.items():
        spool.write(name, number, rows)
    spool.write("removals", number, removed)
    spool.counts.add_removals(removed)


def frame(rows: Rows, name: str) -> pl.DataFrame:
    """Returns rows as a frame with the table's columns and types, log columns left out."""
    kept = pa.schema([field for field in TABLES[name].schema if field.name not in LOG])
    return pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(rows, schema=kept)))  # four times faster than from dicts


def conclude(plan: Plan, spool: Spool) -> None:
    """Applies the blocks that must see all rows: to ids and numbers; texts only for those that ask for them."""
    if plan.late:
        _select_late(plan, spool)
    files = spool.files("preferences")
    if not plan.last or not files:
        return
    tables = {"audits": plan.audits, "preferences": pl.concat([pl.read_parquet(file).drop(TEXTS) for file in files])}
    for name in {name for step in plan.last for name in step.block.tables} - tables.keys():
        tables[name] = _whole_table(spool, name)
    for asks, steps in groupby(plan.last, key=lambda step: step.block.mark.texts):
        if asks:
            lean = tables["preferences"]
            tables["preferences"] = pl.concat([_with_texts(lean, file) for file in files])
        own = list(steps)
        tables, removals = curate(tables, own)
        _warn(tables["preferences"], own)
        if asks:
            tables["preferences"] = tables["preferences"].drop(TEXTS)
        _add_removals(spool, removals)
    for file in files:
        rows = _with_texts(tables["preferences"], file)
        columns = [name for name in PREFERENCES.schema.names if name in rows.columns]
        file.unlink() if not rows.height else rows.select(columns).write_parquet(file)


def _warn(rows: pl.DataFrame, steps: list[Step]) -> None:
    """Logs what a posterior noted of its claims: pairs unlike the audited ones, audits without margins."""
    if "meta" not in rows.columns or not any(step.block.name == "posterior" for step in steps):
        return
    for key, says in (("unlike", "the pairs are unlike those its judges were audited on, by"), ("audit", "it used")):
        noted = rows.select(note(key).drop_nulls().unique().sort()).to_series().to_list()
        if noted:
            log.warning("weight: posterior: %s %s", says, "; ".join(noted))


def _with_texts(lean: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Returns the rows of one shard that are left, with their texts; those of a pair turned round change places."""
    texts = pl.read_parquet(file, columns=["pair_id", "chosen_id", *TEXTS]).rename({"chosen_id": "_chosen_id"})
    rows = texts.join(lean, on="pair_id", how="inner", maintain_order="left")
    turned = pl.col("_chosen_id") != pl.col("chosen_id")
    return rows.with_columns(
        chosen=pl.when(turned).then("rejected").otherwise("chosen"),
        rejected=pl.when(turned).then("chosen").otherwise("rejected"),
    ).drop("_chosen_id")


def _whole_table(spool: Spool, name: str) -> pl.DataFrame:
    frames = [pl.read_parquet(file) for file in spool.files(name)]
    return pl.concat(frames) if frames else TABLES[name].empty().drop(LOG, strict=False)


def _add_removals(spool: Spool, removals: pl.DataFrame) -> None:
    late = [int(file.stem) for file in spool.files("removals") if int(file.stem) >= LAST]
    spool.write("removals", max(late, default=LAST - 1) + 1, removals)
    spool.counts.add_removals(removals)


def _select_late(plan: Plan, spool: Spool) -> None:
    """Scores and selects over all rows at once, then fills in texts shard by shard."""
    tables = {"audits": plan.audits}
    for name in ("prompts", "completions", "judgments", "nodes"):
        tables[name] = _whole_table(spool, name)
    size = pl.col("messages").list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()
    tables["completions"] = tables["completions"].with_columns(characters=size)
    if not any(step.block.mark.texts for step in (*plan.before, *plan.scorers, *plan.selectors)):
        tables["completions"] = tables["completions"].drop("messages")
    tables, removed = curate(tables, plan.before)
    tables["scores"] = scored(tables, plan)
    spool.write("scores", LAST, tables["scores"])
    spool.counts.rows["scores"] += tables["scores"].height
    chosen = select(tables, plan.selectors)
    for file in spool.files("prompts"):
        number = int(file.stem)
        own = {name: pl.read_parquet(spool.folder / name / file.name) for name in ("prompts", "completions")}
        ids = own["prompts"].select("prompt_id")
        lean = {name: rows.join(ids, on="prompt_id", how="semi") for name, rows in chosen.items()}
        if "preferences" in lean:
            own["completions"] = _with_strangers(own["completions"], lean["preferences"], spool)
        more = {name: tables[name].join(ids, on="prompt_id", how="semi") for name in ("judgments", "scores")}
        _spool(number, lean, {**own, **more, "audits": plan.audits}, plan, spool, pl.DataFrame(schema=REMOVED))
    spool.write("removals", LAST - 1, removed)
    spool.counts.add_removals(removed)


def _with_strangers(own: pl.DataFrame, lean: pl.DataFrame, spool: Spool) -> pl.DataFrame:
    """Returns a shard's completions, and those of other shards that its pairs name: answers to a prompt's variant."""
    named = pl.concat([lean["chosen_id"], lean["rejected_id"].alias("chosen_id")]).unique()
    absent = named.filter(~named.is_in(own["completion_id"].implode()))
    if "chosen" in lean.columns or not len(absent):
        return own
    wanted = pl.col("completion_id").is_in(absent.implode())
    found = [pl.scan_parquet(file).filter(wanted).collect() for file in spool.files("completions")]
    return pl.concat([own, *found])


def published(spool: Spool) -> dict[str, list[Path]]:
    """Returns what is to be published: table -> files."""
    return {name: files for name in MADE if (files := spool.files(name))}


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
