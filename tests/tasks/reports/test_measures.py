import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.reports._varied import coverage, distinct_n, vendi, vendi_score
from tasks.reports.measures import best_of_n_kl, binary_entropy, k3, measures, quality, starc
from tests.support.pairs import pair, pairs


def completion(name, prompt="p", text="Answer: 1", policy="tiny", **more):
    return {
        "completion_id": name, "prompt_id": prompt, "policy": policy, "content_id": text, "messages": assistant(text),
        "completion_tokens": 4, "logprob": -2.0, "on_policy_age": None, "label": None,
    } | more  # fmt: skip


def table(rows):
    return pl.DataFrame(
        rows, infer_schema_length=None, schema_overrides={"on_policy_age": pl.Int64, "label": pl.Boolean}
    )


def score(name, value, prompt="p", criterion="good"):
    return {"completion_id": name, "prompt_id": prompt, "criterion": criterion, "scorer": "mean", "score": float(value)}


def found(rows, completions=None, scores=None):
    own = None if completions is None else table(completions).lazy()
    judged = None if scores is None else pl.DataFrame(scores).lazy()
    rows = measures(rows.lazy(), own, judged)
    return {(name, of): (value, n) for name, of, value, n in rows.iter_rows()}


def test_quality_lies_between_random_and_best():
    assert quality(60, 10, 110) == 0.5
    assert (quality(10, 10, 110), quality(110, 10, 110)) == (0, 1)
    assert quality(1, 2, 2) is None


def test_coverage_counts_what_is_different_once():
    prompts, answers = np.arange(1200) // 4, np.arange(1200) % 4
    kept = np.arange(1200) % 4 == 0
    assert coverage(prompts, answers, kept) == 0.25
    assert coverage(np.tile(prompts, 2), np.tile(answers, 2), np.tile(kept, 2)) == 0.25
    assert coverage([], [], []) is None


def test_kl_of_log_probability_differences():
    gap = np.array([0.5, -0.2, 0.4])
    assert gap.mean() == pytest.approx(0.2333, abs=1e-4)
    assert k3(gap) == pytest.approx(0.0661, abs=1e-4)
    assert k3(np.zeros(3)) == 0


def test_the_best_of_one_is_no_step_and_of_sixteen_nearly_two_nats():
    assert best_of_n_kl(1) == 0
    assert best_of_n_kl(16) == pytest.approx(math.log(16) - 15 / 16) == pytest.approx(1.835, abs=1e-3)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_vendi_score_of_texts_that_share_nothing_counts_kinds_by_their_shares(kinds):
    kernel = [[float(a == b) for b in kinds] for a in kinds]
    share = np.unique(kinds, return_counts=True)[1] / len(kinds)
    assert vendi_score(kernel) == pytest.approx(float(np.exp(-(share * np.log(share)).sum())))


def test_vendi_and_distinct_of_texts():
    assert vendi(pl.Series(["red apple", "blue sky", "old town"])) == pytest.approx(3)
    assert vendi(pl.Series(["red apple"] * 3)) == pytest.approx(1)
    assert 1 < vendi(pl.Series(["red apple", "red sky"])) < 2
    assert distinct_n(pl.Series(["one two two", "a"]), 2) == 1.0
    assert distinct_n(pl.Series(["a"]), 2) is None


def test_measures_of_pairs_alone():
    rows = pairs(
        pair("1", margin=1.0, p_chosen=0.5, chosen_tokens=10, rejected_tokens=20, chosen_score=1.0, rejected_score=2.0),
        pair("2", margin=3.0, p_chosen=1.0, chosen_tokens=30, rejected_tokens=40, chosen_score=2.0, rejected_score=4.0),
    )
    got = found(rows)
    assert got["mean", "margin"] == (2.0, 2)
    assert got["deviation", "margin"] == (1.0, 2)
    assert got["label_entropy", "bits"][0] == pytest.approx(0.5)
    value, n = got["correlation", "tokens ~ score"]
    assert (round(value, 4), n) == (0.9234, 4)
    assert ("distinct_1", "chosen") in got
    assert binary_entropy(0.5) == 1


def test_measures_of_what_was_sampled_and_scored():
    rows = pairs(pair("1", chosen_id="a", rejected_id="b", prompt_id="p"))
    sampled = [
        completion("a", text="Answer: 1"), completion("b", text="so, Answer: 2"), completion("c", text="Answer: 1.0"),
        completion("d", text="plain words", policy="other", on_policy_age=3, label=False),
        completion("z", text="of another run"),
    ]  # fmt: skip
    judged = [score("a", 4), score("b", 1), score("c", 4), score("d", 2)]
    judged += [score(name, value, criterion="long") for name, value in zip("abcd", (4, 3, 2, 1), strict=True)]
    got = found(rows, sampled, judged)
    assert got["best_of_n_kl", "nats"] == (pytest.approx(math.log(4) - 3 / 4), 1)
    assert got["token_entropy", "nats"] == (0.5, 4)
    assert got["on_policy_share", "tiny"] == (1.0, 2)
    assert got["tq", "good: from a random sample to the best"] == (1.0, 1)
    assert got["tq", "good: from other to tiny"] == (2.0, 1)  # 4 between 2 and 3
    assert got["support", "answers a prompt"] == (3.0, 1)
    entropy = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25))
    assert got["answer_entropy", "nats"][0] == pytest.approx(entropy)
    assert got["saco", "of what was sampled"][0] == pytest.approx(2 / 4)
    assert got["spearman", "good ~ long"][0] == pytest.approx(1 / math.sqrt(4.5 * 5))


def test_nothing_to_measure_gives_no_rows():
    assert found(pairs()) == {}


@pytest.mark.parametrize(
    ("other", "distance"), [([12, 14, 16], 0.0), ([-1, -2, -3], 1.0), ([1, 3, 2], 0.5), ([7, 7, 7], 0.5)], ids=str
)
def test_the_distance_of_two_reward_functions_forgets_scale_and_offset(other, distance):
    rows = pl.DataFrame({"prompt_id": ["p"] * 3, "a": [1.0, 2.0, 3.0], "b": [float(each) for each in other]})
    assert starc(rows, "a", "b") == starc(rows, "b", "a") == pytest.approx(distance, abs=1e-9)


def test_of_many_prompts_those_with_the_lowest_ids_are_measured(monkeypatch):
    monkeypatch.setattr("tasks.reports.measures.PROMPTS", 3)
    names = [str(i) for i in range(9, -1, -1)]
    answers = [completion(f"{side}{name}", prompt=f"p{name}") for name in names for side in "cr"]
    scores = [score(f"{side}{name}", side == "c", prompt=f"p{name}") for name in names for side in "cr"]

    measured = found(pairs(*(pair(name, margin=float(name)) for name in names)), answers, scores)

    assert measured["mean", "margin"] == (1.0, 3)
    assert measured["on_policy_share", "tiny"] == (1.0, 6)
    assert measured["tq", "good: from a random sample to the best"] == (1.0, 3)
