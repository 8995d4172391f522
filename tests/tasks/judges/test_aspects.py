import json
from itertools import permutations

import pytest

from schemas.exchange import Reply
from tasks.judges.aspects import ASPECTS, aspects
from tests.support.judging import PROMPT, Drive, between, completions, meta, said


def judged(texts, answer, **settings):
    return Drive(aspects(PROMPT, completions(*texts), model="m", **settings), answer)


def rater(ratings):
    """Rates each answer by its text."""

    def rate(request):
        content = request.messages[0]["content"]
        labels = [letter for letter in "ABCDEF" if f"=== answer {letter} " in content]
        return json.dumps({"ratings": {letter: ratings[between(content, f"answer {letter}")] for letter in labels}})

    return rate


def scores(drive):
    return {(row["criterion"], row["subjects"][0], row["score"]) for row in drive.rows}


def test_each_aspect_is_a_criterion_asked_in_both_orders_at_once():
    drive = judged(("one", "two"), rater({"one": 5, "two": 3}))
    assert drive.rounds == [10]
    assert len(drive.rows) == 20
    assert scores(drive) == {(name, who, value) for name in ASPECTS for who, value in (("c0", 5.0), ("c1", 3.0))}
    assert {row["kind"] for row in drive.rows} == {"pointwise"}


@pytest.mark.parametrize("order", [pytest.param(order, id="".join(order)) for order in permutations("wxyz")])
def test_a_rating_goes_to_its_answer_in_every_order(order):
    ratings = {"w": 1, "x": 2, "y": 4, "z": 5}
    drive = judged(order, rater(ratings), aspects={"helpfulness": "Is it useful?"})
    assert {(row["subjects"][0], row["score"]) for row in drive.rows} == {
        (f"c{i}", float(ratings[text])) for i, text in enumerate(order)
    }


def test_an_aspect_that_does_not_apply_is_an_abstention_and_enters_no_mean():
    ratings = {"instruction_following": 5, "helpfulness": 4, "honesty": "N/A", "truthfulness": 5}
    about = {name: f"Judge {name}." for name in ratings}

    def rate(request):
        name = next(name for name in about if f"Judge {name}." in request.messages[0]["content"])
        return json.dumps({"ratings": {"A": ratings[name]}})

    rows = judged(("x",), rate, aspects=about, orders=1).rows
    found = {row["criterion"]: row["score"] for row in rows}
    assert found == {"instruction_following": 5.0, "helpfulness": 4.0, "honesty": None, "truthfulness": 5.0}
    honesty = next(row for row in rows if row["criterion"] == "honesty")
    assert (honesty["outcome"], meta(honesty)) == ("refused", {"not_applicable": True})
    valid = [row["score"] for row in rows if row["outcome"] == "valid"]
    assert sum(valid) / len(valid) == pytest.approx(4.6667, abs=1e-4)


@pytest.mark.parametrize("value", [1, 2, 3, 4, 5])
def test_a_rating_is_taken_as_it_was_given(value):
    assert {row["score"] for row in judged(("x",), rater({"x": value})).rows} == {float(value)}


@pytest.mark.parametrize("value", [0, 6, 10, 4.5, "five", None, True, [4]])
def test_a_rating_off_the_scale_is_unparsable_and_the_others_stand(value):
    drive = judged(("x", "y"), rater({"x": value, "y": 2}), aspects={"honesty": "?"}, orders=1)
    assert [(row["outcome"], row["score"]) for row in drive.rows] == [("unparsable", None), ("valid", 2.0)]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param('{"ratings": {"A": 4}}', ["valid", "unparsable"], id="one is missing"),
        pytest.param("They are fine.", ["unparsable"] * 2, id="no rating at all"),
        pytest.param(said('{"ratings": {"A": 4, "B": 4}}', "truncated"), ["truncated"] * 2, id="cut"),
        pytest.param(Reply(error="500"), ["error"] * 2, id="failed"),
        pytest.param("Answer A: 4\nAnswer B: 2", ["valid"] * 2, id="lines instead of an object"),
    ],
)
def test_no_aspect_is_ever_silently_empty(reply, outcome):
    drive = judged(("x", "y"), reply, aspects={"honesty": "?"}, orders=1)
    assert [row["outcome"] for row in drive.rows] == outcome
    assert all((row["score"] is None) == (row["outcome"] != "valid") for row in drive.rows)


def test_answers_with_the_same_text_share_a_rating():
    drive = judged(("x", "y", "x"), rater({"x": 4, "y": 2}), aspects={"honesty": "?"}, orders=1)
    assert scores(drive) == {("honesty", "c0", 4.0), ("honesty", "c1", 2.0), ("honesty", "c2", 4.0)}


def test_alone_each_answer_has_a_prompt_of_its_own():
    drive = judged(("x", "y"), rater({"x": 4, "y": 2}), aspects={"honesty": "?"}, together=False)
    assert drive.rounds == [2]
    assert scores(drive) == {("honesty", "c0", 4.0), ("honesty", "c1", 2.0)}


def test_the_cost_of_a_call_is_counted_once():
    drive = judged(("x", "y"), rater({"x": 4, "y": 2}), aspects={"honesty": "?"}, orders=2)
    assert sum(row.get("cost") or 0 for row in drive.rows) == 0.5
    assert sum(row.get("prompt_tokens") or 0 for row in drive.rows) == 100


def test_no_aspect_at_all_is_refused():
    with pytest.raises(ValueError, match="no aspect"):
        judged(("x",), "x", aspects={})


@pytest.mark.parametrize(
    ("ratings", "mean"),
    [
        pytest.param([5, 4, "N/A", 5], 14 / 3, id="over the three there are, not 3.5"),
        pytest.param([2, 2, 2, 2], 2.0, id="all"),
        pytest.param([5, 4, 9, 5], None, id="one is off the scale"),
        pytest.param(["N/A"] * 4, None, id="none applies"),
    ],
)
def test_the_mean_of_the_aspects_is_over_the_ratings_there_are(ratings, mean):
    script = [json.dumps({"ratings": {"A": rating}}) for rating in ratings]
    about = dict(zip(["w", "x", "y", "z"], ["?"] * 4, strict=True))
    row = judged(("text",), script, aspects=about, orders=1, overall="overall").rows[-1]
    assert row["criterion"] == "overall"
    assert (row["outcome"], row["score"]) == ("valid" if mean else "unparsable", pytest.approx(mean) if mean else None)


def test_a_refused_rating_is_no_abstention_of_the_mean():
    script = ['{"ratings": {"A": 5}}', said("I will not.", "refused")]
    row = judged(("text",), script, aspects={"a": "?", "b": "?"}, orders=1, overall="overall").rows[-1]
    assert row["outcome"] == "unparsable"


def test_the_mean_is_taken_order_by_order_and_completion_by_completion():
    drive = judged(("x", "y"), rater({"x": 4, "y": 2}), overall="overall")
    rows = [row for row in drive.rows if row["criterion"] == "overall"]
    assert [(row["subjects"][0], row["score"]) for row in rows] == [("c0", 4.0), ("c1", 2.0), ("c1", 2.0), ("c0", 4.0)]
