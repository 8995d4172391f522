import pytest

from schemas.messages import assistant, to_rows
from tasks.exports.openrlhf_pairs import openrlhf_pairs
from tests.support.exported import CALL, chat
from tests.support.preferences import pairs
from tests.support.trainers import openrlhf_pair


def test_its_reader_finds_prompt_answers_and_margin():
    turns = chat(("system", "Add."), ("user", "1+1?"), ("assistant", "2"), ("user", "2+2?"))
    table = pairs([{"prompt": to_rows(turns), "chosen": assistant("4"), "rejected": assistant("5"), "margin": 1.5}])
    prompt, chosen, rejected, margin = openrlhf_pair(openrlhf_pairs(table, margin="margin").row(0, named=True))
    assert prompt.endswith("<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n")
    assert (chosen, rejected, margin) == ("4<|im_end|>\n", "5<|im_end|>\n", 1.5)


def test_without_a_margin_there_is_no_such_column():
    assert openrlhf_pairs(pairs([{"margin": 1.0}])).columns == ["prompt", "chosen", "rejected"]


def test_a_pair_without_a_margin_would_count_as_nought_and_is_refused():
    with pytest.raises(ValueError, match="pair 1: there is no margin, and the trainer would take 0"):
        openrlhf_pairs(pairs([{"margin": 1.0}, {}]), margin="margin")


def test_a_tool_call_is_refused():
    with pytest.raises(ValueError, match="pair 0: rejected holds more than text"):
        openrlhf_pairs(pairs([{"rejected": to_rows([CALL])}]))
