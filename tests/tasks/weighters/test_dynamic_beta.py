import orjson
import pytest

from tasks.weighters.dynamic_beta import dynamic_beta
from tests.support.preferences import pairs


def betas(*margins, **chosen):
    return [orjson.loads(m)["beta"] for m in dynamic_beta(pairs([{"margin": m} for m in margins]), **chosen)["meta"]]


def test_the_papers_form_is_bounded():
    assert betas(1.0, 3.0, 5.0) == pytest.approx([0.1197, 0.1388, 0.1459], abs=6e-5)
    assert betas(1e6) == [pytest.approx(0.15)]


def test_the_scripts_form_is_not():
    assert betas(1.0, 3.0, 5.0, form="linear", w=0.1) == pytest.approx([0.11, 0.13, 0.15])


def test_no_gap_gives_beta_and_no_margin_nothing():
    assert betas(0.0, None) == [0.1, None]
