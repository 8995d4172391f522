import orjson
import pytest

from tasks.weighters.logit_scale import logit_scale
from tests.support.preferences import pairs


def test_pairs_won_at_the_first_level_pull_harder():
    rows = pairs([{"chosen_score": 3.0}, {"chosen_score": -0.5}, {}])
    assert [orjson.loads(meta)["logit_scale"] for meta in logit_scale(rows, at_least=3.0)["meta"]] == [2.5, 1.0, None]


def test_a_factor_is_above_nought():
    with pytest.raises(ValueError, match="factor is 0"):
        logit_scale(pairs([{}]), at_least=1.0, factor=0.0)
