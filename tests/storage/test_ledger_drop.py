"""An answer that goes: by key or by row, one sample or all, never without a reason."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import UsageError
from schemas.exchange import Choice, Reply, Request
from storage.ledger import Ledger
from storage.ledger_rows import key_of

ASK = Request("m", ({"role": "user", "content": "1 + 1?"},), n=2)
OTHER = Request("m", ({"role": "user", "content": "1 + 2?"},), n=2)
KEY = key_of(ASK.question()).hex()
PAIR = (Choice(0, "2", completion_tokens=1), Choice(1, "3, or so", "truncated", "length", completion_tokens=4))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        for request in (ASK, OTHER):
            asyncio.run(ledger.keep(request, Reply(PAIR, cost=0.5)))
    return tmp_path / "ledger.sqlite"


def test_a_question_dropped_by_the_beginning_of_its_key_is_asked_again_and_the_other_is_not(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.drop(because=" the model was wrong ", key=KEY[:8].upper()) == (KEY, "m", 2, 0.5)
        assert ledger.find(ASK) == {}
        assert sorted(ledger.find(OTHER)) == [0, 1]
        assert ledger.verify() == []
        asyncio.run(ledger.keep(ASK, Reply((Choice(0, "two"),))))
    with Ledger.open(path) as ledger:
        assert ledger.find(ASK)[0].choice.text == "two"
        (note,) = ledger.stats()["dropped"]
    assert (note["model"], note["answers"], note["cost"], note["because"]) == ("m", 2, 0.5, "the model was wrong")


@pytest.mark.parametrize("moved", [False, True], ids=["in the database", "moved into a file"])
def test_one_sample_goes_and_the_other_stays_as_it_was(path: Path, moved: bool) -> None:
    with Ledger.open(path) as ledger:
        if moved:
            ledger.compact()
        assert ledger.drop(because="cut", row=1, sample=1) == (KEY, "m", 1, 0.25)
        found = ledger.find(ASK)
        assert {index: stored.choice for index, stored in found.items()} == {0: PAIR[0]}
        assert found[0].cost == 0.25
        assert ledger.verify() == []


def test_what_is_not_there_or_not_one_answer_is_refused_and_nothing_goes(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for wrong, message in (
            ({"key": "ffff"}, "holds no question whose key begins with 'ffff'"),
            ({"row": 9}, "holds no row 9"),
            ({"row": 1, "sample": 5}, "row 1 has no sample 5; it has 0, 1"),
            ({"row": 1, "key": KEY}, "name one answer"),
            ({}, "name one answer"),
            ({"key": ""}, "name one answer"),
        ):
            with pytest.raises(UsageError, match=message):
                ledger.drop(because="why not", **wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="say why"):
            ledger.drop(because=" ", key=KEY)
        assert ledger.stats()["answers"] == 4
        assert ledger.stats()["dropped"] == []


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ('[{"index":0,"text":7,"completion_tokens":1}]', "text is a number, expected a text"),
        ('[{"index":0,"text":null,"completion_tokens":1}]', "text is null, expected a text"),
        ('[{"index":"0","text":"x","completion_tokens":1}]', "index is a text, expected a number"),
        ('[{"index":0,"text":"x","completion_tokens":true}]', "completion_tokens is true or false, expected a number"),
        ('[{"index":0,"text":"x","completion_tokens":1,"tool_calls":{}}]', "tool_calls is an object, expected a text"),
        ('[{"index":0,"text":"x","completion_tokens":1,"tokens":[[1,-0.5]]}]', "a token is a number, expected a text"),
    ],
)
def test_an_answer_of_a_wrong_type_is_found_by_verify_and_can_be_dropped(path: Path, choices: str, fault: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update calls set choices = cast(? as blob), outcomes = 'ok' where id = 1", (choices,))
    with Ledger.open(path) as ledger:
        (problem,) = ledger.verify()
        assert problem.startswith(f"row 1 ({KEY}, m): ")
        assert fault in problem
        ledger.drop(because="no answer", row=1)
        assert ledger.verify() == []
        assert ledger.find(ASK) == {}
