import orjson
import polars as pl

from tasks.selectors.quadruples import quadruples
from tests.support.scored import one


def made(groups, prompts, scores, **more):
    chosen = {name: more.pop(name) for name in ("least",) if name in more}
    asked = pl.DataFrame(
        {"prompt_id": list(groups), "group": list(groups.values())}, schema_overrides={"group": pl.String}
    )
    return quadruples(asked, *one(scores, prompt_id=prompts, **more), **chosen)


def test_each_prompts_best_answer_beats_the_others():
    found = made({"x1": "g", "x2": "g"}, ["x1", "x1", "x2"], [1.0, 2.0, 5.0])
    assert found.select("prompt_id", "chosen_id", "rejected_id").rows() == [
        ("x1", "001", "002"), ("x2", "002", "001"),
    ]  # fmt: skip
    notes = [orjson.loads(meta) for meta in found["meta"]]
    assert notes == [{"quadruple": "x1+x2", "side": 1}, {"quadruple": "x1+x2", "side": 2}]


def test_prompts_of_no_group_or_alone_make_none():
    assert made({"x1": None, "x2": None}, ["x1", "x2"], [1, 1]).height == 0
    assert made({"x1": "g", "x2": "h"}, ["x1", "x2"], [1, 1]).height == 0


def test_three_variants_leave_one_over():
    found = made({"a": "g", "b": "g", "c": "g"}, ["a", "b", "c"], [1, 1, 1])
    assert set(found["prompt_id"]) == {"a", "b"}


def test_an_answer_that_fits_both_or_too_bad_a_one_makes_none():
    groups = {"x1": "g", "x2": "g"}
    assert made(groups, ["x1", "x2"], [1, 1], content_id=["same", "same"]).height == 0
    assert made(groups, ["x1", "x2"], [1.0, 0.0], least=0.5).height == 0
    assert made(groups, ["x1", "x1"], [1.0, 0.0]).height == 0
