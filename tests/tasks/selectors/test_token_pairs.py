"""Pairs with a number for every token."""

from __future__ import annotations

import math
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from schemas.tables import COMPLETIONS
from tasks.selectors import _tokens as t
from tasks.selectors.token_pairs import token_pairs
from tests.support.nodes import meta
from tests.support.scored import places

NAMES = (
    "completion_id", "prompt_id", "content_id", "finish_reason", "messages", "prefix", "tokens", "token_logprobs",
    "sampling", "meta",
)  # fmt: skip
TYPES = {name: kind for name, kind in COMPLETIONS.empty().schema.items() if name in NAMES}
GOOD, BAD = [1.5, -0.4, -3.0], [2.0, -1.0]
"""Log-ratios of the two answers' tokens."""


def near(numbers: list[float]) -> Any:
    return [pytest.approx(number, abs=1e-9) for number in numbers]


def tables(*rows: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns answers and scores: a row says tokens, logps, score, and the log-ratios that a model is noted with."""
    made, scores = [], []
    for place, row in enumerate(rows):
        name, notes = f"{place:03d}", {}
        for kind in ("reference", "tuned"):
            if kind in row:
                sign = -1 if kind == "reference" else 1
                notes[f"{kind}_token_logprobs"] = [a + sign * r for a, r in zip(row["logps"], row[kind], strict=False)]
        made.append(
            {
                "completion_id": name, "prompt_id": "p", "content_id": name, "finish_reason": "stop",
                "messages": assistant("".join(row["tokens"])), "prefix": row.get("prefix"), "tokens": row["tokens"],
                "token_logprobs": row["logps"], "meta": orjson.dumps(notes).decode(),
                "sampling": orjson.dumps({kind: "m" for kind in row.get("asked", notes)}).decode(),
            }
        )  # fmt: skip
        scores.append(
            {"completion_id": name, "prompt_id": "p", "criterion": "c", "scorer": "mean", "score": row["score"]}
        )
    return pl.DataFrame(made, schema={name: TYPES[name] for name in NAMES}), pl.DataFrame(scores)


def two(kind: str = "reference", **more: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    return tables(
        {"tokens": ["a", "\n", "b"], "logps": [-1.0, -2.0, -4.0], "score": 0.8, kind: GOOD, **more},
        {"tokens": ["c", "d"], "logps": [-3.0, -2.0], "score": 0.1, kind: BAD, **more},
    )


def test_plain_columns_stand_beside_each_other_for_both_sides() -> None:
    found = token_pairs(*two())
    assert places(found) == [(0, 1)]
    assert found["level"].to_list() == ["token"]
    (told,) = meta(found)
    assert (told["tokens_chosen"], told["tokens_rejected"]) == (["a", "\n", "b"], ["c", "d"])
    assert told["sample_logps_chosen"] == [-1.0, -2.0, -4.0]
    assert told["loss_mask_rejected"] == [1, 1]
    assert (told["step_token_ends_chosen"], told["step_token_ends_rejected"]) == ([1, 2], [1])
    assert told["reference_logps_chosen"] == near([-2.5, -1.6, -1.0])


def test_rto_rewards_of_the_worked_answer() -> None:
    assert t.rto_rewards(GOOD, [0.2, 0.1, -0.3], 0.8) == near([0.048, -0.021, 0.753])
    assert t.rto_rewards(GOOD, [0.0] * 3, 0.0) == near([0.05, -0.02, -0.05])
    (told,) = meta(token_pairs(*two(), columns="rewards", b2=0.0))
    assert told["token_rewards_chosen"] == near([0.05, -0.02, -0.05 + 0.8])
    assert told["token_rewards_rejected"] == near([0.05, -0.05 + 0.1])


def test_the_price_of_leaving_the_reference_is_that_of_who_sampled() -> None:
    """Sampled from the reference, there is none; sampled from the tuned model, it is the log-ratio."""
    from_reference = meta(token_pairs(*two("tuned"), columns="rewards"))[0]["token_rewards_rejected"]
    assert from_reference == near([0.05, -0.05 + 0.1])
    from_tuned = meta(token_pairs(*two("reference"), columns="rewards"))[0]["token_rewards_rejected"]
    assert from_tuned == near([0.05 - 0.02, -0.05 + 0.01 + 0.1])


def test_two_models_that_agree_leave_the_answers_reward_on_the_last_token() -> None:
    rows = two("reference", reference=[0.0, 0.0, 0.0])
    assert meta(token_pairs(*rows, columns="rewards"))[0]["token_rewards_chosen"] == near([0.0, 0.0, 0.8])
    assert meta(token_pairs(*rows, columns="credit"))[0]["lowest_step_chosen"] is None


def test_tgdpo_weights_of_the_worked_answers() -> None:
    chosen, rejected = t.guided_weights([2, -1], chosen=True), t.guided_weights([-2, 1], chosen=False)
    assert chosen == rejected == near([1.1, 0.95])
    margin = sum(0.1 * w * ratio for w, ratio in zip(chosen, [0.5, 0.3], strict=True))
    margin -= sum(0.1 * w * ratio for w, ratio in zip(rejected, [-0.4, 0.2], strict=True))
    assert margin == pytest.approx(0.1085)
    assert math.log1p(math.exp(-margin)) == pytest.approx(0.640368, abs=1e-6)
    (told,) = meta(token_pairs(*two(), columns="weights"))
    assert told["token_weights_rejected"] == near([0.9, 1.05])
    assert told["mean_weight_rejected"] == pytest.approx(0.975)
    assert meta(token_pairs(*two(), columns="weights", alpha=0.0))[0]["token_weights_chosen"] == [1.0, 1.0, 1.0]


def test_credit_of_the_worked_answer_and_its_steps() -> None:
    assert t.credits([1.2, -0.3, -2.5], 0.1) == near([0.12, -0.03, -0.25])
    assert t.lowest_step([0.12, -0.03, -0.25], [0, 1, 2]) == 2
    (told,) = meta(token_pairs(*two(), columns="credit"))
    assert told["credit_chosen"] == near([0.15, -0.04, -0.3])
    assert told["step_credit_chosen"] == near([0.11, -0.3])
    assert told["step_credit_mean_chosen"] == near([0.055, -0.3])
    assert (told["lowest_step_chosen"], told["lowest_step_rejected"]) == (1, 0)


def test_implicit_process_rewards_add_up_to_the_answers() -> None:
    ratios = [0.4, -0.2, 0.6, 1.0, -0.5, -2.0, -0.4]
    steps, _ = t.by_step(t.credits(ratios, 0.05), [2, 4, 6])
    assert steps == near([0.04, 0.025, -0.12])
    running = [sum(steps[: i + 1]) for i in range(3)]
    assert running == near([0.04, 0.065, -0.055])
    assert min(running) == pytest.approx(-0.055)
    losses = [math.log1p(math.exp(-sign * running[-1])) for sign in (1, -1)]
    assert losses == [pytest.approx(0.721025, abs=1e-6), pytest.approx(0.666025, abs=1e-6)]


def test_sequential_kl_stays_the_trainers_to_subtract() -> None:
    """TDPO's worked losses from summed ratios and divergences, which need whole distributions."""
    ratio, chosen, rejected = 3.0 - -1.0, 0.5, 1.2
    margins = (ratio - (rejected - chosen), ratio - 0.5 * (rejected - chosen), ratio)
    losses = [math.log1p(math.exp(-0.1 * margin)) for margin in margins]
    assert losses == [pytest.approx(loss, abs=1e-6) for loss in (0.541698, 0.527209, 0.513015)]


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=12), st.data())
def test_credits_add_up_over_any_steps_and_bounds_hold(ratios: list[float], data: st.DataObject) -> None:
    places_ = data.draw(st.sets(st.integers(0, len(ratios) - 1)))
    ends = sorted(places_ | {len(ratios) - 1})
    sums, means = t.by_step(ratios, ends)
    assert sum(sums) == pytest.approx(sum(ratios), abs=1e-9)
    widths = [b - a for a, b in zip([-1, *ends], ends, strict=False)]
    assert [mean * width for mean, width in zip(means, widths, strict=True)] == [pytest.approx(s) for s in sums]
    rewards = t.rto_rewards(ratios, [0.0] * len(ratios), 0.0)
    assert all(abs(reward) <= 0.05 for reward in rewards)
    assert all(0.5 <= weight <= 1.5 for weight in t.guided_weights(ratios, chosen=True))


@pytest.mark.parametrize("columns", ["credit", "rewards", "weights"])
def test_an_answer_without_the_numbers_of_a_model_it_needs_makes_no_pair(columns: Any) -> None:
    assert token_pairs(*two("nobody"), columns=columns).is_empty()
    assert token_pairs(*two("reference", asked=["reference", "tuned"]), columns=columns).is_empty()
    assert token_pairs(*two("reference", reference=[0.5]), columns=columns).is_empty()
    assert token_pairs(*two("nobody")).height == 1


def test_an_answer_without_tokens_makes_no_pair() -> None:
    completions, scores = two()
    assert token_pairs(
        completions.with_columns(token_logprobs=pl.lit(None, TYPES["token_logprobs"])), scores
    ).is_empty()
    assert token_pairs(completions, scores, min_margin=0.75).is_empty()


def test_tokens_that_continue_a_prefix_are_counted_from_its_end() -> None:
    rows, scores = two()
    begun = rows.with_columns(
        prefix=pl.lit("x\n"), messages=pl.Series([assistant("x\na\nb"), assistant("x\ncd")], dtype=TYPES["messages"])
    )
    assert meta(token_pairs(begun, scores))[0]["step_token_ends_chosen"] == [1, 2]
