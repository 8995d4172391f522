"""Curates millions of scored completions without a model: exact and near-duplicates, decontamination, three pair sets.

    python -m benchmarks.curation --data FOLDER --out FOLDER

``FOLDER`` holds ``long.parquet`` (prompt_id, sample_id, score, n_words, completion) and ``bench.parquet`` (question).
Prints one JSON line: seconds a step, rows taken out, pairs written, peak memory. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from tasks.texts.minhash import near
from tasks.texts.overlap import index, overlaps

STEPS: dict[str, float] = {}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Notes how long a step took."""
    start = time.perf_counter()
    yield
    STEPS[name] = round(time.perf_counter() - start, 2)


def main() -> None:
    """Runs every step and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--gap", type=float, default=3.0, help="margin pairs differ by more than this")
    parser.add_argument("--ratio", type=float, default=0.5, help="shorter over longer text, in words, at least")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    started, found = time.perf_counter(), {}
    with step("read"):
        rows = pl.read_parquet(asked.data / "long.parquet").with_row_index("row")
        items = pl.read_parquet(asked.data / "bench.parquet")["question"]
    total = rows.height
    with step("exact duplicates"):
        text = pl.col("completion").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
        rows = rows.filter(text.hash().is_first_distinct())
        found["exact"] = total - rows.height
    with step("decontamination"):
        dirty = overlaps(rows["completion"], index(items, run=13)).text
        found["overlaps"] = len(dirty)
    with step("near-duplicates"):
        alike = near(rows["completion"], threshold=asked.threshold).row
        found["near"] = len(alike)
    gone = pl.concat([pl.Series(dirty), pl.Series(alike)]).unique()
    rows = rows.with_row_index("place").filter(~pl.col("place").is_in(gone.cast(pl.UInt32).implode())).drop("place")
    with step("pairs and writing"):
        pairs = {
            name: _write(rows, lean, asked.out / f"{name}.parquet", asked.ratio)
            for name, lean in _pairs(rows, asked.gap)
        }
    print(json.dumps({
        "rows": total, "wall_s": round(time.perf_counter() - started, 1), "cpu_s": round(time.process_time(), 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, "steps": STEPS, "removed": found,
        "pairs": pairs,
    }))  # fmt: skip


def _pairs(rows: pl.DataFrame, gap: float) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yields best against worst, best against two deviations below the mean, and all pairs over a margin."""
    lean = rows.select("prompt_id", "row", "score")
    best = pl.col("row").sort_by("score").last()
    ends = lean.group_by("prompt_id").agg(
        c=best, r=pl.col("row").sort_by("score").first(), mean=pl.col("score").mean(),
        sd=pl.col("score").std(ddof=0), n=pl.len(),
    ).filter(pl.col("n") > 1)  # fmt: skip
    yield "bw", ends.select("c", "r")
    low = lean.join(ends.drop("r"), on="prompt_id").filter(pl.col("row") != pl.col("c"))
    near_low = (pl.col("score") - (pl.col("mean") - 2 * pl.col("sd"))).abs()
    yield "sigma", low.group_by("prompt_id").agg(c=pl.col("c").first(), r=pl.col("row").sort_by(near_low).first())
    both = lean.lazy().join(lean.lazy(), on="prompt_id", suffix="_r")
    yield "margin", both.filter(pl.col("score") - pl.col("score_r") > gap).select(c="row", r="row_r").collect()


def _write(rows: pl.DataFrame, lean: pl.DataFrame, path: Path, ratio: float) -> int:
    """Writes the pairs of similar length with both texts, joined once and last; returns how many."""
    small = rows.select("row", "n_words")
    kept = (
        lean.join(small, left_on="c", right_on="row").join(small, left_on="r", right_on="row", suffix="_r")
        .filter(pl.min_horizontal("n_words", "n_words_r") / pl.max_horizontal("n_words", "n_words_r") >= ratio)
    )  # fmt: skip
    texts = rows.select("row", "completion")
    whole = kept.select("c", "r").join(texts.rename({"completion": "chosen"}), left_on="c", right_on="row")
    whole = whole.join(texts.rename({"completion": "rejected"}), left_on="r", right_on="row")
    whole.select("chosen", "rejected").write_parquet(path, compression="zstd", compression_level=1)
    return whole.height


if __name__ == "__main__":
    main()
