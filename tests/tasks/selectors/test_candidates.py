import polars as pl
import pytest

from tasks.selectors.best_vs_worst import best_vs_worst


def completions(**reasons):
    rows = [("p", name, f"text {name}", reason) for name, reason in reasons.items()]
    return pl.DataFrame(rows, schema=["prompt_id", "completion_id", "content_id", "finish_reason"], orient="row")


def scores(criterion="correct", scorer="mean", **values):
    rows = [("p", name, criterion, scorer, value) for name, value in values.items()]
    schema = {"prompt_id": pl.String, "completion_id": pl.String, "criterion": pl.String, "scorer": pl.String}
    return pl.DataFrame(rows, schema=schema | {"score": pl.Float64}, orient="row")


def chosen(*args, **settings):
    return best_vs_worst(*args, **settings).select("chosen_id", "rejected_id").rows()


@pytest.mark.parametrize("reason", ["empty", "refused", "filtered", "error", "unknown"])
def test_an_answer_that_is_none_is_never_chosen_nor_rejected(reason):
    rows = completions(a=reason, b="stop", c="stop", d=reason)
    assert chosen(rows, scores(a=9, b=2, c=1, d=0)) == [("b", "c")]


def test_a_cut_answer_is_used_only_when_the_recipe_says_so():
    rows, values = completions(a="length", b="stop", c="stop"), scores(a=9, b=2, c=1)
    assert chosen(rows, values) == [("b", "c")]
    assert chosen(rows, values, truncated=True) == [("a", "c")]


def test_a_score_that_is_no_number_makes_no_pair():
    rows = completions(a="stop", b="stop", c="stop")
    assert chosen(rows, scores(a=float("nan"), b=float("inf"), c=1)) == []


def test_an_unscored_completion_makes_no_pair():
    assert chosen(completions(a="stop", b="stop"), scores(a=1)) == []


def test_scores_of_several_kinds_need_a_word_which_is_meant():
    rows = completions(a="stop", b="stop")
    both = pl.concat([scores(a=1, b=0), scores(criterion="style", a=0, b=1)])
    with pytest.raises(ValueError, match=r"correct \(mean\), style \(mean\)"):
        chosen(rows, both)
    assert chosen(rows, both, criterion="style") == [("b", "a")]
    with pytest.raises(ValueError, match=r"correct \(mean\), correct \(win_rate\)"):
        chosen(rows, pl.concat([scores(a=1, b=0), scores(scorer="win_rate", a=1, b=0)]), criterion="correct")
