"""Rules against rows of any form: the verb always has judgments for them; parameters are refused before any row."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RecipeError
from schemas.messages import assistant
from schemas.recipe import BlockSpec
from storage.ledger import Ledger
from tasks.driver import Driver
from tasks.judge import Judging

RULES: dict[str, dict[str, Any]] = {
    "citation": {}, "exact": {}, "format": {"tags": ["a"]}, "function_call": {}, "instructions": {}, "json_schema": {},
    "language": {}, "length": {"at_least": 1}, "numeric": {}, "regex": {"pattern": "a"}, "repetition": {},
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["name", "parameters", "properties", "functions", "schema", "type", "documents", "instruction_id_list",
         "kwargs", "expect", "category", "$ref", "pattern"]) | st.text(max_size=4), inner, max_size=3), max_leaves=8,
)  # fmt: skip
TEXT = st.text(max_size=40) | JSON.map(json.dumps) | st.sampled_from(["12:00", "[b", "9" * 5000, "NaN", "Answer: 1/0"])


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        yield Driver({}, ledger)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=40, deadline=None)
@given(
    reference=st.none() | TEXT, tests=st.none() | TEXT, meta=st.none() | TEXT, answer=TEXT, language=st.none() | TEXT
)
def test_every_row_has_its_judgment_whatever_it_holds(driver: Driver, name: str, answer: str, **prompt: Any) -> None:
    judge = Judging(BlockSpec(verb="judge", name=name, params=RULES[name]), "any", {})
    judge.watch.works = True
    completion = {"completion_id": "c", "sample_index": 0, "messages": assistant(answer), "finish_reason": "stop"}
    rows = asyncio.run(judge(driver, {"prompt_id": "p", "messages": [], **prompt}, [completion], (0, 0)))
    assert [row["subjects"] for row in rows] == [["c"]]
    assert rows[0]["outcome"] != "error" or rows[0]["rationale"].startswith(
        f"block judge: {name}, prompt p, completion c"
    )
    assert (rows[0]["score"] is not None) == (rows[0]["outcome"] == "valid")


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("regex", {"pattern": "[b"}, "is not a regular expression"),
        ("format", {}, "no form is asked for"),
        ("length", {"at_least": 5, "at_most": 4}, "no length lies within"),
        ("repetition", {"at_most": 1.5}, "between 0 and 1"),
        ("numeric", {"relative": -1}, "a tolerance below zero"),
        ("json_schema", {"expected": {"type": 3}}, "the JSON schema is none"),
        ("language", {"wanted": "xx"}, "the wanted language is 'xx'"),
    ],
)
def test_a_broken_parameter_is_refused_before_any_row(name: str, params: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=f"recipe mine, block judge: {name}: .*{says}"):
        Judging(BlockSpec(verb="judge", name=name, params=params), "mine", {})
