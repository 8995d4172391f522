import polars as pl
import pytest

from schemas.messages import text_of
from tasks.importers.pairs import as_pairs


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
        pytest.param(
            {"prompt": "q", "response_1": "a", "response_2": "b", "preference_strength": -2}, ("q", "a", "b"),
            id="HelpSteer2: negative is for the first",
        ),
        pytest.param(
            {"history": "q", "human_ref_A": "a", "human_ref_B": "b", "labels": 0}, ("q", "b", "a"), id="SHP: 1 is for A"
        ),
        pytest.param(
            {"prompt": "q", "response_0": "a", "response_1": "b", "better_response_id": 1}, ("q", "b", "a"),
            id="PKU-SafeRLHF: counted from 0",
        ),
        pytest.param(
            {"prompt": '["q", "r"]', "response_a": '["a"]', "response_b": '["b"]', "winner_model_a": 0,
             "winner_model_b": 1, "winner_tie": 0}, ("q\n\nr", "b", "a"), id="arena: turns as JSON, a flag a model",
        ),
        pytest.param(
            {"conversation_a": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
             "conversation_b": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}],
             "winner": "model_b"}, ("q", "b", "a"), id="arena: two conversations",
        ),
        pytest.param(
            {"question": {"full_text": "q"}, "answer_0": "a", "answer_1": "b", "score_0": -0.5, "score_1": 0.5},
            ("q", "b", "a"), id="WebGPT: two scores",
        ),
        pytest.param(
            {"info": {"post": "q"}, "summaries": [{"text": "a"}, {"text": "b"}], "choice": 1}, ("q", "b", "a"),
            id="summarize-from-feedback: a list of two",
        ),
        pytest.param(
            {"instruction": "q", "completions": [{"response": "a", "overall_score": 2.0},
             {"response": "b", "overall_score": 5.0}, {"response": "c", "overall_score": 3.0}]}, ("q", "b", "a"),
            id="UltraFeedback: best and worst of a list",
        ),
        pytest.param(
            {"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"},
             "rejected": {"from": "gpt", "value": "b"}}, ("q", "a", "b"), id="ShareGPT turns",
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
    with pytest.raises(ValueError, match="no field 'good' to map"):
        as_pairs(rows, {"good": "good"})


def test_a_label_of_0_and_1_is_not_guessed():
    rows = pl.DataFrame({"prompt": ["p", "q"], "response_1": ["a", "c"], "response_2": ["b", "d"], "label": [0, 1]})
    with pytest.raises(ValueError, match="--map better=label"):
        as_pairs(rows, {})
    assert texts(as_pairs(rows, {"better": "label"})["pairs"]) == [("p", "a", "b"), ("q", "d", "c")]


def test_equal_scores_and_ties_make_no_pair():
    same = [{"response": "a", "overall_score": 2.0}, {"response": "b", "overall_score": 2.0}]
    assert as_pairs(pl.DataFrame({"instruction": ["q"], "completions": [same]}), {})["pairs"].height == 0
    tie = {"prompt": ["q"], "response_1": ["a"], "response_2": ["b"], "preference_strength": [0]}
    assert as_pairs(pl.DataFrame(tie), {})["pairs"].height == 0
