"""Reading trees from node rows, and how sure counts make one."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.selectors._posterior import doubt, fit_prior, probability_better, smoothing
from tasks.selectors._trees import trees
from tests.support.nodes import toy, tree


def test_a_prefix_is_all_that_was_written_before() -> None:
    (found,) = trees(tree({"a": {}, "a/b": {}, "a/b/c": {}}))
    assert {step.text: step.prefix for step in found.steps} == {"": "", "a\n": "", "b\n": "a\n", "c\n": "a\nb\n"}


def test_the_best_path_follows_visits_then_values() -> None:
    (found,) = trees(toy())
    assert [step.node_id for step in found.best_path()] == ["A", "A/A1"]


def test_a_tree_with_a_lost_node_is_refused() -> None:
    rows = toy()
    with pytest.raises(ValueError, match="parent that is not there"):
        list(trees(rows.filter(rows["node_id"] != "A")))
    with pytest.raises(ValueError, match="0 roots"):
        list(trees(rows.filter(rows["node_id"] != "root")))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((6, 2), (2, 6), 0.9717), ((5, 3), (3, 5), 0.8265), ((8, 0), (7, 1), 0.7647), ((1, 7), (0, 8), 0.7647),
     ((12, 4), (4, 12), 0.9974)],
)  # fmt: skip
def test_published_posteriors(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert probability_better(one, other) == pytest.approx(expected, abs=2e-4)
    assert probability_better(other, one) == pytest.approx(1 - expected, abs=2e-4)


def test_published_smoothing() -> None:
    assert (smoothing(12, 4), smoothing(3, 9)) == (0.25, 0.5)


def test_a_prior_is_fitted_to_the_spread_of_values() -> None:
    rng = np.random.default_rng(0)
    for a, b in ((8.0, 8.0), (5.0, 1.0), (1.0, 1.0)):
        hits = rng.binomial(8, rng.beta(a, b, 4000))
        found = fit_prior([(float(h), float(8 - h)) for h in hits])
        assert found[0] / sum(found) == pytest.approx(a / (a + b), abs=0.02)
        assert sum(found) == pytest.approx(a + b, rel=0.25)


def test_picking_extremes_is_a_winners_curse_that_a_fitted_prior_takes_out() -> None:
    rng = np.random.default_rng(1)
    true = rng.beta(8.0, 8.0, (400, 5))
    hits = rng.binomial(16, true)
    prior = fit_prior([(float(h), float(16 - h)) for h in hits.ravel()])
    told: dict[str, list[tuple[float, bool]]] = {"flat": [], "fitted": []}
    for values, counts in zip(true, hits, strict=True):
        best, worst = int(counts.argmax()), int(counts.argmin())
        one, other = (float(counts[best]), 16.0 - counts[best]), (float(counts[worst]), 16.0 - counts[worst])
        for name, given in (("flat", (1.0, 1.0)), ("fitted", prior)):
            told[name].append((probability_better(one, other, given), bool(values[best] > values[worst])))
    off = {name: np.mean([p for p, _ in seen]) - np.mean([r for _, r in seen]) for name, seen in told.items()}
    assert abs(off["fitted"]) < 0.03 < off["flat"]


def test_a_step_is_doubted_that_lowers_the_chance_of_a_right_end() -> None:
    (found,) = trees(
        tree(
            {
                "": {"rollouts": 8, "successes": 6}, "a": {"rollouts": 8, "successes": 1},
                "a/b": {"rollouts": 8, "successes": 8}, "c": {"rollouts": 8, "successes": 7}, "d": {},
            }
        )
    )  # fmt: skip
    by_id = {step.node_id: step for step in found.steps}
    assert doubt(by_id["a"]) > 0.95
    assert doubt(by_id["a/b"]) > 0.95  # it stands after a
    assert doubt(by_id["c"]) < 0.5
    assert doubt(by_id["d"]) == 0.0


def test_a_step_is_of_the_policy_that_its_trees_root_names() -> None:
    (found,) = trees(tree({"": {"meta": {"policy": "embedded"}}, "a": {}, "a/b": {}}))
    assert {step.policy for step in found.steps} == {"embedded"}
    assert {step.policy for step in next(trees(toy())).steps} == {None}
