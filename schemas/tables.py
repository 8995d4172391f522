"""Every table as an Arrow schema with its key. All data is rows of these.

Ids are content-derived (``schemas.ids``). Times are UTC microseconds. Leftovers go in the ``meta`` JSON column.
Facts (prompts, completions, judgments, nodes) are shared by all recipes of a lake and only ever added to; datasets
(preferences, rankings, examples, steps, scores, removals) are snapshots, one a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl
import pyarrow as pa

from schemas.errors import DataError

MESSAGES = pa.list_(
    pa.struct(
        [
            pa.field("role", pa.string(), nullable=False),
            pa.field("content", pa.string()),
            pa.field("tool_calls", pa.string()),
            pa.field("extra", pa.string()),
        ]
    )
)
TIME = pa.timestamp("us", tz="UTC")
TEXT, FLOAT, INT, BOOL = pa.string(), pa.float64(), pa.int64(), pa.bool_()
TEXTS, FLOATS = pa.list_(pa.string()), pa.list_(pa.float64())

JUDGMENT_OUTCOMES = ("valid", "tie", "refused", "unparsable", "truncated", "error")
COMPARISONS = ("agreed", "tied", "contradicted", "incomplete")


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        key: the columns that name a row; unique within a fact table, and within a version of a dataset table.
        kind: ``fact`` (shared, append-only), ``dataset`` (a snapshot a version, partitioned by dataset) or ``log``.
        allowed: column -> the values it may hold.
    """

    name: str
    key: tuple[str, ...]
    kind: Literal["fact", "dataset", "log"]
    schema: pa.Schema
    allowed: dict[str, tuple[str, ...]]

    def empty(self) -> pl.DataFrame:
        """Returns the table with no rows."""
        frame = pl.from_arrow(pa.Table.from_batches([], schema=self.schema))  # empty_table() would import pandas
        assert isinstance(frame, pl.DataFrame)
        return frame


def _table(
    name: str,
    key: str,
    kind: Literal["fact", "dataset", "log"],
    required: dict[str, pa.DataType],
    optional: dict[str, pa.DataType],
    allowed: dict[str, tuple[str, ...]] | None = None,
) -> Table:
    fields = [pa.field(n, t, nullable=False) for n, t in required.items()]
    fields += [pa.field(n, t) for n, t in optional.items()]
    if kind == "dataset":
        fields.insert(0, pa.field("dataset", TEXT, nullable=False))
    if name != "runs":
        fields.append(pa.field("run_id", TEXT, nullable=False))
    fields.append(pa.field("created_at", TIME, nullable=False))
    keys = tuple(key.split())
    return Table(name, ("dataset", *keys) if kind == "dataset" else keys, kind, pa.schema(fields), allowed or {})


PROMPTS = _table(
    "prompts", "prompt_id", "fact",
    {"prompt_id": TEXT, "messages": MESSAGES},
    {"reference": TEXT, "task": TEXT, "tests": TEXT, "source": TEXT, "split": TEXT, "language": TEXT, "group": TEXT,
     "meta": TEXT},
)  # fmt: skip

COMPLETIONS = _table(
    "completions", "completion_id", "fact",
    {"completion_id": TEXT, "prompt_id": TEXT, "policy": TEXT, "fingerprint": TEXT, "sample_index": INT,
     "messages": MESSAGES, "content_id": TEXT, "finish_reason": TEXT},
    {"sampling": TEXT, "seed": INT, "prefix": TEXT, "prompt_tokens": INT, "completion_tokens": INT, "logprob": FLOAT,
     "tokens": TEXTS, "token_logprobs": FLOATS, "reference_logprob": FLOAT, "on_policy_age": INT,
     "derived_from": TEXT, "label": BOOL, "latency_s": FLOAT, "cost": FLOAT, "meta": TEXT, "reasoning": TEXT},
)  # fmt: skip

JUDGMENTS = _table(
    "judgments", "judgment_id", "fact",
    {"judgment_id": TEXT, "prompt_id": TEXT, "judge": TEXT, "fingerprint": TEXT, "kind": TEXT, "subjects": TEXTS,
     "criterion": TEXT, "outcome": TEXT},
    {"score": FLOAT, "winner": TEXT, "probability": FLOAT, "comparison_id": TEXT, "comparison": TEXT,
     "rationale": TEXT, "raw": TEXT, "flags": TEXTS, "prompt_tokens": INT, "completion_tokens": INT,
     "latency_s": FLOAT, "cost": FLOAT, "meta": TEXT},
    {"kind": ("pointwise", "pairwise", "listwise", "step"), "outcome": JUDGMENT_OUTCOMES, "comparison": COMPARISONS},
)  # fmt: skip

