"""Holds millions of pairs against both gates, and measures them: seconds and memory of each, in a process of its own.

    python -m benchmarks.gates --data FOLDER --pairs 2000000

``FOLDER`` holds ``long.parquet`` (prompt_id, score, completion), sorted by prompt; the pairs are made of neighbours and
kept in ``FOLDER/gates``. Prints one JSON line a step.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from schemas.tables import COMPLETIONS, JUDGMENTS, PREFERENCES, PROMPTS, SCORES, Table
from tasks.gates.basics import basics
from tasks.gates.trust import trust
from tasks.reports.measures import measures

PART = 250_000
STEPS = ("basics", "trust", "measures")


def main() -> None:
    """Makes the tables where they are not there yet, and runs every step in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=2_000_000)
    parser.add_argument("--step", choices=STEPS)
    asked = parser.parse_args()
    folder = asked.data / "gates"
    if asked.step:
        _step(asked.step, folder)
        return
    if not folder.exists():
        _make(asked.data / "long.parquet", folder, asked.pairs)
    for step in STEPS:
        command = [sys.executable, "-m", "benchmarks.gates", "--data", str(asked.data), "--step", step]
        subprocess.run(command, check=True)


def _step(name: str, folder: Path) -> None:
    started = time.perf_counter()
    files = {path.name: [str(file) for file in sorted(path.glob("*.parquet"))] for path in folder.iterdir()}
    empty = JUDGMENTS.empty()
    if name == "basics":
        found = basics(files["preferences"], files["completions"], files["prompts"], empty).height
    elif name == "trust":
        found = trust(files["preferences"], empty, files["preferences"]).height
    else:
        tables = (pl.scan_parquet(files[table]) for table in ("preferences", "completions", "scores"))
        found = measures(*tables).height
    print(json.dumps({
        "step": name, "rows": found, "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time(), 1), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }))  # fmt: skip


def _make(source: Path, folder: Path, pairs: int) -> None:
    rows = pl.scan_parquet(source).head(pairs)
    for start in range(0, pairs, PART):
        part = rows.slice(start, PART + 1).collect().with_row_index("row", offset=start)
        _write(part, folder, start // PART)


def _write(part: pl.DataFrame, folder: Path, number: int) -> None:
    said = pl.struct(role=pl.lit("assistant"), content="completion", tool_calls=pl.lit(None, pl.String),
                     extra=pl.lit(None, pl.String))  # fmt: skip
    begin = pl.concat_str(pl.lit("task "), pl.col("completion").str.slice(0, 120))
    asked = said.struct.with_fields(role=pl.lit("user"), content=begin)
    name = pl.col("prompt_id").cast(pl.String)
    own = pl.concat_str(pl.lit("c"), pl.col("row").cast(pl.String))
    lean = part.select(
        "row", "score", prompt_id=name, completion_id=own, messages=pl.concat_list(said), asked=pl.concat_list(asked)
    )
    other = lean.select(pl.col("completion_id", "messages", "score", "prompt_id").shift(-1))
    two = lean.with_columns(other.rename({column: f"next_{column}" for column in other.columns}))
    two = two.filter(pl.col("prompt_id") == pl.col("next_prompt_id")).with_columns(
        first=pl.col("score") > pl.col("next_score")
    )
    side = {}
    for chosen, (yes, no) in (("chosen", ("", "next_")), ("rejected", ("next_", ""))):
        for column, target in (("completion_id", f"{chosen}_id"), ("messages", chosen), ("score", f"{chosen}_score")):
            side[target] = pl.when("first").then(pl.col(yes + column)).otherwise(pl.col(no + column))
    prompt = pl.col("asked").first().over("prompt_id")
    preferences = two.with_columns(**side).with_columns(
        pair_id=pl.concat_str(pl.lit("pair"), pl.col("row").cast(pl.String)), prompt=prompt, recipe=pl.lit("bench"),
        content_id=pl.col("completion_id"), margin=pl.col("chosen_score") - pl.col("rejected_score"),
        chosen_policy=pl.lit("org/model-7b"), rejected_policy=pl.lit("org/model-7b"),
    )  # fmt: skip
    fixed = {"policy": pl.lit("org/model-7b"), "fingerprint": pl.lit("f"), "sample_index": pl.lit(0),
             "content_id": pl.col("completion_id"), "finish_reason": pl.lit("stop")}  # fmt: skip
    tables = {
        "preferences": (PREFERENCES, preferences), "completions": (COMPLETIONS, lean.with_columns(**fixed)),
        "prompts": (PROMPTS, lean.select("prompt_id", messages="asked").unique("prompt_id")),
        "scores": (SCORES, lean.with_columns(criterion=pl.lit("good"), scorer=pl.lit("mean"), judgments=pl.lit(1))),
    }  # fmt: skip
    for table, (spec, frame) in tables.items():
        (folder / table).mkdir(parents=True, exist_ok=True)
        _filled(spec, frame).write_parquet(folder / table / f"{number:04d}.parquet", compression_level=1)


def _filled(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    log = ("dataset", "run_id", "created_at")
    types = {name: kind for name, kind in table.empty().schema.items() if name not in log}
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name) for name, kind in types.items()
    )


if __name__ == "__main__":
    main()
