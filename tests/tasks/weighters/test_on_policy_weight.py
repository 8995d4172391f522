import numpy as np
import polars as pl
import pytest

from tasks.weighters.on_policy_weight import on_policy_weight
from tests.support.preferences import pairs
from tests.support.scored import completions


def side(name, logprobs, collisions):
    meta = None if collisions is None else f'{{"collision":{float(np.mean(np.log(collisions)))}}}'
    return {"completion_id": name, "logprob": float(np.sum(np.log(logprobs))), "completion_tokens": len(logprobs),
            "meta": meta}  # fmt: skip


def weight(chosen, rejected, **more):
    rows = completions([side("c0", *chosen), side("r0", *rejected)])
    return on_policy_weight(pairs([{}]), rows, **more)["weight"].to_list()


SQUARES = [0.5**2 + 0.5**2, 0.8**2 + 0.2**2]


def test_the_published_two_steps():
    first = float(np.mean(np.log([0.5, 0.8]) - np.log(SQUARES)))
    second = float(np.mean(np.log([0.5, 0.2]) - np.log(SQUARES)))
    assert first == pytest.approx(0.0813, abs=6e-5)
    assert second == pytest.approx(-0.6119, abs=6e-5)
    assert weight(([0.5, 0.8], SQUARES), ([0.5, 0.2], SQUARES)) == pytest.approx([0.5882], abs=6e-5)


def test_a_uniform_distribution_weighs_one():
    assert weight(([0.25, 0.25], [0.25, 0.25]), ([0.25], [0.25])) == pytest.approx([1.0])


def test_it_is_never_above_one():
    assert weight(([0.99], [0.5]), ([0.99], [0.5])) == [1.0]


def test_without_alignment_the_mean_probabilities_are_multiplied():
    assert weight(([0.5, 0.5], None), ([0.25], None), aligned="none") == pytest.approx([0.125])


def test_what_is_not_known_has_no_weight():
    assert weight(([0.5], None), ([0.5], [0.5])) == [None]
    assert on_policy_weight(pairs([{}]), completions([])).select(pl.col("weight")).item() is None