NODES = _table(
    "nodes", "node_id", "fact",
    {"node_id": TEXT, "prompt_id": TEXT, "tree_id": TEXT, "depth": INT, "text": TEXT, "terminal": BOOL},
    {"parent_id": TEXT, "prior": FLOAT, "visits": INT, "value": FLOAT, "reward": FLOAT, "advantage": FLOAT,
     "rollouts": INT, "successes": INT, "self_evaluation": FLOAT, "meta": TEXT},
)  # fmt: skip

SCORES = _table(
    "scores", "completion_id criterion scorer", "dataset",
    {"completion_id": TEXT, "prompt_id": TEXT, "criterion": TEXT, "scorer": TEXT, "score": FLOAT, "judgments": INT},
    {"standard_error": FLOAT, "quantile": FLOAT},
)  # fmt: skip

PREFERENCES = _table(
    "preferences", "pair_id", "dataset",
    {"pair_id": TEXT, "prompt_id": TEXT, "prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES,
     "chosen_id": TEXT, "rejected_id": TEXT, "content_id": TEXT, "recipe": TEXT},
    {"prefix": TEXT, "criterion": TEXT, "chosen_score": FLOAT, "rejected_score": FLOAT, "margin": FLOAT,
     "strength": FLOAT, "strength_std": FLOAT, "p_chosen": FLOAT, "weight": FLOAT, "stage": INT, "level": TEXT,
     "annotator_group": TEXT, "chosen_policy": TEXT, "rejected_policy": TEXT, "chosen_logprob": FLOAT,
     "rejected_logprob": FLOAT, "chosen_reference_logprob": FLOAT, "rejected_reference_logprob": FLOAT,
     "chosen_tokens": INT, "rejected_tokens": INT, "flipped": BOOL, "split": TEXT, "source": TEXT, "meta": TEXT},
)  # fmt: skip

RANKINGS = _table(
    "rankings", "ranking_id", "dataset",
    {"ranking_id": TEXT, "prompt_id": TEXT, "prompt": MESSAGES, "completion_ids": TEXTS, "completions": TEXTS,
     "recipe": TEXT},
    {"rewards": FLOATS, "ranks": pa.list_(INT), "criterion": TEXT, "split": TEXT, "meta": TEXT},
)  # fmt: skip

EXAMPLES = _table(
    "examples", "example_id", "dataset",
    {"example_id": TEXT, "prompt_id": TEXT, "prompt": MESSAGES, "completion": MESSAGES, "completion_id": TEXT,
     "recipe": TEXT},
    {"label": BOOL, "reward": FLOAT, "weight": FLOAT, "conditioning": TEXT, "criterion": TEXT, "split": TEXT,
     "meta": TEXT},
)  # fmt: skip

STEPS = _table(
    "steps", "step_row_id", "dataset",
    {"step_row_id": TEXT, "prompt_id": TEXT, "prompt": MESSAGES, "completions": TEXTS, "recipe": TEXT},
    {"labels": FLOATS, "values": FLOATS, "advantages": FLOATS, "completion_id": TEXT, "split": TEXT, "meta": TEXT},
)  # fmt: skip

REMOVALS = _table(
    "removals", "row_id block", "dataset",
    {"row_id": TEXT, "block": TEXT, "reason": TEXT, "table": TEXT},
    {"value": TEXT},
)  # fmt: skip

RUNS = _table(
    "runs", "run_id", "log",
    {"run_id": TEXT, "recipe": TEXT, "recipe_hash": TEXT, "status": TEXT},
    {"dataset": TEXT, "version": TEXT, "resolved": TEXT, "code_version": TEXT, "settings": TEXT, "parents": TEXT,
     "counts": TEXT, "outcomes": TEXT, "metrics": TEXT, "calls": TEXT, "cost": FLOAT, "seconds": FLOAT},
    {"status": ("done", "refused", "stopped", "failed")},
)  # fmt: skip

