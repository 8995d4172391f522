from __future__ import annotations

import datetime as dt

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.recipe import BlockSpec
from schemas.tables import PROMPTS, conform
from tasks.registry import check, find
from tasks.sources.arithmetic import answer, arithmetic, expressions, question, solution, split_of, steps


def test_a_frame_fits_the_prompts_table_and_its_ids_are_distinct() -> None:
    frame = arithmetic(n=50)
    assert frame.height == frame["prompt_id"].n_unique() == 50
    stamped = frame.with_columns(run_id=pl.lit("r"), created_at=pl.lit(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    assert conform(PROMPTS, stamped).num_rows == 50


def test_one_row_is_what_a_person_would_write() -> None:
    row = arithmetic(n=1, seed=0).row(0, named=True)
    expression = orjson.loads(row["meta"])["expression"]
    assert row["messages"] == [{"role": "user", "content": f"What is {expression}?", "tool_calls": None, "extra": None}]
    assert (row["task"], row["source"], row["split"], row["language"]) == ("math", "arithmetic", "train", "en")


def test_the_same_seed_gives_the_same_problems_and_another_seed_others() -> None:
    assert arithmetic(n=30, seed=4).equals(arithmetic(n=30, seed=4))
    assert len(set(expressions(200, 4)) & set(expressions(200, 5))) < 20


def test_fewer_problems_are_the_first_of_more() -> None:
    assert expressions(40, 1)[:10] == expressions(10, 1)


def test_a_held_back_problem_is_in_no_training_set() -> None:
    train, test = set(expressions(5000, 0)), set(expressions(2000, 0, split="test"))
    assert not train & test
    assert {split_of(e) for e in train} == {"train"}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), split=st.sampled_from(["train", "test"]))
def test_references_equal_what_python_computes(seed: int, split: str) -> None:
    frame = arithmetic(n=20, seed=seed, split=split)
    for meta, reference in zip(frame["meta"], frame["reference"], strict=True):
        assert int(reference) == eval(orjson.loads(meta)["expression"])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_step_of_a_worked_solution_is_true_and_leads_to_the_answer(seed: int) -> None:
    for expression in expressions(20, seed):
        text = solution(expression)
        told = list(steps(text))
        assert len(told) == len(text.splitlines()) - 1 == expression.count(" ") // 2
        assert all(true for _, true in told)
        assert text.splitlines()[-1] == f"Answer: {answer(expression)}"


def test_times_comes_first_and_the_rest_from_left_to_right() -> None:
    expected = "Step 1: 2 * 3 = 6\nStep 2: 4 * 5 = 20\nStep 3: 6 - 20 = -14\nAnswer: -14"
    assert solution("2 * 3 - 4 * 5") == expected
    assert answer("10 - 3 - 4") == "3"


@pytest.mark.parametrize(
    ("line", "true"),
    [
        pytest.param("Step 1: 7 + 8 = 15", True, id="a true sum"),
        pytest.param("Step 2: -3 - 4 = -7", True, id="negative numbers"),
        pytest.param("Step 1: 7 + 8 = 16", False, id="a wrong sum"),
        pytest.param("Step 1: 7 + 8", False, id="no result"),
        pytest.param("Step 1: 7 / 8 = 1", False, id="an operator nobody asked for"),
        pytest.param("Step 1: 7 + 8 = 15 = 15", False, id="two results"),
    ],
)
def test_a_step_is_true_only_when_it_can_be_read_and_holds(line: str, true: bool) -> None:
    assert list(steps(f"{line}\nAnswer: 1")) == [(line, true)]


def test_operators_are_obeyed() -> None:
    assert all(not set("+*") & set(e) for e in expressions(50, 0, ("-",)))
    assert any("*" in e for e in expressions(50, 0))


def test_bounds_hold() -> None:
    for expression in expressions(3000, 2):
        parts = expression.split()
        assert len(parts) in (5, 7)
        for at, part in enumerate(parts):
            if part == "*":
                assert int(parts[at - 1]) <= 12
                assert int(parts[at + 1]) <= 9
                assert parts[at + 2 : at + 3] != ["*"]
            elif part.isdigit():
                assert 1 <= int(part) <= 49


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({"n": 0}, "n is 0, expected at least 1", id="none"),
        pytest.param({"split": "dev"}, "split is 'dev', allowed are train, test", id="split"),
        pytest.param({"operators": ("/",)}, r"operators are \['/'\], allowed are", id="division"),
        pytest.param({"operators": ()}, r"operators are \[\]", id="no operator"),
        pytest.param({"n": 1000, "operators": ("*",)}, "there are not 1000 such problems; found 9", id="too many"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arithmetic(**parameters)  # type: ignore[arg-type]


def test_a_recipe_can_name_it_and_set_its_parameters() -> None:
    assert find("prompts", "arithmetic").source.startswith("made here")
    spec = BlockSpec(verb="prompts", name="arithmetic", params={"operators": ["+", "-"], "n": 5})
    assert check(spec, "test")["operators"] == ("+", "-")


def test_the_question_is_plain_text() -> None:
    assert question("1 + 2 + 3") == "What is 1 + 2 + 3?"
