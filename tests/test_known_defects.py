"""What published code of these constructions gets wrong, run on ours: one test a defect, D1 to D26.

Where a block has tests of its own, the short one here is the page to read; the numbers are worked by hand.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import orjson
import polars as pl
import pytest

from schemas.errors import MissingExtraError
from schemas.exchange import Choice, Reply, Token
from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES, PROMPTS
from storage.store import Store
from tasks import recipes, registry
from tasks.exports.grouped_pairs import grouped_pairs
from tasks.exports.trl_sft import trl_sft
from tasks.exports.trl_stepwise import trl_stepwise
from tasks.readers.scores import read_score
from tasks.judges.aspects import aspects
from tasks.judges.followup_likelihood import followup_likelihood
from tasks.judges.generated_reward import generated_reward
from tasks.judges.math import math
from tasks.judges.numeric import numeric
from tasks.judges.pairwise import pairwise
from tasks.judges.pointwise import pointwise
from tasks.judges.self_judge import self_judge
from tasks.relabelers.contexts import contexts
from tasks.relabelers.goals import goals
from tasks.relabelers.prompt_clusters import prompt_clusters
from tasks.reports._agreement import grouped
from tasks.reports._statistics import kappa
from tasks.samplers.adaptive import adaptive
from tasks.scorers.mean import mean
from tasks.scorers.preference_table import preference_table
from tasks.scorers.uncertainty_weighted import uncertainty_weighted
from tasks.scorers.win_probability import win_probability
from tasks.scorers.win_rate import win_rate
from tasks.select import whole
from tasks.selectors.advantages import advantages
from tasks.selectors.all_pairs import all_pairs
from tasks.selectors.attributes import attributes
from tasks.selectors.best_vs_random import best_vs_random
from tasks.selectors.best_vs_worst import best_vs_worst
from tasks.selectors.labelled import labelled
from tasks.selectors.length_debiased import length_debiased
from tasks.selectors.per_criterion import per_criterion
from tasks.selectors.ranked_lists import ranked_lists
from tasks.selectors.rejection_sampled import rejection_sampled
from tests.support import judging
from tests.support.exported import examples, steps
from tests.support.nodes import meta
from tests.support.preferences import pairs
from tests.support.scored import COMPLETIONS, duels, graded, judgments, one, places, scored

PROMPT = judging.PROMPT


def judged(texts: dict[str, list[str]], answer: Any) -> pl.DataFrame:
    """Returns the judgments of a pairwise judge over prompt -> texts; ids are the prompt's name and a number."""
    rows: list[dict[str, Any]] = []
    for name, said in texts.items():
        shown = [row | {"completion_id": f"{name}{i}"} for i, row in enumerate(judging.completions(*said))]
        drive = judging.Drive(pairwise(PROMPT | {"prompt_id": name}, shown, model="m"), answer)
        rows += [row | {"prompt_id": name, "judge": "j", "fingerprint": "f"} for row in drive.rows]
    return judgments([{key: row[key] for key in row if key in judgments([]).columns} for row in rows])


def chosen(texts: dict[str, list[str]], answer: Any) -> list[tuple[str, str]]:
    """Returns (chosen, rejected) of best against worst by win rate, with that judge."""
    rows = [
        {"prompt_id": name, "completion_id": f"{name}{i}", "content_id": text, "finish_reason": "stop"}
        for name, said in texts.items() for i, text in enumerate(said)
    ]  # fmt: skip
    found = best_vs_worst(pl.DataFrame(rows, schema=COMPLETIONS), win_rate(judged(texts, answer)))
    return list(found.select("chosen_id", "rejected_id").iter_rows())


def longer(request: Any) -> str:
    """A judge that prefers the longer text, wherever it stands."""
    content = request.messages[0]["content"]
    sides = [judging.between(content, f"answer {letter}") for letter in "AB"]
    return json.dumps({"winner": "A" if len(sides[0]) > len(sides[1]) else "B"})


def test_d1_fewer_distinct_candidates_than_asked_for_neither_hang_nor_fail():
    found = rejection_sampled(*one([0.1, 0.9, 0.5, 0.3, 0.7]), keep=8)
    assert found.height == 2  # five are accepted in the end, whatever the lot: two pairs and one left over
    texts = ["a", "b", "c", "d", "e"] * 4

    def answer(request: Any) -> Reply:
        return Reply(tuple(Choice(request.first + i, texts[request.first + i]) for i in range(request.n)))

    drive = judging.Drive(adaptive(PROMPT, policy="m", distinct=8, block=8, most=16), answer)
    assert [request.n for request in drive.requests] == [8, 8]
    assert len({row["content_id"] for row in drive.rows}) == 5


