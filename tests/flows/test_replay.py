"""Completions one already has, in the shapes they come in: labels, scores, conversations, groups, gaps."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from flows import plan as planning
from flows.run import run
from flows.settings import Settings
from flows.summary import summary
from schemas.errors import DataError
from schemas.messages import text_of
from storage.store import Store
from tests.support.referee import speak

FRUIT = "Name a fruit."


@pytest.fixture
def replayed(tmp_path):
    """Runs a recipe over rows; returns its result, and its pairs as texts."""

    def go(recipe, rows, *settings, judge=None, **mapping):
        file = tmp_path / "data.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        request = planning.Request(recipe=recipe, data=file, mapping=mapping, settings=settings, judge=judge)
        result = run(planning.make(request), str(tmp_path / "lake"), settings=Settings(workers=0))
        version = f"{result.dataset}@{result.version}"
        pairs = Store.open(str(tmp_path / "lake")).read("preferences", version=version).collect()
        return result, [(text_of(r["prompt"]), text_of(r["chosen"]), text_of(r["rejected"])) for r in pairs.to_dicts()]

    return go


def answer(completion, prompt=FRUIT, **other):
    return {"prompt": prompt, "completion": completion, "policy": "m", **other}


def test_labels_that_came_with_the_data_make_the_pairs(replayed):
    result, pairs = replayed("recorded-labels", [answer("stone", label=False), answer("plum", label=True)])
    assert pairs == [(FRUIT, "plum", "stone")]
    assert result.outcomes == {"recorded": {"valid": 2}}


def test_graded_labels_are_scores_and_their_difference_is_the_margin(replayed):
    rows = [answer("pear", rating=3.5), answer("plum", rating=4.5), answer("stone", rating=1)]
    result, pairs = replayed("recorded-labels", rows, score="rating")
    assert pairs == [(FRUIT, "plum", "stone")]
    assert [each["margin"] for each in result.examples] == [3.5]


def test_how_many_rounds_old_an_answer_is_comes_with_the_data(replayed, tmp_path):
    rows = [
        answer("pear", rating=3.5, round=0),
        answer("plum", rating=4.5, round=2.0),
        answer("fig", rating=4, round=None),
    ]
    result, _ = replayed("recorded-labels", rows, score="rating", on_policy_age="round")
    held = Store.open(str(tmp_path / "lake")).read("completions").collect()
    ages = {text_of(row["messages"]): row["on_policy_age"] for row in held.to_dicts()}
    assert ages == {"pear": 0, "plum": 2, "fig": None}
    of = {row["of"]: row["value"] for row in result.measures if row["measure"] == "on_policy_age"}
    assert of == {"mean": 1.0, "highest": 2.0}  # the pair is plum over pear
    for wrong in (1.5, -1, "two", True):
        with pytest.raises(DataError, match="how many rounds old"):
            replayed("recorded-labels", [answer("pear", label=1, round=wrong)], on_policy_age="round")


def test_equal_labels_make_no_pair_and_no_label_no_judgment(replayed):
    rows = [answer("plum", label=True), answer("pear", label=True), answer("fig", "Name another.", label=True)]
    rows += [answer("stone", "Name another."), answer("kiwi", "A third?", label=1), answer("tin", "A third?", label=0)]
    result, pairs = replayed("recorded-labels", rows)
    assert pairs == [("A third?", "kiwi", "tin")]
    assert result.outcomes == {"recorded": {"valid": 5}}


def test_an_answer_that_is_not_there_is_kept_and_never_judged(replayed):
    rows = [
        answer("plum", label=True),
        answer(None, label=False),
        answer("stone", label=False),
        answer(" ", label=True),
    ]
    result, pairs = replayed("recorded-labels", rows)
    assert pairs == [(FRUIT, "plum", "stone")]
    assert (result.rows["completions"], result.rows["judgments"]) == (4, 2)


def test_a_file_without_any_answer_is_refused(replayed):
    with pytest.raises(Exception, match="no row has a completion"):
        replayed("recorded-labels", [answer(None), answer(None)])


def test_a_score_column_of_words_is_another_column(replayed):
    _, pairs = replayed(
        "recorded-labels", [answer("stone", label=0, score="low"), answer("plum", label=1, score="top")]
    )
    assert pairs == [(FRUIT, "plum", "stone")]


def test_a_conversation_of_several_turns_is_one_prompt(replayed):
    talk = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": FRUIT},
    ]
    _, pairs = replayed("recorded-labels", [answer("stone", talk, label=False), answer("plum", talk, label=True)])
    assert [(chosen, rejected) for _, chosen, rejected in pairs] == [("plum", "stone")]


def test_prompts_of_the_same_words_in_two_groups_keep_their_own_answers(replayed):
    rows = [
        answer(text, group=group, label=label)
        for group, text, label in (("a", "plum", 1), ("a", "tin", 0), ("b", "fig", 1), ("b", "stone", 0))
    ]
    result, pairs = replayed("recorded-labels", rows)
    assert sorted(pairs) == [(FRUIT, "fig", "stone"), (FRUIT, "plum", "tin")]
    assert result.rows["completions"] == 4


@pytest.mark.parametrize("recipe", ["recorded-labels", "replay", "scpo", "dragon", "goal-conditioned-rm"])
def test_what_came_in_is_kept_or_removed_with_a_reason(replayed, recipe):
    rows = [
        answer(f"I think {i % 3}.\nAnswer: {i % (3 + p)}", f"What is {p} - {p} + 1?", reference="1", label=i % 3 == 1)
        for p in range(6) for i in range(6)
    ]  # fmt: skip
    result, pairs = replayed(recipe, rows, *(["answer_votes.pattern='Answer: (.*)'"] if recipe == "scpo" else []))
    assert result.rows["completions"] == len(rows)
    assert result.rows["preferences"] == len(pairs) == len(set(pairs))
    assert result.rows["removals"] == sum(sum(Counter(reasons).values()) for reasons in result.removed.values())


def test_a_judge_that_cannot_judge_so_many_answers_has_errors_and_says_so(replayed, serve_engine):
    rows = [answer(f"plum {i}") for i in range(30)]
    result, pairs = replayed("cyclealign", rows, "independent.n=30", judge=f"openai:{serve_engine().url}:judge")
    assert (result.status, result.outcomes, pairs) == ("refused", {"listwise": {"error": 30}}, [])
    assert "basics.error_rate" in result.reason
    assert "! judge: listwise raised on 1 prompts, first on prompt " in summary(result)
    assert "30 completions" in result.raised["judge: listwise"]["first"]


BY_NUMBER = """
name: by-number
source: "a test"
about: Labels recorded answers by their final number.
blocks:
  - {sample: recorded, policy: ""}
  - {judge: numeric}
  - {score: mean}
  - {select: correct_vs_wrong}
  - {gate: basics}
