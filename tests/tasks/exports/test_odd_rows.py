"""Rows that a format cannot hold: all are named, and they can be left out."""

import polars as pl
import pytest

from schemas.errors import RowsError
from schemas.messages import assistant, to_rows
from tasks.exports.llamafactory_pairs import llamafactory_pairs
from tasks.exports.trl_dpo import trl_dpo
from tests.support.pairs import pair, pairs

CALL = {"role": "assistant", "content": "I call.", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize("export", [trl_dpo, llamafactory_pairs])
def test_every_row_that_is_more_than_text_is_named_and_the_message_counts_them(export):
    rows = pairs(pair("0"), pair("1") | {"chosen": to_rows([CALL])}, pair("2") | {"chosen": to_rows([CALL])})
    with pytest.raises(RowsError, match=r"pair 1: .*\(1 more rows are refused\)") as raised:
        export(rows)
    assert list(raised.value.reasons) == ["1", "2"]
    assert export(rows.filter(~pl.col("pair_id").is_in(["1", "2"]))).height == 1


def test_a_side_with_a_tools_turn_is_no_single_answer():
    turns = [*assistant("I look it up."), *to_rows([{"role": "tool", "content": "42"}]), *assistant("42")]
    with pytest.raises(RowsError, match="pair 0: chosen holds turns of others"):
        trl_dpo(pairs(pair("0") | {"chosen": turns}))
