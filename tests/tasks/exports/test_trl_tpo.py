import pytest

from tasks.exports.trl_tpo import trl_tpo
from tests.support.exported import chat, rankings

ROLES = '{"roles":["reference","chosen","rejected"]}'


def test_a_triple_is_three_answers_to_one_prompt():
    rows = trl_tpo(rankings({"completions": ["a", "b", "c"], "rewards": [3.0, 2.0, 1.0], "meta": ROLES}))
    assert rows.to_dicts() == [
        {
            "prompt": chat(("user", "Q?")), "reference": chat(("assistant", "a")), "chosen": chat(("assistant", "b")),
            "rejected": chat(("assistant", "c")), "rewards": [3.0, 2.0, 1.0],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("row", [{"completions": ["a", "b"], "meta": ROLES}, {"completions": ["a", "b", "c"]}])
def test_another_list_is_no_triple(row):
    with pytest.raises(ValueError, match="ranking r0: it is no triple"):
        trl_tpo(rankings(row))
