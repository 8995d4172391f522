"""The verb: what a judge raises is the outcome ``error`` of the row, counted; a judge that only raises ends the run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import BlockError, RecipeError, StoppedError, UnavailableError, UsageError
from schemas.exchange import Choice, Reply, Request
from schemas.recipe import BlockSpec
from storage.ledger import Ledger
from tasks.driver import Driver
from tasks.judge import Judging
from tasks.raised import GIVE_UP_AFTER, named
from tasks.spending import Budget
from tests.support.judging import PROMPT, completions

OWN = "tests.support.raising"


class Scripted:
    spec, slots = "script", 4

    def __init__(self) -> None:
        self.asked = 0

    async def start(self) -> dict[str, str]:
        return {}

    async def answer(self, request: Request) -> Reply:
        self.asked += 1
        return Reply((Choice(0, "fine"),), cost=0.5)

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def judging(name: str, **params: Any) -> Judging:
    return Judging(BlockSpec(verb="judge", name=name, params=params), "mine", {"script": "f"})


def judged(judge: Judging, driver: Driver, *texts: str, **prompt: Any) -> list[dict[str, Any]]:
    return asyncio.run(judge(driver, PROMPT | prompt, completions(*texts), (0, 0)))


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["subjects"][0], row["outcome"], row["score"]) for row in rows]


def test_a_rule_that_raises_on_one_completion_judges_the_others(ledger: Ledger) -> None:
    driver = Driver({}, ledger)
    judge = judging("numeric")
    rows = judged(judge, driver, "Answer: 7", "Answer: " + "9" * 5000, "Answer: 8", reference="7")
    assert told(rows) == [("c0", "valid", 1.0), ("c1", "error", None), ("c2", "valid", 0.0)]
    assert rows[1]["flags"] == ["raised"]
    assert rows[1]["criterion"] == "correct"
    assert rows[1]["rationale"].startswith("block judge: numeric, prompt p, completion c1: ValueError: ")
    assert len({row["judgment_id"] for row in rows}) == 3
    assert driver.tally.raised == {"judge: numeric": 1}
    assert driver.tally.first_raised["judge: numeric"].startswith("prompt p: ValueError: ")


def test_a_reference_that_nothing_can_be_made_of_is_an_error_of_its_prompt_alone(ledger: Ledger) -> None:
    driver = Driver({}, ledger)
    judge = judging("numeric")
    assert told(judged(judge, driver, "Answer: 7", "Answer: 8", reference="none of them")) == [
        ("c0", "error", None), ("c1", "error", None),
    ]  # fmt: skip
    assert told(judged(judge, driver, "Answer: 7", reference="7")) == [("c0", "valid", 1.0)]


def test_a_judge_of_ones_own_that_raises_says_nothing_of_any_completion_of_the_prompt(ledger: Ledger) -> None:
    driver = Driver({}, ledger)
    rows = judged(judging(f"{OWN}:on_bad"), driver, "good", "bad")
    assert told(rows) == [("c0", "error", None), ("c1", "error", None)]
    assert rows[0]["criterion"] == "own"
    assert "Odd: a bad text" in rows[0]["rationale"]


def test_a_completion_without_an_answer_gets_no_judgment_from_a_judge_that_raises(ledger: Ledger) -> None:
    held = [*completions("text"), *completions("", finish="refused")]
    rows = asyncio.run(judging(f"{OWN}:always")(Driver({}, ledger), PROMPT, held, (0, 0)))
    assert told(rows) == [("c0", "error", None)]


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        pytest.param("no_number", {"score": "nan"}, "the score nan, expected a finite number", id="no number"),
        pytest.param("no_number", {"score": "huge"}, "the score int, expected a finite number", id="beyond a float"),
        pytest.param("no_number", {"score": "text"}, "the score high, expected a finite number", id="a text"),
        pytest.param("no_rows", {}, "it returns dict, expected a list of rows", id="no rows"),
        pytest.param("after_the_reply", {}, "ZeroDivisionError: division by zero", id="an exchange, on its reply"),
        pytest.param("asks_nonsense", {}, "it yields str, expected a list of requests", id="no requests"),
        pytest.param("asks_unwritable", {}, "surrogates", id="a question that cannot be kept"),
    ],
)
def test_what_is_no_judgment_is_an_error(ledger: Ledger, name: str, params: dict[str, Any], says: str) -> None:
    rows = judged(judging(f"{OWN}:{name}", **params), Driver({"script": Scripted()}, ledger), "text")
    assert [row["outcome"] for row in rows] == ["error"]
    assert says in rows[0]["rationale"]


def test_a_judge_that_raises_on_all_of_the_first_prompts_ends_the_run(ledger: Ledger) -> None:
    backend = Scripted()
    driver = Driver({"script": backend}, ledger)
    judge = judging(f"{OWN}:after_the_reply")
    for number in range(GIVE_UP_AFTER - 1):
        assert judged(judge, driver, "text", prompt_id=f"p{number}")[0]["outcome"] == "error"
    with pytest.raises(RecipeError) as raised:
        judged(judge, driver, "text", prompt_id="p29")
    assert "recipe mine, block judge: tests.support.raising:after_the_reply, prompt p29" in str(raised.value)
    assert "all of the first 30 prompts, here ZeroDivisionError: division by zero" in str(raised.value)
    assert driver.stopped is raised.value
    assert backend.asked == GIVE_UP_AFTER
    with pytest.raises(RecipeError):  # nothing more is bought
        judged(judge, driver, "text", prompt_id="p30")
    assert backend.asked == GIVE_UP_AFTER


def test_a_judge_that_worked_once_goes_on_however_often_it_raises(ledger: Ledger) -> None:
    driver = Driver({}, ledger)
    judge = judging("numeric")
    judged(judge, driver, "Answer: 7", reference="7")
    for number in range(2 * GIVE_UP_AFTER):
        judged(judge, driver, "Answer: 7", reference="none", prompt_id=f"p{number}")
    assert driver.stopped is None
    assert driver.tally.raised["judge: numeric"] == 2 * GIVE_UP_AFTER


def test_a_missing_library_and_a_used_up_budget_are_no_row_s_outcome(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match=r"somelib, which is not installed"):
        judged(judging(f"{OWN}:lacks_library"), Driver({}, ledger), "text")
    driver = Driver({"script": Scripted()}, ledger, budget=Budget(calls=0))
    with pytest.raises(StoppedError):
        judged(judging(f"{OWN}:after_the_reply"), driver, "text")


def test_what_a_rule_raises_in_a_worker_process_is_the_same_outcome_and_a_dead_worker_is_none(ledger: Ledger) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        driver = Driver({}, ledger, workers=pool)
        rows = judged(judging(f"{OWN}:on_bad"), driver, "bad")
        assert told(rows) == [("c0", "error", None)]
        assert "Odd: a bad text" in rows[0]["rationale"]
        with pytest.raises(UsageError, match=r"somelib, which is not installed"):
            judged(judging(f"{OWN}:lacks_library"), driver, "text")
        with pytest.raises(UnavailableError, match="a worker process ended while it ran dies"):
            judged(judging(f"{OWN}:dies"), driver, "text")


def test_an_exception_whose_message_cannot_be_made_is_named_by_its_class() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert named(BlockError.of(Mute())) == "Mute"
    assert str(BlockError.of(ValueError("as it is"))) == "as it is"
    assert str(BlockError.of(KeyError("name"))) == "KeyError: 'name'"
    assert len(BlockError.of(ValueError("x" * 10_000)).message) == 400
