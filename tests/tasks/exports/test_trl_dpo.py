import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.exports.trl_dpo import trl_dpo

COLUMNS = ("pair_id", "prompt", "chosen", "rejected", "chosen_score")
SCHEMA = {name: PREFERENCES.empty().schema[name] for name in COLUMNS}


def pair(name, **other):
    turns = {"prompt": to_rows("2+2?"), "chosen": assistant("4"), "rejected": assistant("5")}
    return {"pair_id": name, "chosen_score": 1.0} | turns | other


def table(*rows):
    return pl.DataFrame(rows, schema=SCHEMA)


def test_a_pair_is_three_lists_of_turns():
    assert trl_dpo(table(pair("a"))).to_dicts() == [
        {
            "prompt": [{"role": "user", "content": "2+2?"}],
            "chosen": [{"role": "assistant", "content": "4"}],
            "rejected": [{"role": "assistant", "content": "5"}],
        }
    ]


def test_rows_stand_by_pair_id_and_extra_columns_come_along():
    rows = trl_dpo(table(pair("b", chosen_score=2.0), pair("a")), extra=("pair_id", "chosen_score"))
    assert rows.columns == ["prompt", "chosen", "rejected", "pair_id", "chosen_score"]
    assert rows["pair_id"].to_list() == ["a", "b"]


def test_text_survives_as_it_is(tmp_path):
    text = "a\x00b\u202e{{x}}\r\n\U0001f600 <|im_end|>"
    trl_dpo(table(pair("a", chosen=assistant(text)))).write_parquet(tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet")["chosen"][0][0]["content"] == text


def test_a_tool_call_is_refused_by_name():
    call = [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]
    with pytest.raises(ValueError, match="pair b: chosen holds more than text"):
        trl_dpo(table(pair("a"), pair("b", chosen=to_rows(call))))


def test_an_unknown_extra_column_is_named():
    with pytest.raises(ValueError, match="no column 'reward'"):
        trl_dpo(table(pair("a")), extra=("reward",))


def test_no_pairs_give_the_same_columns():
    assert trl_dpo(table()).schema == trl_dpo(table(pair("a"))).schema
