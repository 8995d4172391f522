"""Arrow types as every reader of Parquet takes them."""

from __future__ import annotations

import pyarrow as pa


def narrow(table: pa.Table) -> pa.Table:
    """Returns the table without large strings, lists and binaries."""
    return table.cast(pa.schema([field.with_type(_narrowed(field.type)) for field in table.schema]))


def _narrowed(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(_narrowed(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_narrowed(field.type)) for field in kind])
    return kind
