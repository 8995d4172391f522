from schemas.messages import to_rows
from tasks.exports.trl_sft import trl_sft
from tests.support.exported import chat, examples


def test_the_goal_stands_in_the_prompt_and_beside_it():
    row = trl_sft(examples({"conditioning": "<help> 1.5", "reward": 1.5, "label": False})).row(0, named=True)
    assert row["prompt"] == chat(("system", "<help> 1.5"), ("user", "Q?"))
    assert (row["goal"], row["reward"], row["weight"]) == ("<help> 1.5", 1.5, None)


def test_what_is_labelled_false_is_imitated_only_under_a_condition():
    table = examples({"label": True}, {"label": False}, {"label": False, "conditioning": "Be bad."}, {})
    assert trl_sft(table).height == 3
    assert trl_sft(table, kept=False).height == 4


def test_many_turns_stay_as_they_are():
    turns = chat(("user", "1"), ("assistant", "2"), ("user", "3"))
    assert trl_sft(examples({"prompt": to_rows(turns)}))["prompt"].to_list() == [turns]
