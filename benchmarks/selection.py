"""Every selector, filter and weighter over two million completions, against reading and writing them alone.

    python -m benchmarks.selection                          2,000,000 completions of 100,000 prompts
    python -m benchmarks.selection --prompts 5000 --only best_vs_worst,strength

Made once and kept under ``--data``: completions with texts of about 120 words, scores by three criteria, verdicts of
two judges, and ten pairs a prompt (a million). A block that works prompt by prompt is given 2,500 prompts at a time;
one that must see all rows is given ids and numbers of all, as in a run. In a block's time are reading its tables, with
texts where it works prompt by prompt, and writing its result: a selector's rows, the rows a filter leaves, the pairs
with a weighter's columns. Prints a line a block: seconds, CPU seconds, how many times what reading and writing the
completions takes (both by CPU, which other work on the machine disturbs less), and the peak memory so far. Blocks over
trees and tokens have their own benchmarks; those in ``ELSEWHERE`` are measured only if named.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.engine_replies import words
from schemas.blocks import FAMILIES
from schemas.errors import RecipeError
from schemas.recipe import BlockSpec
from schemas.tables import TABLES
from tasks import registry
from tasks.score import Step
from tasks.select import whole

SAMPLES, SHARD, PAIRS = 20, 2500, 10
TEXTS = ("prompt", "chosen", "rejected")
HEAVY = ("messages", "tokens", "token_logprobs")
KEYS = {"preferences": "pair_id", "completions": "completion_id"}
CRITERIA = ("overall", "correct", "brevity")
MANY = {"criteria": ["overall", "brevity"], "factors": ["correct", "overall"], "constraints": {"correct": 1.0},
        "weights": {"overall": 0.7, "brevity": 0.3}, "right": "correct", "better": "overall", "reward": "overall",
        "ranking": "overall", "other": "brevity", "better_than": None}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "by_construction": {"better": "model-0", "worse": "model-1", "by": "policy"}, "stage_by": {"order": ["s0", "s1"]},
    "logit_scale": {"at_least": 5.0}, "language_is": {"languages": ["en"]}, "balance": {"most": 100_000},
    "decontaminate": {"against": ["a text that nobody would ever think of asking for in here, not even by chance"]},
    "length_bounds": {"most": 2000, "ratio": 3.0}, "score_bounds": {"least_chosen": 1.0},
    "weak_pairs": {"weakest": 0.1}, "pass_rate": {"criterion": "correct"}, "repeats": {"criterion": "correct"},
    "correct_vs_wrong": {"criterion": "correct", "per_prompt": 8}, "all_pairs": {"min_margin": 4.0},
    "objective_margins": {"weights": {"brevity": 0.3}},
    "outcome_examples": {"criterion": "correct"}, "posterior": {"unaudited_accuracy": 0.8},
    "subset": {"share": 0.5}, "diverse_subset": {"keep": 1000}, "toxic": {"criteria": ["brevity"]},
}  # fmt: skip
MOST = 6
"""Pairs a prompt, where a block would make all there are: ten million and more here."""
ELSEWHERE = {
    "token_pairs": "tokens", "goal_positions": "tokens", "likelihoods": "conditions", "likelihood_order": "conditions",
    "needless_hints": "hints", "semantic_duplicates": "benchmarks/curation.py", "knockout": "every duel",
    "language_is": "a model of language: 18 times, measured by --only", "presidio": "a model of names",
    "diverse_subset": "vectors of texts",
    "near_duplicates": "benchmarks/curation.py", "decontaminate": "benchmarks/curation.py",
}  # fmt: skip
"""Blocks that are not measured here -> what they need, or where they are."""


def make(folder: Path, prompts: int) -> None:
    """Writes the tables, a file a shard."""
    for number, start in enumerate(range(0, prompts, SHARD)):
        random = np.random.default_rng(number)
        count = min(SHARD, prompts - start)
        shard = _facts(random, start, count)
        shard["preferences"] = _pairs(random, shard)
        for name, rows in shard.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            rows.write_parquet(folder / name / f"{number:05d}.parquet", compression="zstd", compression_level=1)


def _ids(random: np.random.Generator, count: int) -> list[str]:
    raw = random.bytes(16 * count).hex()
    return [raw[place : place + 32] for place in range(0, 32 * count, 32)]


def _facts(random: np.random.Generator, start: int, count: int) -> dict[str, pl.DataFrame]:
    prompt_ids, rows = _ids(random, count), count * SAMPLES
    asked = [[{"role": "user", "content": f"Question {start + i}: {words(i, 300)}"}] for i in range(count)]
    prompts = _table("prompts", {"prompt_id": prompt_ids, "messages": asked, "reference": ["1"] * count,
                                 "source": [f"s{i % 2}" for i in range(count)]})  # fmt: skip
    sizes, places = random.integers(200, 1300, rows), random.integers(0, 1 << 30, rows)
    said = [words(int(place), int(size)) for place, size in zip(places, sizes, strict=True)]
    owner = [prompt_id for prompt_id in prompt_ids for _ in range(SAMPLES)]
    ids = _ids(random, rows)
    completions = _table("completions", {
        "completion_id": ids, "prompt_id": owner, "policy": [f"model-{i % 4}" for i in range(rows)],
        "fingerprint": ["f"] * rows, "sample_index": list(range(SAMPLES)) * count, "content_id": _ids(random, rows),
        "messages": [[{"role": "assistant", "content": text}] for text in said], "finish_reason": ["stop"] * rows,
        "completion_tokens": (sizes // 5).tolist(), "logprob": (-sizes / 20.0).tolist(),
        "reference_logprob": (-sizes / 19.0).tolist(),
    })  # fmt: skip
    numbers = {"overall": random.uniform(0, 10, rows), "correct": random.integers(0, 2, rows).astype(float),
               "brevity": 1000.0 / sizes}  # fmt: skip
    scores = pl.concat([
        _table("scores", {"completion_id": ids, "prompt_id": owner, "criterion": [name] * rows,
                          "scorer": ["mean"] * rows, "score": numbers[name].tolist(), "judgments": [1] * rows})
        for name in CRITERIA
    ])  # fmt: skip
    judgments = pl.concat([
        _table("judgments", {
            "judgment_id": _ids(random, rows), "prompt_id": owner, "judge": [judge] * rows,
            "fingerprint": [judge] * rows, "kind": ["pointwise"] * rows, "subjects": [[each] for each in ids],
            "criterion": ["overall"] * rows, "outcome": ["valid"] * rows,
            "score": (numbers["overall"] + random.normal(0, 1, rows)).tolist(),
        }) for judge in ("first", "second")
    ])  # fmt: skip
    return {"prompts": prompts, "completions": completions, "scores": scores, "judgments": judgments}


def _table(name: str, columns: dict[str, Any]) -> pl.DataFrame:
    types = {c: t for c, t in TABLES[name].empty().schema.items() if c not in ("dataset", "run_id", "created_at")}
    made = pl.DataFrame(columns, schema_overrides={name: types[name] for name in columns})
    return made.with_columns(pl.lit(None, t).alias(c) for c, t in types.items() if c not in columns).select(*types)


def _pairs(random: np.random.Generator, shard: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Returns ten pairs a prompt of neighbouring completions, each completion in one."""
    overall = shard["scores"].filter(pl.col("criterion") == "overall").select("completion_id", "prompt_id", "score")
    one, other = overall[::2], overall[1::2]
    up = pl.Series(one["score"] >= other["score"])
    lean = pl.DataFrame({
        "prompt_id": one["prompt_id"], "chosen_id": one["completion_id"].zip_with(up, other["completion_id"]),
        "rejected_id": other["completion_id"].zip_with(up, one["completion_id"]), "criterion": "overall",
        "chosen_score": one["score"].zip_with(up, other["score"]),
        "rejected_score": other["score"].zip_with(up, one["score"]), "margin": (one["score"] - other["score"]).abs(),
        "strength": random.normal(1, 1, one.height), "strength_std": random.uniform(0, 1, one.height),
        "p_chosen": random.uniform(0, 1, one.height), "level": "s", "weight": 1.0,
    })  # fmt: skip
    return whole("preferences", lean, shard, "benchmark")


