import pytest

from tasks.exports.trl_kto import trl_kto
from tests.support.exported import chat, examples


def test_an_example_is_prompt_completion_and_a_bool():
    rows = trl_kto(examples({"label": True}, {"label": False, "conditioning": "Be brief."}))
    assert rows.to_dicts() == [
        {"prompt": chat(("user", "Q?")), "completion": chat(("assistant", "A")), "label": True},
        {
            "prompt": chat(("system", "Be brief."), ("user", "Q?")),
            "completion": chat(("assistant", "A")),
            "label": False,
        },
    ]


def test_a_missing_label_is_not_taken_for_false():
    with pytest.raises(ValueError, match="example e1: there is no label"):
        trl_kto(examples({"label": True}, {"reward": 0.0}))


def test_class_weights_come_along_on_request():
    rows = trl_kto(examples({"label": True, "weight": 1.125}), extra=("weight",))
    assert rows["weight"].to_list() == [1.125]
