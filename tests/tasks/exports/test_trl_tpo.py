import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS
from tasks.exports.trl_tpo import trl_tpo
from tests.support.exported import CALL, chat, rankings

SAID = pl.DataFrame(
    [{"completion_id": "a", "messages": assistant("a")}, {"completion_id": "b", "messages": to_rows([CALL])}],
    schema={name: COMPLETIONS.empty().schema[name] for name in ("completion_id", "messages")},
)

ROLES = '{"roles":["reference","chosen","rejected"]}'


def test_a_triple_is_three_answers_to_one_prompt():
    rows = trl_tpo(rankings({"completions": ["a", "b", "c"], "rewards": [3.0, 2.0, 1.0], "meta": ROLES}), SAID)
    assert rows.to_dicts() == [
        {
            "prompt": chat(("user", "Q?")), "reference": chat(("assistant", "a")), "chosen": chat(("assistant", "b")),
            "rejected": chat(("assistant", "c")), "rewards": [3.0, 2.0, 1.0],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("row", [{"completions": ["a", "b"], "meta": ROLES}, {"completions": ["a", "b", "c"]}])
def test_another_list_is_no_triple(row):
    with pytest.raises(ValueError, match="ranking r0: it is no triple"):
        trl_tpo(rankings(row), SAID)


def test_an_answer_that_called_a_tool_is_refused():
    row = {"completion_ids": ["a", "b", "c"], "completions": ["a", "", "c"], "meta": ROLES, "rewards": [2.0, 1.0, 0.0]}
    with pytest.raises(ValueError, match="ranking r0: an answer has several turns or a tool call"):
        trl_tpo(rankings(row), SAID)
