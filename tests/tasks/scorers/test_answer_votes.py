import polars as pl
import pytest

from schemas.messages import assistant
from tasks.scorers.answer_votes import answer_votes


def said(*texts, reason="stop"):
    return pl.DataFrame({
        "prompt_id": ["p"] * len(texts), "completion_id": [f"{i:03d}" for i in range(len(texts))],
        "messages": [assistant(text) for text in texts], "finish_reason": reason,
    })  # fmt: skip


def votes(*texts, **chosen):
    found = answer_votes(said(*texts), **chosen)
    return {int(name): score for name, score in found.select("completion_id", "score").iter_rows()}


def test_votes_of_eight():
    found = votes(*["Answer: 7"] * 5, *["Answer: 8"] * 2, "Answer: 9")
    assert list(found.values()) == [0.625] * 5 + [0.25] * 2 + [0.125]


@pytest.mark.parametrize(
    "texts",
    [
        ("Answer: 1,000", "so \\boxed{1000.0}"),
        ("#### $12", "The answer is 12."),
        ("Answer: Blue Whale", "**Answer:** blue whale."),
        ("Answer: 3\nNo: Answer: 4", "Answer: 4"),
    ],
)
def test_the_same_answer_written_in_two_ways(texts):
    assert votes(*texts) == {0: 1.0, 1: 1.0}


def test_minus_three_is_not_three():
    assert votes("Answer: -3", "Answer: 3") == {0: 0.5, 1: 0.5}


def test_no_answer_is_no_vote_but_counts_among_all():
    assert votes("I do not know", "Answer: 0") == {1: 0.5}


def test_a_cut_completion_casts_no_vote():
    rows = pl.concat([said("Answer: 1"), said("Answer: 12", reason="length").with_columns(completion_id=pl.lit("x"))])
    assert answer_votes(rows)["completion_id"].to_list() == ["000"]


def test_one_answer_alone_may_be_asked_not_to_count():
    assert votes("Answer: 1", "Answer: 1", least=2) == {}


def test_a_pattern_of_ones_own():
    assert votes("<a>x</a>", "<a>y</a>", "<a>x</a>", pattern=r"<a>(.*?)</a>") == pytest.approx(
        {0: 2 / 3, 1: 1 / 3, 2: 2 / 3}
    )
    assert votes("yes", "no", "yes", pattern="yes|no")[0] == pytest.approx(2 / 3)
