"""Notes in a ``meta`` column: keys added to its JSON object, whole columns at a time."""

from __future__ import annotations

import polars as pl


def noted(frame: pl.DataFrame, **notes: pl.Expr) -> pl.DataFrame:
    """Returns the frame with these keys in the JSON object of its ``meta`` column, which is made where it lacks.

    A key must not be there already. A float that is no number becomes null, since JSON has none.

    >>> noted(pl.DataFrame({"n": [1]}), twice=pl.col("n") * 2)["meta"].item()
    '{"twice":2}'
    """
    new = pl.struct(*(value.alias(key) for key, value in notes.items())).struct.json_encode()
    if "meta" not in frame.columns:
        return frame.with_columns(meta=new)
    old = pl.col("meta").cast(pl.String)
    joined = pl.concat_str(old.str.head(-1), pl.lit(","), new.str.slice(1))
    return frame.with_columns(meta=pl.when(old.is_null() | (old == "{}")).then(new).otherwise(joined))


def note(key: str, kind: pl.DataType | type[pl.DataType] = pl.String, *, column: str = "meta") -> pl.Expr:
    """Returns one key of the JSON objects in a column, null where it is not there."""
    return pl.col(column).cast(pl.String).str.json_path_match(f"$.{key}").cast(kind)
