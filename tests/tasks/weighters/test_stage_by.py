import pytest

from tasks.weighters.stage_by import stage_by
from tests.support.preferences import pairs


def test_groups_in_their_written_order():
    rows = pairs([{"source": "law"}, {"source": "math"}, {"source": "art"}, {}])
    assert stage_by(rows, order=["math", "law"])["stage"].to_list() == [2, 1, None, None]
    rows = pairs([{"criterion": "safe"}, {"criterion": "kind"}])
    assert stage_by(rows, by="criterion", order=["kind", "safe"])["stage"].to_list() == [2, 1]


@pytest.mark.parametrize("order", [[], ["a", "a"]])
def test_each_group_is_named_once(order):
    with pytest.raises(ValueError, match="named once each"):
        stage_by(pairs([{}]), order=order)
