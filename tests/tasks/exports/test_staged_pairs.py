import pytest

from tasks.exports.staged_pairs import staged_pairs
from tests.support.preferences import pairs


def test_rows_stand_stage_by_stage():
    rows = staged_pairs(
        pairs([{"stage": 2, "criterion": "help"}, {"stage": 1, "meta": '{"accuracy":0.9}'}, {"stage": 2}])
    )
    assert rows["stage"].to_list() == [1, 2, 2]
    assert rows["reward_accuracy"].to_list() == [0.9, None, None]
    assert rows["stage_source"].to_list() == [None, "help", None]


@pytest.mark.parametrize(("row", "why"), [({}, "there is no stage"), ({"stage": 0}, "its stage is below 1")])
def test_a_pair_outside_all_stages_is_refused(row, why):
    with pytest.raises(ValueError, match=f"pair 1: {why}"):
        staged_pairs(pairs([{"stage": 1}, row]))
