import math

import pytest

from tasks.exports.soft_pairs import soft_pairs
from tests.support.preferences import pairs


def test_the_target_is_the_logit_of_the_probability():
    rows = soft_pairs(pairs([{"p_chosen": 0.75, "chosen_score": 2.0, "rejected_score": 1.0}, {"p_chosen": 0.5}]))
    assert rows["p_chosen"].to_list() == [0.75, 0.5]
    assert rows["logit_target"].to_list() == pytest.approx([math.log(3), 0.0])
    assert rows.row(0, named=True)["chosen_score"] == 2.0


def test_a_certain_label_has_a_finite_target():
    target = soft_pairs(pairs([{"p_chosen": 1.0}, {"p_chosen": 0.0}]))["logit_target"].to_list()
    assert target == pytest.approx([math.log(999_999), -math.log(999_999)])


@pytest.mark.parametrize(("row", "why"), [({}, "there is no p_chosen"), ({"p_chosen": 1.01}, "is no probability")])
def test_a_pair_without_a_probability_is_refused(row, why):
    with pytest.raises(ValueError, match=f"pair 1: .*{why}"):
        soft_pairs(pairs([{"p_chosen": 0.6}, row]))
