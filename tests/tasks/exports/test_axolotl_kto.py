import pytest

from schemas.messages import to_rows
from tasks.exports.axolotl_kto import axolotl_kto, beside
from tests.support.exported import chat, examples
from tests.support.trainers import axolotl_unpaired


def test_its_reader_finds_texts_and_a_bool():
    rows = axolotl_kto(examples({"label": True}, {"label": False, "conditioning": "Be brief."})).to_dicts()
    assert axolotl_unpaired(rows[0])[1:] == ("A<|im_end|>", True)
    assert axolotl_unpaired(rows[1])[0].startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nQ?")


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": to_rows(chat(("user", "a"), ("assistant", "b"), ("user", "c")))},
        {"prompt": to_rows(chat(("system", "a")))},
        {"completion": to_rows(chat(("assistant", "a"), ("assistant", "b")))},
    ],
)
def test_several_turns_are_refused(row):
    with pytest.raises(ValueError, match="example e0: it has several turns"):
        axolotl_kto(examples({"label": True, **row}))


def test_its_configuration_keeps_the_label():
    assert beside("mine", "x.parquet")["axolotl.yaml"]["remove_unused_columns"] is False