def test_d2_a_verdict_decides_the_pair_in_both_orders_and_a_failure_drops_its_row_alone():
    texts = {"p": ["long text", "short"], "q": ["short", "long text"]}
    assert chosen(texts, longer) == [("p0", "p1"), ("q1", "q0")]
    many = {f"p{i:03d}": ["long text", "short"] for i in range(100)}
    assert chosen(many, '{"winner": "A"}') == []  # who always names the first contradicts itself: no label at all
    failing = {"p": ["long text", "short"], "q": ["broken", "short"], "r": ["long text", "short"]}
    found = chosen(
        failing, lambda request: Reply(error="500") if "broken" in str(request.messages) else longer(request)
    )
    assert found == [("p0", "p1"), ("r0", "r1")]


def test_d3_the_row_that_asks_for_the_low_score_exchanges_the_texts():
    low = goals(pairs([{"chosen_score": 9.0, "rejected_score": 6.0}])).row(1, named=True)
    assert "quality 6 out of" in low["prompt"][0]["content"]
    assert (low["chosen"][0]["content"], low["rejected"][0]["content"]) == ("text r0", "text c0")


def test_d4_a_score_keeps_its_sign_and_a_number_in_passing_is_none():
    assert read_score("Score: -3 because 2 issues", -5, 5).value == -3.0
    assert read_score("There are 2 issues.\nScore: -3", -5, 5).value == -3.0
    assert read_score("The 1st answer deserves 4", 0, 5).value is None
    assert read_score("The 1st answer has 2 issues.\nScore: 4", 0, 5).value == 4.0


def test_d5_a_sample_is_no_pair_with_itself_and_thresholds_are_what_they_say():
    assert places(all_pairs(*one([3.0, 2.0, 1.0]), min_margin=0.0)) == [(0, 1), (0, 2), (1, 2)]
    assert places(all_pairs(*one([3.0, 2.0, 1.0]), min_margin=1.0)) == [(0, 2)]
    middle = labelled(*one([3.0, 2.0, 1.0]), threshold="median")
    assert middle["label"].to_list() == [True, True, False]
    assert labelled(*one([0.4, 0.5, 0.6]), threshold=0.5)["label"].to_list() == [False, True, True]


def test_d6_a_row_of_each_user_goes_through_from_ratings_to_the_export():
    completions, scores = scored({"a": [5.0, 1.0, 5.0, 1.0], "b": [1.0, 5.0, 5.0, 1.0]}, prompt_id=["p", "p", "q", "q"])
    completions = completions.with_columns(
        messages=pl.Series([assistant(f"text {i}") for i in range(4)], dtype=PREFERENCES.empty().schema["chosen"])
    )
    asked = pl.DataFrame(
        [{"prompt_id": name, "messages": to_rows("Q?"), "group": None} for name in "pq"],
        schema={k: v for k, v in PROMPTS.empty().schema.items() if k not in ("run_id", "created_at")},
    )
    lean = per_criterion(completions, scores, criteria=["a", "b"])
    rows = whole("preferences", lean, {"prompts": asked, "completions": completions}, "vpl")
    shown = grouped_pairs(contexts(rows, size=1))
    assert sorted(shown["group"]) == ["a", "a", "b", "b"]
    assert shown["controversial"].sum() == 2  # the two users differ on p alone
    assert shown["contexts"].list.len().to_list() == [1, 1, 1, 1]


def test_d7_an_invalid_verdict_drops_the_row_and_takes_nothing_from_the_one_before():
    texts = {"p": ["long text", "short"], "q": ["short", "long text"]}

    def one_of_two(request: Any) -> str:
        return longer(request) if request.messages and "q" not in seen else "3"

    seen: list[str] = []
    assert chosen({"p": texts["p"]}, one_of_two) == [("p0", "p1")]
    seen.append("q")
    assert chosen(texts, one_of_two) == []


def test_d8_a_suffix_is_taken_off_as_a_whole_not_letter_by_letter():
    mark = "<|tail|>"
    rows = trl_stepwise(steps({"completions": [f"Great plan at last{mark}"], "labels": [1.0]}), separator=mark)
    assert rows["completions"].to_list() == [["Great plan at last"]]
    said = examples({"completion": assistant("Great plan at last"), "conditioning": "<score> 1"})
    assert trl_sft(said)["completion"][0][0]["content"] == "Great plan at last"


def test_d9_no_prompt_is_in_two_splits():
    rows = pairs([{"prompt_id": f"p{i % 40}", "prompt": to_rows(f"Question {i % 40} {i % 40}?")} for i in range(120)])
    split = prompt_clusters(rows, test=0.4).group_by("prompt_id").agg(pl.col("split").n_unique())
    assert split["split"].to_list() == [1] * 40


