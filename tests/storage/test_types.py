"""Types of exported files: what `datasets` makes of literal rows, so that both can be joined."""

import pyarrow as pa
import pytest

from storage.types import narrow


@pytest.mark.parametrize(
    ("wide", "plain"),
    [
        (pa.large_string(), pa.string()),
        (pa.large_binary(), pa.binary()),
        (pa.large_list(pa.large_string()), pa.list_(pa.string())),
        (pa.list_(pa.struct([("content", pa.large_string())])), pa.list_(pa.struct([("content", pa.string())]))),
        (pa.list_(pa.list_(pa.float64())), pa.list_(pa.list_(pa.float64()))),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
    ],
    ids=str,
)
def test_large_types_become_plain_ones_at_any_depth(wide, plain):
    assert narrow(pa.table({"x": pa.array([None], wide)})).schema.field("x").type == plain
