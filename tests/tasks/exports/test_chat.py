import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from tasks.exports._chat import conditioned, finite, joined, plain, refuse, taken
from tests.support.exported import CALL, chat, examples
from tests.support.preferences import pairs


def said(column):
    return [[(turn["role"], turn["content"]) for turn in messages] for messages in column.to_list()]


def test_a_step_pairs_beginning_stands_before_both_sides_and_others_stay():
    made = joined(pairs([{"prefix": "Step 1: 2\n", "chosen": assistant("Step 2: 3"), "rejected": assistant("x")}, {}]))
    assert said(made["chosen"]) == [[("assistant", "Step 1: 2\nStep 2: 3")], [("assistant", "text c1")]]
    assert said(made["rejected"]) == [[("assistant", "Step 1: 2\nx")], [("assistant", "text r1")]]


def test_an_empty_beginning_changes_nothing():
    table = pairs([{"prefix": ""}, {"prefix": None}])
    assert joined(table).equals(table)


def test_a_condition_is_a_system_message_or_the_end_of_the_one_there_is():
    table = examples(
        {"conditioning": "Be good."},
        {"conditioning": "Be bad.", "prompt": to_rows(chat(("system", "You add."), ("user", "1+1?")))},
        {"conditioning": ""},
        {},
    )
    assert said(conditioned(table)["prompt"]) == [
        [("system", "Be good."), ("user", "Q?")],
        [("system", "You add.\n\nBe bad."), ("user", "1+1?")],
        [("user", "Q?")],
        [("user", "Q?")],
    ]


@pytest.mark.parametrize(
    "message", [CALL, {"role": "user", "content": "x", "name": "Ann"}, {"role": "user", "content": [{"type": "text"}]}]
)
def test_what_is_more_than_text_is_refused_by_name(message):
    with pytest.raises(ValueError, match=r"pair 1: prompt holds more than text; export it as parquet"):
        plain(pairs([{}, {"prompt": to_rows([message])}]), "pair_id", "prompt", "chosen")


def test_the_first_row_by_id_is_named_whatever_the_order():
    table = pl.DataFrame({"row_id": ["c", "a", "b"], "n": [1, 1, 0]})
    with pytest.raises(ValueError, match="row a: it is one"):
        refuse(table, "row_id", pl.col("n") == 1, "it is one")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match="pair 0: margin is no finite number"):
        finite(pairs([{"margin": value}, {"margin": None}]), "pair_id")
    with pytest.raises(ValueError, match="r_id"):
        finite(pl.DataFrame({"r_id": ["r_id"], "rewards": [[1.0, None, value]]}), "r_id")


def test_nulls_and_whole_numbers_are_finite():
    table = pl.DataFrame({"id": ["a"], "n": [1], "x": [None], "l": [[1.0, None]]}, schema_overrides={"x": pl.Float64})
    assert finite(table, "id").equals(table)


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match="no column 'reward'"):
        taken(pairs([{}]), ("margin", "reward"))
