import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.weighters.stage_by_accuracy import stage_by_accuracy
from tests.support.preferences import pairs


def source(name, right, of):
    return [{"source": name, "strength": 1.0 if k < right else -1.0} for k in range(of)]


def test_the_easiest_source_comes_first():
    made = stage_by_accuracy(pairs([*source("A", 81, 100), *source("B", 62, 100), *source("C", 90, 100)]))
    stages = dict(made.select("source", "stage").unique().iter_rows())
    assert stages == {"C": 1, "A": 2, "B": 3}
    accuracy = {row["source"]: orjson.loads(row["meta"])["accuracy"] for row in made.to_dicts()}
    assert accuracy == {"A": 0.81, "B": 0.62, "C": 0.9}
    hard = stage_by_accuracy(pairs(source("A", 8, 10) + source("B", 6, 10)), hard_first=True)
    assert dict(hard.select("source", "stage").unique().iter_rows()) == {"A": 2, "B": 1}


def test_a_measure_of_nought_is_not_right_and_no_measure_does_not_count():
    rows = pairs(
        [{"source": "A", "strength": 0.0}, {"source": "A", "strength": None}, {"source": "B", "strength": 1.0}]
    )
    assert stage_by_accuracy(rows)["stage"].to_list() == [2, 2, 1]


def test_log_probabilities_a_token_may_measure():
    rows = pairs([
        {"source": "A", "chosen_logprob": -12.0, "chosen_tokens": 6, "rejected_logprob": -20.0, "rejected_tokens": 8},
        {"source": "B", "chosen_logprob": -20.0, "chosen_tokens": 8, "rejected_logprob": -12.0, "rejected_tokens": 6},
    ])  # fmt: skip
    assert stage_by_accuracy(rows, by="logprob")["stage"].to_list() == [1, 2]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([-1.0, 0.0, 1.0, None])), max_size=12))
def test_stages_are_disjoint_and_hold_every_pair(rows):
    made = stage_by_accuracy(pairs([{"source": name, "strength": value} for name, value in rows]))
    assert made["source"].to_list() == [name for name, _ in rows]
    by_source = made.select("source", "stage").unique()
    assert by_source.height == by_source["source"].n_unique() == by_source["stage"].n_unique()


def test_a_measure_is_needed():
    with pytest.raises(ValueError, match="no strength"):
        stage_by_accuracy(pairs([{}]).drop("strength"))
