from __future__ import annotations

import numpy as np
import pytest

from tasks.reports._statistics import NOTHING, alpha, calibration, confusion, kappa, kappa_of, wilson


def test_a_share_has_its_wilson_interval() -> None:
    # 8 of 10: centre (0.8 + 0.19207) / 1.38415, half-width 1.95996 * sqrt(0.016 + 0.0096) / 1.38415
    rate = wilson(8, 10)
    assert rate[:3] == pytest.approx((0.8, 0.49016, 0.94331), abs=1e-5)
    assert str(rate) == "80.0 % (49.0-94.3, n=10)"
    assert wilson(0, 0) == NOTHING
    assert str(NOTHING) == "– (n=0)"
    assert wilson(5, 5).high == pytest.approx(1.0)


def test_kappa_takes_out_chance() -> None:
    # agreement .8, both half and half
    found = kappa("AAAABBBBAB", "AAABBBBAAB")
    assert found.value == pytest.approx(0.6)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.6 < found.high


def test_kappa_is_undefined_where_chance_agrees_always() -> None:
    assert kappa(["a", "a"], ["a", "a"]).value is None
    assert np.isnan(kappa_of(confusion(["a"], ["a"], ["a", "b"])))
    assert kappa([], []) == NOTHING


def test_judgments_of_one_item_are_resampled_together() -> None:
    left, right = ["a", "b"] * 50, ["a", "b", "b", "a"] * 25
    alone, together = kappa(left, right), kappa(left, right, [str(i // 4) for i in range(100)])
    assert alone.low is not None
    assert together.low is not None
    assert together.low == pytest.approx(0.0, abs=1e-9)  # every cluster is the same, so nothing can vary
    assert alone.low < -0.1


def test_alpha_leaves_out_items_with_one_label() -> None:
    # Krippendorff: items aa, bb, ab, and one alone. o = (2 + 2) / 6, e = (3 * 2 + 3 * 2) / (6 * 5) -> 1 - (1/3) / (3/5)
    rows = [("1", "x", "a"), ("1", "y", "a"), ("2", "x", "b"), ("2", "y", "b"), ("3", "x", "a"), ("3", "y", "b"),
            ("4", "x", "a")]  # fmt: skip
    assert alpha(rows) == pytest.approx(1 - (1 / 3) / (3 / 5))
    assert alpha([("1", "x", "a"), ("1", "y", "a")]) is None


def test_calibration_is_the_gap_between_claimed_and_found() -> None:
    claimed = np.array([0.65] * 10 + [0.95] * 10)
    true = np.array([1.0] * 5 + [0.0] * 5 + [1.0] * 9 + [0.0])
    found = calibration(claimed, true)
    assert found.error.value == pytest.approx((0.15 + 0.05) / 2)
    assert [(round(point.claimed, 2), point.found.value) for point in found.curve] == [(0.65, 0.5), (0.95, 0.9)]
    assert found.brier == pytest.approx((5 * 0.35**2 + 5 * 0.65**2 + 9 * 0.05**2 + 0.95**2) / 20)
    assert calibration(np.array([]), np.array([])).error == NOTHING


def test_sampling_noise_is_taken_out_of_the_calibration_error() -> None:
    generator = np.random.default_rng(0)
    raw, corrected = [], []
    for _ in range(30):
        claimed = generator.uniform(0.5, 1.0, 200)
        found = calibration(claimed, (generator.random(200) < claimed).astype(float))
        raw.append(found.error.value or 0.0)
        corrected.append((found.corrected or 0.0) ** 2)
    assert np.mean(raw) > 0.045  # a perfect forecaster looks this bad on 200 items
    assert np.mean(corrected) < 0.75 * np.mean(np.square(raw))


def test_a_tie_comes_half_true() -> None:
    assert calibration(np.array([0.5, 0.5]), np.array([0.5, 0.5])).error.value == 0.0


def test_one_case_a_bin_leaves_nothing_to_correct() -> None:
    assert calibration(np.array([0.6, 0.9]), np.array([1.0, 1.0])).corrected is None