VERSIONS = _table(
    "versions", "dataset version", "log",
    {"dataset": TEXT, "version": TEXT, "status": TEXT, "tables": TEXT, "rows": INT, "digest": TEXT},
    {"recipe": TEXT, "recipe_hash": TEXT, "tags": TEXTS, "gates": TEXT, "meta": TEXT},
    {"status": ("published", "quarantined")},
)  # fmt: skip

AUDITS = _table(
    "audits", "audit_id", "log",
    {"audit_id": TEXT, "judge": TEXT, "fingerprint": TEXT, "gold": TEXT, "gold_hash": TEXT, "items": INT},
    {"accuracy": FLOAT, "kappa": FLOAT, "order_agreement": FLOAT, "position_bias": FLOAT, "length_bias": FLOAT,
     "calibration_error": FLOAT, "slices": TEXT, "meta": TEXT},
)  # fmt: skip

TABLES = {
    table.name: table
    for table in (
        PROMPTS, COMPLETIONS, JUDGMENTS, NODES, SCORES, PREFERENCES, RANKINGS, EXAMPLES, STEPS, REMOVALS, RUNS,
        VERSIONS, AUDITS,
    )
}  # fmt: skip


def conform(table: Table, frame: pl.DataFrame, *, file: str | None = None) -> pa.Table:
    """Returns the frame as an Arrow table of exactly this schema; absent nullable columns become null.

    Args:
        table: whose schema the rows must fit.
        frame: any subset of the table's columns, in any order.
        file: named in the message where the rows came from a file.

    Raises:
        DataError: which column, which row (from 1), what was found and what is allowed.
    """
    unknown = [name for name in frame.columns if name not in table.schema.names]
    if unknown:
        raise DataError(
            f"table {table.name} has no such column; its columns are {', '.join(table.schema.names)}",
            file=file, field=unknown[0],
        )  # fmt: skip
    columns = []
    for spec in table.schema:
        if spec.name not in frame.columns:
            if not spec.nullable and frame.height:
                raise DataError(f"table {table.name} needs this column", file=file, field=spec.name)
            columns.append(pa.nulls(frame.height, spec.type))
            continue
        columns.append(_column(table, frame.get_column(spec.name), spec, file))
    _check_keys(table, frame, file)
    return pa.Table.from_arrays(columns, schema=table.schema)


def _column(table: Table, series: pl.Series, spec: pa.Field, file: str | None) -> pa.ChunkedArray:
    if not spec.nullable and series.null_count():
        first = int(series.is_null().arg_max() or 0) + 1
        raise DataError(f"null is not allowed in table {table.name}", file=file, row=first, field=spec.name)
    allowed = table.allowed.get(spec.name)
    if allowed is not None:
        bad = ~series.is_in(allowed) & series.is_not_null()
        if bad.any():
            wrong = int(bad.arg_max() or 0)
            raise DataError(
                f"found {series[wrong]!r}, allowed are {', '.join(allowed)}", file=file, row=wrong + 1, field=spec.name
            )
    found = series.to_arrow()
    chunked = pa.chunked_array([found] if isinstance(found, pa.Array) else found.chunks, type=found.type)
    if chunked.type == spec.type:
        return chunked
    try:
        return chunked.cast(spec.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        row, value = _first_bad(series, spec.type)
        raise DataError(
            f"found {value} of type {series.dtype}, expected {spec.type}", file=file, row=row, field=spec.name
        ) from error


def _first_bad(series: pl.Series, wanted: pa.DataType) -> tuple[int | None, str]:
    """Returns the first row (from 1) that does not cast, found by halving, and its value."""
    if not len(series):
        return None, "nothing"
    low, high = 0, len(series)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            series[low:middle].to_arrow().cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            high = middle
        else:
            low = middle
    return low + 1, repr(series[low])


def _check_keys(table: Table, frame: pl.DataFrame, file: str | None) -> None:
    keys = [key for key in table.key if key in frame.columns]
    if table.kind == "log" or not keys or not frame.height:
        return
    twice = frame.select(keys).is_duplicated()
    if twice.any():
        row = int(twice.arg_max() or 0)
        found = ", ".join(str(frame[row, key]) for key in keys)
        raise DataError(f"table {table.name} holds the key ({found}) twice", file=file, row=row + 1, field=keys[-1])
