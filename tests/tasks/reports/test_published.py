import polars as pl
import pytest

from schemas.messages import text_of
from tasks.reports.published import as_pairs


def texts(frame):
    return [tuple(text_of(row[c]) for c in ("prompt", "chosen", "rejected")) for row in frame.iter_rows(named=True)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"prompt": "q", "chosen": "a", "rejected": "b"}, ("q", "a", "b"), id="plain"),
        pytest.param(
            {"instruction": "q", "chosen_response": "a", "rejected_response": "b"}, ("q", "a", "b"), id="other names"
        ),
        pytest.param(
            {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, ("q", "a", "b"),
            id="a dialogue with the prompt in it",
        ),
        pytest.param(
            {"prompt": "q", "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
             "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}, ("q", "a", "b"),
            id="messages that repeat the prompt",
        ),
        pytest.param(
            {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
             "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}, ("q", "a", "b"),
            id="messages without a prompt",
        ),
        pytest.param(
            {"instruction": "q", "input": "x", "response_1": "a", "response_2": "b", "winner": "model_b"},
            ("q\n\nx", "b", "a"), id="two answers and a label",
        ),
    ],
)  # fmt: skip
def test_the_usual_shapes_are_read(row, expected):
    sets = as_pairs(pl.DataFrame([row]), {})
    assert list(sets) == ["pairs"]
    assert texts(sets["pairs"]) == [expected]


def test_annotators_make_a_set_each_and_ties_no_pair():
    rows = pl.DataFrame(
        {"prompt": ["p", "q"], "response_1": ["a", "c"], "response_2": ["b", "d"], "annotator1": [1, 0],
         "annotator2": [2, 1]}
    )  # fmt: skip
    sets = as_pairs(rows, {})
    assert texts(sets["annotator1"]) == [("p", "a", "b")]
    assert texts(sets["annotator2"]) == [("p", "b", "a"), ("q", "c", "d")]


def test_scores_make_a_margin_doubles_stay_two_rows_and_a_null_is_no_pair():
    row = {"prompt": "q", "chosen": "a", "rejected": "b", "score_chosen": 5, "score_rejected": 3.5}
    found = as_pairs(pl.DataFrame([row, row, row | {"chosen": None}]), {})["pairs"]
    assert found["margin"].to_list() == [1.5, 1.5]
    assert found["pair_id"].n_unique() == 2
    assert found["content_id"].n_unique() == 1


def test_columns_can_be_named_and_other_data_are_refused():
    rows = pl.DataFrame({"q": ["p"], "good": ["a"], "bad": ["b"]})
    named = as_pairs(rows, {"prompt": "q", "chosen": "good", "rejected": "bad"})
    assert texts(named["pairs"]) == [("p", "a", "b")]
    with pytest.raises(ValueError, match="no pairs in the columns q, good, bad"):
        as_pairs(rows, {})
    with pytest.raises(ValueError, match="no column 'nope'"):
        as_pairs(rows, {"chosen": "nope"})
