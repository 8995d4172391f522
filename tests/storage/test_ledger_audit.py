"""What a ledger says of itself: counts, faults, and a copy for other tools."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import duckdb
import orjson
import pytest

from schemas.errors import StoreError, UsageError
from schemas.exchange import Choice, Reply, Request, Token
from storage.ledger import Ledger

ASK = Request("embedded", ({"role": "user", "content": "What is 2 + 2?"},), n=2, logprobs=True)
FOUR = Choice(0, "4", logprob=-0.5, tokens=(Token("4", -0.5, (("4", -0.5), ("5", -3.0))),), completion_tokens=1)
FIVE = Choice(1, "five, but long", "truncated", "length", completion_tokens=9)


def keep(ledger: Ledger, request: Request, *choices: Choice, **fields: object) -> Reply:
    reply = Reply(choices, prompt_tokens=7, cached_tokens=2, cost=0.5, latency_s=0.25, fingerprint="fp")
    return asyncio.run(ledger.keep(request, replace(reply, **fields)))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_verify_names_a_changed_question_and_a_damaged_answer(path: Path) -> None:
    import sqlite3

    with Ledger.open(path) as ledger:
        for seed in range(3):
            keep(ledger, replace(ASK, seed=seed), FOUR, FIVE)
        assert ledger.verify() == []
    with sqlite3.connect(path) as connection:
        connection.execute("update calls set question = cast('[]' as blob) where id = 2")
        connection.execute("update calls set choices = cast('[{\"text\": 1}]' as blob) where id = 3")
    connection.close()
    with Ledger.open(path) as ledger:
        problems = ledger.verify()
        with pytest.raises(StoreError, match="the ledger is damaged at"):
            ledger.find(replace(ASK, seed=2))
    assert len(problems) == 2
    assert "row 2 " in problems[0]
    assert "key" in problems[0]
    assert "row 3 " in problems[1]


def test_a_file_with_a_hole_is_said_to_be_damaged(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for seed in range(200):
            keep(ledger, replace(ASK, seed=seed), replace(FOUR, text="x" * 3000), FIVE)
    with path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096 * 20)
    with Ledger.open(path) as ledger:
        problems = ledger.verify()
    assert problems
    assert all(str(path) in problem for problem in problems)


def test_stats_count_by_model_and_outcome(path: Path) -> None:
    with Ledger.open(path) as ledger:
        keep(ledger, ASK, FOUR, FIVE)
        keep(ledger, replace(ASK, seed=1), FOUR, replace(FOUR, index=1))
        keep(ledger, replace(ASK, model="judge", n=1), Choice(0, "", "refused"))
        stats = ledger.stats()
    assert stats["calls"] == 3
    assert stats["answers"] == 5
    assert stats["cost"] == 1.5
    embedded = stats["models"]["embedded"]
    assert embedded["outcomes"] == {"ok": 3, "truncated": 1}
    assert embedded["completion_tokens"] == 12
    assert embedded["prompt_tokens"] == 14
    assert stats["models"]["judge"]["outcomes"] == {"refused": 1}


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_an_export_holds_every_answer_with_its_question(path: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"answers{suffix}"
    with Ledger.open(path) as ledger:
        keep(ledger, ASK, FOUR, FIVE)
        assert ledger.export(out) == 2
    rows = duckdb.execute(f"select index, text, outcome, question, choice, cost from '{out}' order by index").fetchall()
    assert [row[:3] for row in rows] == [(0, "4", "ok"), (1, "five, but long", "truncated")]
    assert orjson.loads(rows[0][3])[3][0]["content"] == "What is 2 + 2?"
    assert rows[0][5] == 0.25
    with Ledger.open(path) as ledger, pytest.raises(UsageError, match=r"\.parquet or a \.jsonl"):
        ledger.export(tmp_path / "answers.csv")