def test_d10_every_price_of_length_is_looked_at_and_the_fairest_taken():
    # scores 12 9 7 2 and 5 4 3 1, lengths 400 200 150 100 and 120 90 300 60: mean gaps of 180 at price 0, 60 at .01,
    # -40 at .02 and -230 at .05
    completions, scores = one([12, 9, 7, 2, 5, 4, 3, 1], prompt_id=["p"] * 4 + ["q"] * 4)
    completions = completions.with_columns(characters=pl.Series([400, 200, 150, 100, 120, 90, 300, 60]))
    found = {step: meta(length_debiased(completions, scores, highest=0.05, step=step))[0] for step in (0.01, 0.05)}
    assert found[0.01] == {"length_price": 0.02, "length_gap": -40.0}
    assert found[0.05] == {"length_price": 0.0, "length_gap": 180.0}  # what a coarse scan has to choose from


def test_d11_a_score_of_one_stays_one():
    exchange = pointwise(PROMPT, judging.completions(*"abcdefghij"), model="m")
    drive = judging.Drive(exchange, [f'{{"score": {n}}}' for n in range(1, 11)])
    assert [row["score"] for row in drive.rows] == [float(n) for n in range(1, 11)]
    scores = mean(graded({"j": {"overall": [float(n) for n in range(1, 11)]}})).sort("completion_id")
    assert scores["score"].to_list() == [float(n) for n in range(1, 11)]


def test_d12_scores_and_pairs_are_two_artefacts_with_two_digests(tmp_path):
    store = Store.open(tmp_path)
    table = pairs([{}]).with_columns(pl.lit("r").alias("recipe"))
    _, scores = one([1.0, 0.0])
    scores = scores.with_columns(judgments=pl.lit(1, pl.Int64))
    run = {"run_id": "r", "recipe": "r", "recipe_hash": "h"}
    both = store.publish("d", {"preferences": table, "scores": scores}, **run)
    alone = store.publish("d", {"scores": scores}, **run | {"run_id": "s"})
    assert {name: held.rows for name, held in both.tables.items()} == {"preferences": 1, "scores": 2}
    assert both.digest != alone.digest
    assert store.read("scores", version="d@v1").collect().height == 2


def test_d13_every_answer_below_the_best_is_drawn_as_rejected():
    completions, scores = one([0.1, 0.9, 0.5, 0.3, 0.7])
    drawn = {places(best_vs_random(completions, scores, seed=seed))[0] for seed in range(1000)}
    assert drawn == {(1, 0), (1, 2), (1, 3), (1, 4)}


def test_d14_which_variance_is_a_setting_that_is_stored_with_the_run():
    rows = graded({f"rm{i}": {"c": [score]} for i, score in enumerate([1.0, 2.0, 0.5, 1.5, 2.0])})
    found = [
        uncertainty_weighted(rows, coefficient=0.5, variance=kind)["score"].item() for kind in ("population", "sample")
    ]
    assert found == pytest.approx([1.4 - 0.5 * 0.34, 1.4 - 0.5 * 0.425])
    block = registry.find("score", "uncertainty_weighted")
    assert {"variance", "coefficient"} <= set(block.params.model_fields)


def test_d15_a_followup_is_the_sum_over_all_its_tokens():
    def told(*logprobs: float) -> Reply:
        return judging.said("", value=sum(logprobs), tokens=[Token("x", each) for each in logprobs])

    settings = {"positive": ["a b"], "negative": ["c"], "per": "followup"}
    exchange = followup_likelihood(PROMPT, judging.completions("2"), model="m", **settings)
    assert judging.Drive(exchange, [told(-1.0, -2.0), told(-4.0)]).rows[0]["score"] == 1.0  # -3 - (-4)


def test_d16_what_a_model_should_have_written_and_did_not_is_no_silent_default():
    exchange = generated_reward(PROMPT, judging.completions("2"), model="m", goal="Be right.", repairs=0)
    drive = judging.Drive(exchange, "I would rather not write a function.")
    assert [(row["outcome"], row["score"]) for row in drive.rows] == [("unparsable", None)]


def test_d17_a_tie_favours_nobody_and_the_callers_lists_stay_as_they_are():
    shown = judging.completions("2", "3")
    before = orjson.dumps(shown)
    for order in (shown, shown[::-1]):
        exchange = self_judge(PROMPT, order, policy="m")
        drive = judging.Drive(exchange, "Neither is better: they are equally good.")
        assert {row.get("winner") for row in drive.rows} == {None}
        assert {row["score"] for row in drive.rows if row["kind"] == "pointwise"} <= {0.5, None}
    assert orjson.dumps(shown) == before
    assert preference_table(duels([("000", "001", 0.5)]))["score"].to_list() == [0.5, 0.5]


