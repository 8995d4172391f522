"""What changed between two versions of a dataset: rows by key, and the statistics a reader looks at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.errors import UsageError
from schemas.tables import TABLES, Table
from storage.digest import NOT_CONTENT
from storage.guard import guarded
from storage.versions import Version, resolve, rows_of

if TYPE_CHECKING:
    from storage.store import Store


@dataclass(frozen=True)
class Diff:
    """The difference of two versions.

    Attributes:
        table: the dataset table compared.
        added, removed, changed: keys of rows only in ``b``, only in ``a``, and in both with other content.
        columns: column -> in how many of the changed rows it differs.
        statistics: measure by row: ``measure``, ``a``, ``b``, ``added``, ``removed`` (null where there are no rows).
        policies: share of rows by policy: ``side`` (chosen, rejected), ``policy``, ``a``, ``b``.
    """

    a: str
    b: str
    table: str
    rows_a: int
    rows_b: int
    added: pl.DataFrame
    removed: pl.DataFrame
    changed: pl.DataFrame
    columns: dict[str, int]
    statistics: pl.DataFrame
    policies: pl.DataFrame

    def summary(self) -> dict[str, Any]:
        """Returns everything but the keys, ready for JSON."""
        return {
            "a": self.a, "b": self.b, "table": self.table, "rows": {"a": self.rows_a, "b": self.rows_b},
            "added": self.added.height, "removed": self.removed.height, "changed": self.changed.height,
            "columns": self.columns, "statistics": self.statistics.to_dicts(), "policies": self.policies.to_dicts(),
        }  # fmt: skip


def diff(store: Store, a: str, b: str, *, table: str | None = None) -> Diff:
    """Returns how version ``b`` differs from version ``a``.

    Args:
        a, b: names as ``resolve`` takes them.
        table: a dataset table; by default the one ``b`` is about.

    Raises:
        UsageError: no such version or table.
    """
    first, second = resolve(store, a), resolve(store, b)
    name = table or second.primary
    if name not in TABLES or TABLES[name].kind != "dataset":
        raise UsageError(f"{name!r} is not a dataset table")
    spec = TABLES[name]
    with guarded("comparing versions", store.root):
        return _compare(store, spec, first, second)


def _compare(store: Store, spec: Table, first: Version, second: Version) -> Diff:
    key = [column for column in spec.key if column != "dataset"]
    left, right = _rows(store, spec, first), _rows(store, spec, second)
    marks_a, marks_b = _marks(left, spec, key), _marks(right, spec, key)
    added = marks_b.join(marks_a, on=key, how="anti").select(key).sort(key)
    removed = marks_a.join(marks_b, on=key, how="anti").select(key).sort(key)
    both = marks_a.join(marks_b, on=key, suffix="_b")
    changed = both.filter(pl.col("mark") != pl.col("mark_b")).select(key).sort(key)
    parts = {"a": left, "b": right, "added": _only(right, added, key), "removed": _only(left, removed, key)}
    return Diff(
        first.name, second.name, spec.name, marks_a.height, marks_b.height, added, removed, changed,
        _columns(_only(left, changed, key), _only(right, changed, key), spec, key),
        _statistics(parts), _policies(left, right),
    )  # fmt: skip


def _rows(store: Store, table: Table, version: Version) -> pl.LazyFrame:
    rows = rows_of(store, table, version)
    return table.empty().lazy() if rows is None else rows


def _marks(rows: pl.LazyFrame, table: Table, key: list[str]) -> pl.DataFrame:
    """Returns the key of each row and a hash of its content: two versions of any size fit in memory side by side."""
    names = [name for name in table.schema.names if name not in NOT_CONTENT]
    mark = pl.struct(names).struct.json_encode().hash(seed=7).alias("mark")
    return rows.select(*key, mark).collect(engine="streaming")


def _only(rows: pl.LazyFrame, keys: pl.DataFrame, key: list[str]) -> pl.LazyFrame:
    return rows.join(keys.lazy(), on=key, how="semi")


def _columns(left: pl.LazyFrame, right: pl.LazyFrame, table: Table, key: list[str]) -> dict[str, int]:
    names = [name for name in table.schema.names if name not in (*key, *NOT_CONTENT)]
    text = [pl.struct(name).struct.json_encode().hash(seed=7).alias(name) for name in names]
    both = left.select(*key, *text).join(right.select(*key, *text), on=key, suffix="_b")
    counts = both.select((pl.col(name) != pl.col(f"{name}_b")).sum() for name in names).collect(engine="streaming")
    return {name: count for name, count in counts.row(0, named=True).items() if count}


def _statistics(parts: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    columns = parts["a"].collect_schema().names()
    measures: dict[str, pl.Expr] = {}
    for name in ("margin", "strength"):
        if name in columns:
            column = pl.col(name)
            measures |= {f"{name}_mean": column.mean(), f"{name}_std": column.std(), f"{name}_median": column.median()}
    if "chosen" in columns:
        chosen, rejected = _characters("chosen"), _characters("rejected")
        measures |= {
            "chosen_chars_mean": chosen.mean(),
            "rejected_chars_mean": rejected.mean(),
            "chosen_longer_share": (chosen > rejected).mean(),
        }
    for name in ("reward", "score"):
        if name in columns:
            measures[f"{name}_mean"] = pl.col(name).mean()
    asked = [expression.cast(pl.Float64).alias(name) for name, expression in measures.items()]
    found = {side: rows.select(pl.len().cast(pl.Float64).alias("rows"), *asked) for side, rows in parts.items()}
    values: dict[str, Any] = {side: frame.collect(engine="streaming").row(0) for side, frame in found.items()}
    schema = {"measure": pl.String, **dict.fromkeys(parts, pl.Float64)}
    table = pl.DataFrame({"measure": ["rows", *measures]} | values, schema=schema)
    return table.filter(pl.any_horizontal(pl.col(list(parts)).is_not_null()))


def _characters(column: str) -> pl.Expr:
    """Returns the characters in the messages of each row."""
    return pl.col(column).list.eval(pl.element().struct.field("content").str.len_chars().fill_null(0)).list.sum()


def _policies(left: pl.LazyFrame, right: pl.LazyFrame) -> pl.DataFrame:
    schema = {"side": pl.String, "policy": pl.String, "a": pl.Float64, "b": pl.Float64}
    if "chosen_policy" not in left.collect_schema().names():
        return pl.DataFrame(schema=schema)
    shares = []
    for side in ("chosen", "rejected"):
        a, b = (_share(rows, f"{side}_policy") for rows in (left, right))
        joined = a.join(b, on="policy", how="full", coalesce=True, suffix="_b", nulls_equal=True)
        shares.append(
            joined.select(
                pl.lit(side).alias("side"), "policy",
                pl.col("share").fill_null(0.0).alias("a"), pl.col("share_b").fill_null(0.0).alias("b"),
            )
        )  # fmt: skip
    return pl.concat(shares).sort("side", "policy", nulls_last=True).cast(schema)  # type: ignore[arg-type]


def _share(rows: pl.LazyFrame, column: str) -> pl.DataFrame:
    counts = rows.group_by(pl.col(column).alias("policy")).len().collect(engine="streaming")
    return counts.select("policy", share=pl.col("len") / counts["len"].sum())
