import pytest

from tasks.exports.openrlhf_kto import openrlhf_kto
from tests.support.exported import examples
from tests.support.trainers import openrlhf_unpaired


def test_its_reader_finds_the_whole_conversation_and_a_number():
    rows = openrlhf_kto(examples({"label": True}, {"label": False})).to_dicts()
    text = "<|im_start|>user\nQ?<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
    assert [openrlhf_unpaired(row) for row in rows] == [(text, 1), (text, 0)]


def test_a_missing_label_is_refused():
    with pytest.raises(ValueError, match="example e0: there is no label"):
        openrlhf_kto(examples({}))
