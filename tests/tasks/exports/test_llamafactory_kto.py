import pytest

from schemas.messages import assistant, to_rows
from tasks.exports.llamafactory_kto import beside, llamafactory_kto
from tests.support.exported import chat, examples
from tests.support.trainers import llamafactory

ENTRY = beside("mine", "train.parquet")["dataset_info.json"]["mine"]


def test_its_reader_finds_the_answer_on_its_side():
    rows = llamafactory_kto(examples({"label": True}, {"label": False, "conditioning": "Be brief."})).to_dicts()
    first, second = (llamafactory(row, ENTRY) for row in rows)
    assert (first["wanted"], first["responses"]) == (True, ["A", ""])
    assert (second["wanted"], second["responses"], second["system"]) == (False, ["", "A"], "Be brief.")


def test_an_empty_answer_would_turn_its_label_round_and_is_refused():
    with pytest.raises(ValueError, match="example e0: the answer is empty"):
        llamafactory_kto(examples({"label": True, "completion": assistant("")}))


@pytest.mark.parametrize(
    ("row", "why"),
    [({}, "there is no label"), ({"label": True, "prompt": to_rows(chat(("user", "a"), ("user", "b")))}, "turn 2")],
)
def test_what_it_would_skip_is_refused(row, why):
    with pytest.raises(ValueError, match=f"example e0: .*{why}"):
        llamafactory_kto(examples(row))
