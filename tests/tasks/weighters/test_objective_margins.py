import orjson
import polars as pl
import pytest

from tasks.weighters.objective_margins import objective_margins
from tests.support.preferences import pairs


def scores(**values):
    rows = [
        (side, name, score) for name, both in values.items() for side, score in zip(("c0", "r0"), both, strict=True)
    ]
    return pl.DataFrame(rows, schema=["completion_id", "criterion", "score"], orient="row").with_columns(
        scorer=pl.lit("mean")
    )


def test_the_logit_of_the_paper():
    made = objective_margins(pairs([{"margin": 3.0}]), scores(safe=(0.8, 0.2)), weights={"safe": 0.5})
    margin = made["margin"][0]
    assert 0.1 * 10 / 0.5 - margin == pytest.approx(1.4)  # beta 0.1, log-ratio gap 10
    note = orjson.loads(made["meta"][0])
    assert note == {"objectives": ["safe"], "chosen_rewards": [0.8], "rejected_rewards": [0.2]}


def test_no_weight_for_the_others_is_plain_dpo():
    made = objective_margins(pairs([{}]), scores(safe=(0.8, 0.2)), weights={"safe": 0.0})
    assert made["margin"].to_list() == [0.0]


def test_a_text_without_a_reward_has_no_margin():
    made = objective_margins(pairs([{}]), scores(safe=(0.8, 0.2)).head(1), weights={"safe": 0.5})
    assert made["margin"].to_list() == [None]


def test_something_must_be_left_for_the_labels_own_objective():
    with pytest.raises(ValueError, match="leaves 0 for"):
        objective_margins(pairs([{}]), scores(safe=(1.0, 0.0)), weights={"safe": 1.0})
    two = pl.concat([scores(safe=(1.0, 0.0)), scores(safe=(1.0, 0.0)).with_columns(scorer=pl.lit("max"))])
    with pytest.raises(ValueError, match="several scorers: max, mean"):
        objective_margins(pairs([{}]), two, weights={"safe": 0.5})
