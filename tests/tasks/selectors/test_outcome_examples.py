"""Whole answers with their outcomes."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from schemas.tables import COMPLETIONS
from tasks.selectors.outcome_examples import balance, outcome_examples, token_ends

TYPES = {
    name: COMPLETIONS.empty().schema[name]
    for name in ("completion_id", "prompt_id", "content_id", "finish_reason", "messages", "tokens", "token_logprobs")
}


def tables(
    scores: dict[str, list[float]], tokens: list[str] | None = None, finish: str = "stop"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns answers of the prompts and their scores; all say ``a``, ``b`` and ``c`` on three lines."""
    names = [(prompt, f"{prompt}{place}", score) for prompt, told in scores.items() for place, score in enumerate(told)]
    made = [
        {
            "completion_id": name, "prompt_id": prompt, "content_id": name, "finish_reason": finish,
            "messages": assistant("a\nb\nc"), "tokens": tokens,
            "token_logprobs": None if tokens is None else [-0.5] * len(tokens),
        }
        for prompt, name, _ in names
    ]  # fmt: skip
    told = [
        {"completion_id": name, "prompt_id": prompt, "criterion": "c", "scorer": "mean", "score": score}
        for prompt, name, score in names
    ]
    schema: dict[str, Any] = dict.fromkeys(("completion_id", "prompt_id", "criterion", "scorer"), pl.String)
    return pl.DataFrame(made, schema=TYPES), pl.DataFrame(told, schema=schema | {"score": pl.Float64})


def test_every_answer_is_a_row_with_its_outcome() -> None:
    found = outcome_examples(*tables({"p": [1.0, 0.0, 0.4]}))
    assert found["completion_id"].to_list() == ["p0", "p1", "p2"]
    assert found["label"].to_list() == [True, False, False]
    assert found["reward"].to_list() == [1.0, 0.0, 0.4]
    assert orjson.loads(found["meta"][0]) == {"step_ends": [2, 4, 5]}


def test_where_steps_end_in_tokens_and_what_is_the_policys() -> None:
    found = outcome_examples(*tables({"p": [1.0]}, tokens=["a", "\nb", "\n", "c", "<end>"]))
    assert orjson.loads(found["meta"][0]) == {
        "step_ends": [2, 4, 5], "step_token_ends": [1, 2, 4], "action_mask": [1] * 5, "sample_logps": [-0.5] * 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "kept"), [(5, 2, (2, 2)), (0, 6, (0, 4)), (7, 0, (1, 0)), (9, 9, (4, 4)), (0, 0, (0, 0))]
)
def test_worked_balances(right: int, wrong: int, kept: tuple[int, int]) -> None:
    assert balance(right, wrong) == kept
    found = outcome_examples(*tables({"p": [1.0] * right + [0.0] * wrong}), balanced=True)
    assert (found["label"].sum(), found.height - found["label"].sum()) == kept


def test_which_ones_are_kept_hangs_on_the_seed_alone() -> None:
    both = tables({"p": [1.0] * 8 + [0.0] * 8, "q": [1.0] * 8 + [0.0] * 8})
    found = outcome_examples(*both, balanced=True)
    assert found.equals(outcome_examples(*(table.reverse() for table in both), balanced=True))
    alone = outcome_examples(both[0].filter(prompt_id="q"), both[1], balanced=True)
    assert alone.equals(found.filter(prompt_id="q"))
    seen = {tuple(outcome_examples(*both, balanced=True, seed=seed)["completion_id"]) for seed in range(6)}
    assert len(seen) > 1


def test_prompts_of_one_kind_can_be_left_out() -> None:
    found = outcome_examples(*tables({"p": [1.0, 1.0], "q": [1.0, 0.0], "r": [0.0]}), mixed=True)
    assert found["prompt_id"].unique().to_list() == ["q"]


def test_an_answer_that_was_cut_is_no_row() -> None:
    assert outcome_examples(*tables({"p": [1.0]}, finish="length")).is_empty()


def test_offline_path_consistency_of_the_worked_answer() -> None:
    """OREO's targets from a row: R - beta * what is still to come, and its residuals at V = 1/2."""
    ratios, beta, reward = [2.0, -1.0, 3.0], 0.03, 1.0
    targets = [reward - beta * sum(ratios[i:]) for i in range(3)]
    assert targets == [pytest.approx(v) for v in (0.88, 0.94, 0.91)]
    assert [0.5 - target for target in targets] == [pytest.approx(v) for v in (-0.38, -0.44, -0.41)]


@given(st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_step_ends_with_the_token_that_holds_its_last_character(tokens: list[str]) -> None:
    text = "".join(tokens)
    ends = [i + 1 for i, letter in enumerate(text) if letter == "\n" and i + 1 < len(text)] + [len(text)]
    found = token_ends([*tokens, ""], ends)
    reach = [sum(map(len, tokens[: i + 1])) for i in range(len(tokens))]
    expected = [next(i for i, upto in enumerate(reach) if upto >= end) for end in ends]
    assert found == [*expected[:-1], len(tokens)]