def test_d18_ties_count_against_the_right_answer_and_shuffled_verdicts_are_mapped_back():
    def mrr(*read: str) -> float:
        rows = pl.DataFrame(
            [{"many_id": "m", "item_id": str(i), "label": "first", "read": verdict} for i, verdict in enumerate(read)]
        )
        return float(grouped(rows, "many_id")["mrr"])

    assert (mrr("first", "second"), mrr("first", "tie"), mrr("first", "first")) == (0.5, 0.5, 1.0)
    assert kappa(list("AAAABBBBAB"), list("AAABBBBAAB")).value == pytest.approx(0.6)
    rows = judged({"p": ["long text", "short"]}, longer)
    assert rows["subjects"].to_list() == [["p0", "p1"], ["p1", "p0"]]
    assert rows["winner"].to_list() == ["p0", "p0"]


def test_d19_a_tie_stays_flagged_however_hard_the_labels():
    (row,) = ranked_lists(*one([1.0, 1.0, 0.0]), softmax=1e-4).to_dicts()
    assert row["ranks"] == [1, 1, 3]
    assert row["rewards"] == [0.5, 0.5, 0.0]
    assert orjson.loads(row["meta"])["ties"] is True


def test_d20_a_preference_is_counted_once_not_twice():
    votes = [("000", "001", 1.0), ("000", "001", 1.0), ("000", "001", 1.0), ("000", "001", 0.0)]
    rows = pl.concat([duels([vote], judge=f"j{i}") for i, vote in enumerate(votes)])
    assert dict(preference_table(rows).select("completion_id", "score").iter_rows()) == {"000": 0.75, "001": 0.25}
    ratings = graded({"j": {"c": [2.0, 0.0]}})
    won = dict(win_probability(ratings).select("completion_id", "score").iter_rows())
    assert won["000"] == pytest.approx(0.8808, abs=6e-5)  # sigmoid(2 - 0), not of twice the difference


def test_d21_a_failed_judgment_is_no_minus_one_in_the_mean():
    rows = graded({"j1": {"c": [4.0]}, "j2": {"c": [None]}})
    assert rows["outcome"].to_list() == ["valid", "unparsable"]
    assert mean(rows)["score"].to_list() == [4.0]
    lost = judging.Drive(pointwise(PROMPT, judging.completions("2"), model="m"), Reply(error="500")).rows[0]
    assert (lost["outcome"], lost["score"]) == ("error", None)


def test_d22_equal_scores_make_no_pair():
    assert best_vs_worst(*one([0.9, 0.9, 0.9])).height == 0
    assert places(best_vs_worst(*one([0.90, 0.84, 0.93]))) == [(2, 1)]


@pytest.mark.parametrize("judge", [math, numeric])
def test_d23_a_sign_counts_and_no_number_is_not_nought(judge):
    def score(text: str, reference: str) -> float:
        (row,) = judge(PROMPT | {"reference": reference}, judging.completions(text))
        return row["score"] or 0.0

    assert score("Answer: -3", "3") == 0.0
    assert score("Answer: -3", "-3") == 1.0
    assert score("I cannot say.", "0") == 0.0
    assert score("Answer: 0", "0") == 1.0


def test_d24_an_aspect_nobody_could_rate_is_there_and_flagged():
    exchange = aspects(PROMPT, judging.completions("a", "b"), model="m", aspects={"helpfulness": "?"}, orders=1)
    rows = judging.Drive(exchange, "I cannot rate these.").rows
    assert {(row["subjects"][0], row["outcome"], row["score"]) for row in rows} == {
        ("c0", "unparsable", None),
        ("c1", "unparsable", None),
    }


@cache
def settings_in_recipes() -> dict[str, dict[str, Any]]:
    """Returns the parameters that some recipe gives each filter."""
    return {spec.name: spec.params for each in recipes.known() for spec in recipes.load(each).of("filter")}


@pytest.mark.parametrize("name", sorted(registry.family("filter")))
def test_d25_nothing_in_is_nothing_out(name):
    block = registry.find("filter", name)
    if "preferences" not in block.tables:
        return
    settings = dict(settings_in_recipes().get(name, {}))
    settings |= {
        "language_is": {"languages": ["en"]},
        "subset": {"share": 0.5},
        "decontaminate": {"against": ["an item of a benchmark"]},
    }.get(name, {})
    tables = {"preferences": pairs([]), "completions": one([])[0], "scores": one([])[1], "judgments": judgments([])}
    tables["prompts"] = PROMPTS.empty()
    try:
        assert block.function(*(tables[table] for table in block.tables), **settings).height == 0
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("count", [1, 7, 59])
def test_d26_a_group_without_spread_has_z_scores_of_nought(count):
    completions, scores = one([0.7] * count)  # 59 times 0.7 have a deviation of 1e-16, not of 0
    kept = advantages(completions, scores, baseline="standardised", keep_constant=True)
    assert {note["advantage"] for note in meta(kept)} == {0.0}
    rows = attributes(completions, scores, criteria=["c"], standardise=True)
    assert {note["attributes"]["c"] for note in meta(rows)} == {0.0}
