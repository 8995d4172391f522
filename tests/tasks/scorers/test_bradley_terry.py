from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from tasks.scorers.bradley_terry import bradley_terry


def wins(*results: tuple[str, str, int], prompt: str = "p") -> list[dict[str, Any]]:
    """Each (winner, loser, n): n judges, one vote each; winner None is a tie."""
    return [
        {"prompt_id": prompt, "judge": f"{winner}{loser}{i}", "fingerprint": "f", "kind": "pairwise",
         "subjects": [winner, loser], "criterion": "overall", "outcome": "valid", "winner": winner}
        for winner, loser, n in results for i in range(n)
    ]  # fmt: skip


def test_two_completions_have_the_log_odds_of_their_wins() -> None:
    # 3 wins of 4 and a prior too wide to matter: log 3 apart, half on either side; information 4 * 3/16
    found = bradley_terry(pl.DataFrame(wins(("a", "b", 3), ("b", "a", 1))), prior_std=1000.0)
    assert found["score"].to_list() == pytest.approx([math.log(3) / 2, -math.log(3) / 2], abs=1e-4)
    assert found["standard_error"].to_list() == pytest.approx([math.sqrt(1 / 0.75) / 2] * 2, abs=1e-4)


def test_one_that_always_wins_stays_finite() -> None:
    found = bradley_terry(pl.DataFrame(wins(("a", "b", 5))), prior_std=1.0)
    # theta = 5 * (1 - sigmoid(2 * theta))
    theta = found["score"][0]
    assert theta == pytest.approx(5 * (1 - 1 / (1 + math.exp(-2 * theta))))


def test_strengths_order_a_chain_and_sum_to_nought() -> None:
    found = bradley_terry(pl.DataFrame(wins(("a", "b", 2), ("b", "c", 2))))
    score = dict(found.select("completion_id", "score").iter_rows())
    assert score["a"] > score["b"] > score["c"]
    assert sum(score.values()) == pytest.approx(0, abs=1e-9)
    assert score["b"] == pytest.approx(0, abs=1e-9)


def test_a_cycle_leaves_all_equal() -> None:
    found = bradley_terry(pl.DataFrame(wins(("a", "b", 1), ("b", "c", 1), ("c", "a", 1))))
    assert found["score"].to_list() == pytest.approx([0, 0, 0], abs=1e-9)


def test_asking_the_same_judge_again_does_not_shrink_the_error() -> None:
    once = wins(("a", "b", 1))
    again = bradley_terry(pl.DataFrame(once * 5))
    assert again["standard_error"].to_list() == bradley_terry(pl.DataFrame(once))["standard_error"].to_list()
    assert again["judgments"].to_list() == [5, 5]


def test_other_prompts_change_nothing() -> None:
    alone = bradley_terry(pl.DataFrame(wins(("a", "b", 3), ("b", "a", 1))))
    other = wins(("x", "y", 2), ("y", "z", 1), prompt="q") + wins(("u", "v", 1), prompt="r")
    both = bradley_terry(pl.DataFrame(other + wins(("a", "b", 3), ("b", "a", 1))))
    assert both.filter(pl.col("prompt_id") == "p").equals(alone)


def test_standard_errors_cover_the_truth() -> None:
    generator, truth = np.random.default_rng(0), np.array([1.0, 0.2, -0.3, -0.9])
    inside = total = 0
    for trial in range(40):
        rows = []
        for i in range(4):
            for j in range(i + 1, 4):
                n = int(generator.binomial(40, 1 / (1 + math.exp(truth[j] - truth[i]))))
                rows += wins(("abcd"[i], "abcd"[j], n), ("abcd"[j], "abcd"[i], 40 - n), prompt=str(trial))
        found = bradley_terry(pl.DataFrame(rows), prior_std=100.0)
        away = np.abs(found["score"].to_numpy() - truth) / found["standard_error"].to_numpy()
        inside, total = inside + int((away < 1.96).sum()), total + 4
    assert 0.89 < inside / total < 0.99


def test_nothing_to_compare_gives_no_rows() -> None:
    failed = [{**row, "outcome": "error", "winner": None} for row in wins(("a", "b", 2))]
    assert bradley_terry(pl.DataFrame(failed)).height == 0
    with pytest.raises(ValueError, match="prior_std"):
        bradley_terry(pl.DataFrame(failed), prior_std=0.0)
