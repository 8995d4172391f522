import json
import math

import numpy as np
import pytest

from schemas.messages import assistant
from tasks.weighters.length_adjusted import length_adjusted
from tests.support.preferences import pairs


def row(chosen, rejected, margin):
    return {"chosen": assistant("x" * (chosen - 1)), "rejected": assistant("y" * (rejected - 1)), "margin": margin}


def test_what_length_predicts_is_taken_off_and_equal_lengths_keep_their_margin():
    rows = pairs([row(20, 10, 2 * math.log(2)), row(10, 20, -2 * math.log(2)), row(10, 10, 0.7)])
    found = length_adjusted(rows, least=2)
    assert found["margin"].to_list() == pytest.approx([0, 0, 0.7], abs=1e-12)
    notes = json.loads(found["meta"][0])
    assert notes["length_slope"] == pytest.approx(2)
    assert notes["plain_margin"] == pytest.approx(2 * math.log(2))
    half = length_adjusted(rows, least=2, share=0.5)
    assert half["margin"].to_list() == pytest.approx([math.log(2), -math.log(2), 0.7])


def test_the_adjusted_margins_do_not_go_with_length_any_more():
    random = np.random.default_rng(2)
    sizes = random.integers(5, 400, (300, 2)).tolist()
    rows = pairs([row(a, b, 0.8 * math.log(a / b) + random.normal()) for a, b in sizes])
    margin = length_adjusted(rows)["margin"].to_numpy()
    ratio = np.array([math.log(a / b) for a, b in sizes])
    assert abs(float(ratio @ margin)) < 1e-6


def test_too_few_pairs_and_pairs_without_a_margin_stay_as_they_are():
    rows = pairs([row(20, 10, 1.0), row(20, 10, None)])
    assert length_adjusted(rows)["margin"].to_list() == [1.0, None]
    assert length_adjusted(rows, least=2)["margin"].to_list() == [1.0, None]
    with pytest.raises(ValueError, match="share 2"):
        length_adjusted(rows, share=2)
