import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Reply
from tasks.judges.self_judge import majority, self_judge
from tests.support.judging import PROMPT, Drive, between, completions, said, spelt

ONE = {"right": "Prefer the right one."}


def judged(texts, answer, **settings):
    return Drive(self_judge(PROMPT, completions(*texts), policy="p", **settings), answer)


def chances(*first_better):
    """Answers in turn with these probabilities that the first shown is better."""
    return [
        spelt(json.dumps({"winner": "A" if p > 0.5 else "B"}), at="A" if p > 0.5 else "B", top={"A": p, "B": 1 - p})
        for p in first_better
    ]


def shares(drive):
    return {row["subjects"][0]: row["score"] for row in drive.rows if row["kind"] == "pointwise"}


def test_the_policy_is_asked_in_both_orders_by_every_principle_at_once():
    drive = judged(("a", "b"), chances(*[0.9, 0.2] * 3))
    assert drive.rounds == [6]
    assert {request.model for request in drive.requests} == {"p"}
    assert {(request.logprobs, request.top_logprobs) for request in drive.requests} == {(True, 20)}


def test_the_worked_example_of_the_paper():
    # P[A|ab] = 0.7 and P[B|ba] = 0.4, so s_a = 0.55 and a wins although the orders name different winners
    drive = judged(("a", "b"), chances(0.7, 0.6), principles=ONE)
    assert [row["probability"] for row in drive.rows[:2]] == pytest.approx([0.7, 0.6])
    assert {row["comparison"] for row in drive.rows[:2]} == {"contradicted"}
    assert shares(drive) == {"c0": 1.0, "c1": 0.0}
    assert [row["probability"] for row in drive.rows[2:]] == pytest.approx([0.55, 0.45])


def test_the_majority_of_principles_takes_the_pair():
    drive = judged(("a", "b"), chances(0.6, 0.4, 0.6, 0.4, 0.1, 0.9))
    assert shares(drive) == {"c0": 1.0, "c1": 0.0}


def test_an_exact_tie_is_half_a_win_to_each_and_not_one_for_the_second():
    drive = judged(("a", "b"), chances(0.7, 0.7), principles=ONE)
    assert shares(drive) == {"c0": 0.5, "c1": 0.5}
    assert majority([0.8, 0.2]) == 0.5


def test_an_even_split_goes_to_the_higher_mean():
    assert majority([0.9, 0.4]) == 1.0
    assert majority([0.6, 0.1]) == 0.0


def test_swapping_the_answers_mirrors_the_result():
    def model(request):
        p = 0.8 if between(request.messages[0]["content"], "answer A") == "good" else 0.35
        return chances(p)[0]

    assert shares(judged(("good", "bad"), model)) == {"c0": 1.0, "c1": 0.0}
    assert shares(judged(("bad", "good"), model)) == {"c0": 0.0, "c1": 1.0}


@pytest.mark.parametrize("reply", ["no idea", Reply(error="500"), said('{"winner": "A"}', "truncated")])
def test_a_pair_that_cannot_be_read_has_no_share(reply):
    drive = judged(("a", "b"), [*chances(0.9), reply], principles=ONE)
    assert [row["outcome"] for row in drive.rows if row["kind"] == "pointwise"] == ["unparsable", "unparsable"]
    assert shares(drive) == {"c0": None, "c1": None}


@pytest.mark.parametrize(
    ("forth", "back", "share"),
    [("A", "B", 1.0), ("B", "A", 0.0), ("A", "A", 0.5), ("tie", "B", 1.0), ("tie", "tie", 0.5)],
)
def test_without_probabilities_a_verdict_counts_as_certain(forth, back, share):
    drive = judged(("a", "b"), [json.dumps({"winner": forth}), json.dumps({"winner": back})], principles=ONE)
    assert shares(drive) == {"c0": share, "c1": 1 - share}


def test_hard_verdicts_alone_where_asked():
    drive = judged(("a", "b"), '{"winner": "A"}', soft=False)
    assert {row["kind"] for row in drive.rows} == {"pairwise"}
    assert not drive.requests[0].logprobs


def test_the_callers_completions_are_left_alone():
    rows = completions("b", "a", "c")[::-1]
    before = json.dumps(rows)
    Drive(self_judge(PROMPT, rows, policy="p", soft=False), "A")
    assert json.dumps(rows) == before


def test_no_principle_is_refused():
    with pytest.raises(ValueError, match="no principle"):
        judged(("a", "b"), "A", principles={})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_the_majority_is_mirrored_when_the_answers_are(means):
    assert majority([1 - mean for mean in means]) == pytest.approx(1 - majority(means))
