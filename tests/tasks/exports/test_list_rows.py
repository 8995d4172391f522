import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS
from tasks.exports.list_rows import list_rows
from tests.support.exported import CALL, chat, rankings

SAID = pl.DataFrame(
    [{"completion_id": "a", "messages": assistant("a")}, {"completion_id": "b", "messages": to_rows([CALL])}],
    schema={name: COMPLETIONS.empty().schema[name] for name in ("completion_id", "messages")},
)


def test_a_list_names_the_place_of_its_best():
    table = rankings({"completions": ["a", "b", "c"], "rewards": [1.0, 3.0, 3.0], "ranks": [3, 1, 1]})
    assert list_rows(table, SAID).to_dicts() == [
        {
            "prompt": chat(("user", "Q?")), "completions": ["a", "b", "c"], "rewards": [1.0, 3.0, 3.0],
            "ranks": [3, 1, 1], "length": 3, "sft_index": 1,
        }
    ]  # fmt: skip


def test_lists_of_unlike_lengths_are_refused_where_one_length_is_wanted():
    table = rankings({"completions": ["a", "b"], "rewards": [1.0, 0.0]}, {"completions": ["a"], "rewards": [1.0]})
    assert list_rows(table, SAID).height == 2
    with pytest.raises(ValueError, match="ranking r1: the list has not 2 answers"):
        list_rows(table, SAID, length=2)


@pytest.mark.parametrize("rewards", [None, [1.0]])
def test_a_list_without_a_reward_a_text_is_refused(rewards):
    with pytest.raises(ValueError, match="ranking r0: there is not one reward a text"):
        list_rows(rankings({"completions": ["a", "b"], "rewards": rewards}), SAID)


def test_an_answer_that_called_a_tool_is_refused():
    row = {"completion_ids": ["a", "b", "c"], "completions": ["a", "", "c"], "rewards": [2.0, 1.0, 0.0]}
    with pytest.raises(ValueError, match="ranking r0: an answer has several turns or a tool call"):
        list_rows(rankings(row), SAID)
