"""Benchmark items from files: one's own lists, and benchmark sets as they are published.

Source: the columns of GSM8K, MATH, MGSM, HumanEval, MBPP, IFEval, MT-bench, Arena-Hard, AlpacaEval, MMLU, ARC, BBH,
TruthfulQA, GPQA, PIQA, HellaSwag, WinoGrande and LiveCodeBench on the Hub or in their repositories.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

COLUMNS = (
    "text", "question", "problem", "question_content", "problem_statement", "instruction", "prompt", "turns", "goal",
    "ctx", "sentence", "user_text", "query", "input", "inputs", "messages",
)  # fmt: skip
"""Where published sets keep what is asked, the surest first; case does not count."""
NAMES = ("item", "id", "task_id", "question_id", "problem_id", "unique_id", "uid", "uuid", "key", "idx")
KINDS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt")
SHORT = 8
"""A question of fewer words is looked for together with its choices: alone it occurs everywhere."""


def read_items(path: Path, column: str | None = None) -> pl.DataFrame:
    """Returns benchmark, item and text, one row an item; each turn of a list of turns is an item.

    ``benchmark`` is the column of that name, else the file's name; ``item`` one of ``NAMES``, else its row.

    Args:
        path: Parquet, JSONL, JSON, CSV, TSV, or text with an item a line, plain or gzipped; or a folder of such files.
        column: with the text; by default the first of ``COLUMNS`` that is there.

    Raises:
        ValueError: nothing is there, it cannot be read, or no column holds a text.
    """
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and _kind(file) in KINDS]
        if not files:
            raise ValueError(f"the folder {path} holds no file with benchmark items ({', '.join(KINDS)})")
        return pl.concat(read_items(file, column) for file in files)
    if not path.is_file():
        raise ValueError(f"there is no file {path} with benchmark items")
    try:
        frame = _frame(path)
    except (OSError, PolarsError) as error:
        raise ValueError(f"{path} cannot be read as benchmark items: {str(error).splitlines()[0]}") from error
    low = {name.lower(): name for name in reversed(frame.columns)}
    name = column if column is not None else next((low[name] for name in COLUMNS if name in low), None)
    if name is None or name not in frame.columns:
        wanted = repr(column) if column else "that is known to hold what is asked; name it with column"
        raise ValueError(f"{path} has no column {wanted}; it has {', '.join(frame.columns)}")
    said = next((low[each] for each in NAMES if each in low and low[each] != name), None)
    rows = frame.select(
        benchmark=pl.col("benchmark").cast(pl.String) if "benchmark" in low else pl.lit(path.name),
        item=pl.col(said).cast(pl.String) if said else (pl.int_range(pl.len()) + 1).cast(pl.String),
        text=_text(frame, name, low.get("choices")),
    )
    return rows.explode("text") if rows["text"].dtype == pl.List else rows


def _text(frame: pl.DataFrame, name: str, choices: str | None) -> pl.Expr:
    kind, text = frame.schema[name], pl.col(name)
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        field = next((each.name for each in kind.inner.fields if each.name in ("content", "value")), None)
        if field is None:
            raise ValueError(f"the column {name!r} is a list of records without content; name another column")
        return text.list.eval(pl.element().struct.field(field))
    if isinstance(kind, pl.List):
        return text.cast(pl.List(pl.String))
    if choices is None or choices == name:
        return text.cast(pl.String)
    held = frame.schema[choices]
    words = pl.col(choices).struct.field("text") if isinstance(held, pl.Struct) else pl.col(choices)
    if not isinstance(frame.select(words).to_series().dtype, pl.List):
        return text.cast(pl.String)
    both = pl.concat_str([text.cast(pl.String), words.cast(pl.List(pl.String)).list.join("\n")], separator="\n")
    return pl.when(text.cast(pl.String).str.count_matches(r"\S+") < SHORT).then(both).otherwise(text.cast(pl.String))


def _kind(path: Path) -> str:
    return next((suffix for suffix in reversed(path.suffixes) if suffix != ".gz"), "").lower()


def _frame(path: Path) -> pl.DataFrame:
    kind = _kind(path)
    if kind == ".parquet":
        return pl.read_parquet(path)
    if kind in (".jsonl", ".ndjson"):
        return pl.read_ndjson(path, infer_schema_length=None)
    if kind == ".json":
        return pl.read_json(path, infer_schema_length=None)
    if kind in (".csv", ".tsv"):
        return pl.read_csv(path, infer_schema=False, separator="\t" if kind == ".tsv" else ",")
    return pl.read_csv(path, has_header=False, separator="\x01", quote_char=None, new_columns=["text"])