def blocks(only: list[str]) -> Iterator[Step]:
    """Yields every block of the three families that is measured here, with parameters for these tables."""
    for verb in ("select", "filter", "weight"):
        for name, block in sorted(registry.family(verb).items()):
            if (only and name not in only) or (not only and (name in ELSEWHERE or "nodes" in block.tables)):
                continue
            fields = block.params.model_fields
            given = {key: value for key, value in MANY.items() if key in fields and fields[key].is_required()}
            if "criterion" in fields and "scores" in block.tables:
                given["criterion"] = "overall"
            given |= ({"per_prompt": MOST} if "per_prompt" in fields else {}) | GIVEN.get(name, {})
            try:
                yield Step.of(BlockSpec(verb=verb, name=name, params=given), "benchmark")
            except RecipeError as error:
                print(f"{name:34} not measured: {error}", flush=True)


def baseline(folder: Path, out: Path) -> dict[str, float]:
    """Returns what reading and writing the completions takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    for file in sorted((folder / "completions").glob("*.parquet")):
        pl.read_parquet(file).write_parquet(out / "same.parquet", compression="zstd", compression_level=1)
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def measure(step: Step, folder: Path, out: Path) -> dict[str, Any]:
    """Returns what a block takes over all shards, with what it reads and writes."""
    files = [file.name for file in sorted((folder / "completions").glob("*.parquet"))]
    rows, wall, cpu = 0, time.perf_counter(), time.process_time()
    late = step.block.mark.scope == "dataset"
    for group in [files] if late else [[name] for name in files]:
        tables = {name: _read(folder, name, group, late, step) for name in step.block.tables}
        found = step(tables)
        if step.block.verb == "filter" and not late:
            own = step.block.tables[0]
            found = tables[own].join(found, left_on=KEYS[own], right_on="row_id", how="anti")
        found.write_parquet(out / "result.parquet", compression="zstd", compression_level=1)
        rows += found.height
    return {"rows": rows, "wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def _read(folder: Path, name: str, files: list[str], late: bool, step: Step) -> pl.DataFrame:
    if name == "audits":
        return TABLES[name].empty()
    held = pl.scan_parquet([folder / name / file for file in files])
    if late and name == "completions":
        size = pl.col("messages").list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()
        held = held.with_columns(characters=size)
        held = held if step.block.mark.texts else held.drop(HEAVY)
    if late and name == "preferences" and not step.block.mark.texts:
        held = held.drop(TEXTS)
    return held.collect(engine="streaming") if late else held.collect()


def main() -> None:
    """Measures every block and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=Path("/tmp/pairwright-selection"))
    parser.add_argument("--only", default="", help="names of blocks, by commas")
    asked = parser.parse_args()
    folder = asked.data / str(asked.prompts)
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make(folder, asked.prompts)
        (folder / "made").touch()
    out = asked.data / "out"
    out.mkdir(exist_ok=True)
    base = min((baseline(folder, out) for _ in range(2)), key=lambda found: found["cpu_s"])
    rows = asked.prompts * SAMPLES
    print(f"reading and writing {rows:,} completions: {base['wall_s']:.1f} s, CPU {base['cpu_s']:.1f} s", flush=True)
    over: dict[str, float] = {}
    for step in blocks([name for name in asked.only.split(",") if name]):
        name = f"{FAMILIES[step.block.verb]}/{step.block.name}"
        try:
            found = measure(step, folder, out)
        except RecipeError as error:
            print(f"{name:34} {error}", flush=True)
            continue
        times, peak = found["cpu_s"] / base["cpu_s"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        over |= {name: round(times, 2)} if times > 3 else {}
        print(f"{name:34} {found['wall_s']:6.1f} s  CPU {found['cpu_s']:6.1f} s  {times:5.2f} times  "
              f"{found['rows']:>9,} rows  peak {peak:,} MB", flush=True)  # fmt: skip
    print(json.dumps({"completions": rows, **{k: round(v, 2) for k, v in base.items()}, "over": over}))


if __name__ == "__main__":
    main()
