import pytest

from schemas.messages import assistant, to_rows
from tasks.exports.axolotl_pairs import axolotl_pairs, beside
from tests.support.exported import chat
from tests.support.preferences import pairs
from tests.support.trainers import axolotl_pair, chatml


def test_its_reader_cuts_out_the_answers():
    turns = chat(("system", "Add."), ("user", "1+1?"), ("assistant", "2"), ("user", "2+2?"))
    table = pairs([{"prompt": to_rows(turns), "chosen": assistant("It is four."), "rejected": assistant("Five.")}])
    row = axolotl_pairs(table).row(0, named=True)
    assert axolotl_pair(row) == (chatml(turns, ask=True), "It is four.<|im_end|>", "Five.<|im_end|>")
    assert row["chosen"] == [*turns, {"role": "assistant", "content": "It is four."}]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"chosen": assistant("user")}, "chosen is too short"),
        ({"rejected": assistant("26")}, "rejected is too short"),
        ({"chosen": assistant(" \n")}, "chosen is empty"),
        ({"chosen": assistant("Fine.\n")}, "chosen has white space at an end"),
        ({"chosen": to_rows(chat(("assistant", "Fine."), ("assistant", "Good.")))}, "chosen has several turns"),
        ({"prompt": to_rows(chat(("developer", "Add."), ("user", "1+1?")))}, "knows the roles"),
    ],
)
def test_what_it_would_cut_wrongly_is_refused(row, why):
    with pytest.raises(ValueError, match=f"pair 1: .*{why}"):
        axolotl_pairs(pairs([{}, row]))


def test_why_a_short_answer_is_refused():
    row = {"messages": chat(("user", "Who?")), "chosen": chat(("assistant", "user")), "rejected": chat(("user", "Me."))}
    assert axolotl_pair(row)[1].startswith("user\n[[dummy_message]]")


def test_white_space_goes_on_request():
    row = axolotl_pairs(pairs([{"chosen": assistant(" Fine.\n")}]), strip=True).row(0, named=True)
    assert row["chosen"][-1]["content"] == "Fine."


def test_its_configuration_names_the_fields_there_are():
    entry = beside("mine", "train.parquet")["axolotl.yaml"]["datasets"][0]
    columns = axolotl_pairs(pairs([{}])).columns
    assert [entry[f"field_{name}"] for name in ("messages", "chosen", "rejected")] == columns
