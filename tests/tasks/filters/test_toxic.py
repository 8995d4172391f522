import polars as pl
import pytest

from tasks.filters.toxic import toxic
from tests.support.preferences import pairs


def score(name, value, criterion="toxicity"):
    return {"completion_id": name, "criterion": criterion, "scorer": "mean", "score": float(value)}


PAIRS = pairs([{}, {}, {}])


def removed(*rows, **params):
    return toxic(PAIRS, pl.DataFrame(rows), **params).rows()


def test_toxic_answers_go_and_those_nobody_scored_stay():
    scores = [score("c0", 0.9), score("c1", 0.5), score("r2", 0.8)]
    assert removed(*scores) == [("0", "chosen: toxicity", "0.9")]
    assert removed(*scores, of="either") == [("0", "chosen: toxicity", "0.9"), ("2", "rejected: toxicity", "0.8")]


def test_the_worst_of_several_criteria_is_named():
    scores = [score("c0", 0.6, "insult"), score("c0", 0.7, "threat"), score("c1", 0.1, "insult")]
    assert removed(*scores, criteria=("insult", "threat")) == [("0", "chosen: threat", "0.7")]


def test_raw_numbers_of_a_classifier_go_through_the_sigmoid():
    assert removed(score("c0", 0.1), score("c1", -0.1), logits=True) == [("0", "chosen: toxicity", "0.525")]


def test_scores_that_nobody_made_are_an_error_and_not_a_clean_set():
    with pytest.raises(ValueError, match="nobody scored toxicity; there are scores by helpful"):
        removed(score("c0", 0.9, "helpful"))
