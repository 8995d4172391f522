import pytest

from tasks.exports.openrlhf_stepwise import openrlhf_stepwise
from tests.support.exported import steps
from tests.support.trainers import openrlhf_process

TWO = {"completions": ["2+2=4\n", "Answer: 5"], "labels": [1.0, 0.25]}


def test_its_reader_finds_a_label_at_each_mark():
    row = openrlhf_stepwise(steps(TWO)).row(0, named=True)
    assert openrlhf_process(row, "ки", ("+", "-")) == [("Q? 2+2=4 ", "+"), ("\nAnswer: 5 ", "-")]


def test_labels_may_stay_numbers():
    row = openrlhf_stepwise(steps(TWO), labels="numbers").row(0, named=True)
    assert row["value"] == [1.0, 0.25]


@pytest.mark.parametrize(
    ("row", "why"),
    [({"completions": ["a", "b"], "labels": [1.0]}, "2 steps stand against 1 labels"),
     ({"completions": ["a ки"], "labels": [1.0]}, "holds the mark")],
)  # fmt: skip
def test_what_would_shift_labels_is_refused(row, why):
    with pytest.raises(ValueError, match=why):
        openrlhf_stepwise(steps(row))
