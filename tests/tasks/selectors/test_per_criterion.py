import orjson

from tasks.selectors.per_criterion import per_criterion
from tests.support.scored import places, scored

RATINGS = {"helpful": [5, 3], "honest": [3, 3], "follows": [4, 5], "true": [2, 4]}
NAMES = ["helpful", "honest", "follows", "true"]


def test_users_who_each_care_for_one_aspect_disagree():
    found = per_criterion(*scored(RATINGS), criteria=NAMES, pairs="all")
    labels = dict(zip(found["annotator_group"], places(found), strict=True))
    assert labels == {"helpful": (0, 1), "follows": (1, 0), "true": (1, 0)}  # honest ties and says nothing
    assert [orjson.loads(meta)["disputed"] for meta in found["meta"]] == [True] * 3


def test_what_all_agree_on_is_not_disputed():
    tables = scored({"a": [2, 1, 0], "b": [5, 4, 9]})
    found = per_criterion(*tables, criteria=["a", "b"], pairs="all")
    disputed = {pair for pair, meta in zip(places(found), found["meta"], strict=True) if orjson.loads(meta)["disputed"]}
    assert disputed == {(0, 2), (2, 0), (1, 2), (2, 1)}
    only = per_criterion(*tables, criteria=["a", "b"], pairs="all", disputed_only=True)
    assert set(places(only)) == disputed


def test_a_stage_a_dimension():
    found = per_criterion(*scored({"a": [2, 1, 0], "b": [0, 4, 9]}), criteria=["b", "a"], stages=True)
    assert found.select("criterion", "stage").rows() == [("a", 2), ("b", 1)]
    assert places(found) == [(0, 2), (2, 0)]


def test_without_stages_there_are_none():
    assert per_criterion(*scored({"a": [2, 1]}), criteria=["a"])["stage"].to_list() == [None]


def test_a_completion_that_one_judge_could_not_score_still_counts_for_the_other():
    found = per_criterion(*scored({"a": [2, None, 1], "b": [1, 0, None]}), criteria=["a", "b"])
    assert places(found) == [(0, 2), (0, 1)]


def test_a_margin_must_be_exceeded():
    assert per_criterion(*scored({"a": [2, 1]}), criteria=["a"], min_margin=1.0).height == 0