"""


@pytest.mark.parametrize("broken", [1, 3])
def test_a_broken_row_is_an_error_that_is_counted_and_gated(replayed, tmp_path, broken):
    recipe = tmp_path / "by-number.yaml"
    recipe.write_text(BY_NUMBER, encoding="utf-8")
    rows = [
        answer(f"Answer: {n}", f"What is {p} + 1?", reference=str(p + 1) if p >= broken else "12:00")
        for p in range(12) for n in (p + 1, 99)
    ]  # fmt: skip
    result, pairs = replayed(str(recipe), rows)
    assert result.outcomes == {"numeric": {"error": 2 * broken, "valid": 24 - 2 * broken}}
    assert f"! judge: numeric raised on {broken} prompts, first on prompt " in summary(result)
    assert (result.status, len(pairs)) == ("done" if broken == 1 else "refused", 12 - broken)


def test_answers_beyond_the_alphabet_are_rated_in_several_lists(replayed, serve_engine):
    served = serve_engine()
    served.engine.speak = speak
    rows = [answer(f"plum {i}", policy=f"m{i}") for i in range(60)]
    result, _ = replayed("ultrafeedback", rows, "independent.n=60", judge=f"openai:{served.url}:judge")
    shown = {letters for body in served.engine.seen for letters in [str(body).count("=== end of answer")]}
    assert shown == {20}
    assert result.outcomes["aspects"]["valid"] == result.rows["judgments"] == 60 * 2 * 6


def test_answers_that_a_filter_takes_out_before_the_judge_are_not_judged(replayed, serve_engine):
    served = serve_engine()
    served.engine.speak = speak
    rows = [answer(f"plum {i} {j}", policy=f"m{i}") for i in range(6) for j in range(2)]
    result, _ = replayed("tulu3", rows, "model_pool.models=2", "aspects.orders=1", judge=f"openai:{served.url}:judge")
    assert result.rows["completions"] == 12
    assert result.removed["model_pool"] == {"not drawn from the pool": 8}
    assert result.rows["judgments"] == 4 * 4  # completions, aspects
