import pytest

from tasks.filters.label_noise import label_noise
from tests.support.pairs import pair, pairs, removed

CHANCES = [0.1, 0.4, 0.9, 0.8, 0.9, 0.9, None]
ROWS = pairs(*(pair(str(i), p_chosen=p) for i, p in enumerate(CHANCES)))


def test_as_many_go_as_are_wrong_by_their_own_probabilities():
    found = label_noise(ROWS)  # 0.9 + 0.6 + 0.1 + 0.2 + 0.1 + 0.1 = 2
    assert removed(found) == {"0": "probably mislabelled", "1": "probably mislabelled"}
    assert found["value"].to_list() == ["0.1", "0.4"]
    assert set(removed(label_noise(ROWS, times=1.5))) == {"0", "1", "3"}
    assert set(removed(label_noise(ROWS, most=0.2))) == {"0"}
    assert label_noise(ROWS, times=0).height == 0


def test_strength_and_its_spread_stand_in_for_the_probability():
    rows = pairs(pair("1", strength=-3.0, strength_std=1.0), pair("2", strength=1.0, strength_std=1.0), pair("3"))
    assert label_noise(rows).rows() == [("1", "probably mislabelled", "0.0013")]  # the normal's value at -3
    sure = pairs(pair("1", p_chosen=1.0), pair("2", p_chosen=1.0))
    assert label_noise(sure, times=9).height == 0


def test_the_confident_count_forgives_probabilities_that_are_all_too_low():
    rows = pairs(*(pair(str(i), p_chosen=p) for i, p in enumerate([0.3, 0.35, *[0.65] * 8])))
    assert label_noise(rows)["row_id"].to_list() == ["0", "1", "2", "3"]  # 0.7 + 0.65 + 8 * 0.35 = 4.15
    assert label_noise(rows, by="confident")["row_id"].to_list() == ["0", "1"]  # the mean is 0.585: two are beyond it
    sure = pairs(*(pair(str(i), p_chosen=0.6) for i in range(4)))
    assert label_noise(sure, by="confident").height == 0
    assert label_noise(pairs(pair("1")), by="confident").height == 0


def test_shares_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="a share"):
        label_noise(ROWS, most=2)
