"""Compaction: every answer is found as before, from wherever it is, whenever somebody pulls the plug."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from schemas.errors import StoreError
from schemas.exchange import Choice, Reply, Request
from storage.catalog import write_catalog
from storage.ledger import Ledger
from storage.store import Store

LONG = "The rubric of a judge, word for word the same in every question. " * 40


def question(i: int) -> Request:
    return Request("engine", ({"role": "user", "content": f"{LONG} Question {i}"},), n=2)


def fill(path: Path, numbers: range) -> None:
    async def keep(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.keep(question(i), answer(i)) for i in numbers))

    with Ledger.open(path) as ledger:
        asyncio.run(keep(ledger))


def answer(i: int) -> Reply:
    return Reply((Choice(0, f"answer {i}", logprob=-0.25 * i), Choice(1, "", "empty")), prompt_tokens=i, cost=0.5)


def found(path: Path, numbers: range) -> list[tuple[str, float | None, int, str]]:
    with Ledger.open(path) as ledger:
        held = [ledger.find(question(i)) for i in numbers]
    return [(h[0].choice.text, h[0].choice.logprob, h[0].prompt_tokens, h[1].choice.outcome) for h in held]


EXPECTED = [(f"answer {i}", -0.25 * i, i, "empty") for i in range(9000)]


def test_answers_are_found_whole_and_in_less_room_after_they_were_moved(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fill(path, range(5000))  # more than one row group
    before = path.stat().st_size
    with Ledger.open(path) as ledger:
        exported = ledger.export(tmp_path / "before.parquet")
        assert ledger.compact() == 5000
        assert ledger.compact() == 0
        assert ledger.verify() == []
        assert ledger.stats()["answers"] == exported == 10_000
        ledger.export(tmp_path / "after.parquet")
    assert pl.read_parquet(tmp_path / "after.parquet").equals(pl.read_parquet(tmp_path / "before.parquet"))
    assert found(path, range(5000)) == EXPECTED[:5000]
    folder = tmp_path / "ledger-answers"
    assert 5 * (path.stat().st_size + sum(file.stat().st_size for file in folder.iterdir())) < before


def test_what_is_bought_after_a_compaction_is_moved_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    for numbers in (range(10), range(10, 30)):
        fill(path, numbers)
        with Ledger.open(path) as ledger:
            assert ledger.compact() == len(numbers)
    assert [file.name for file in sorted((tmp_path / "ledger-answers").iterdir())] == [
        "000001.parquet",
        "000002.parquet",
    ]
    assert found(path, range(30)) == EXPECTED[:30]


def test_more_samples_of_a_moved_question_stand_beside_those_it_has(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fill(path, range(1))
    with Ledger.open(path) as ledger:
        ledger.compact()
        third = replace(question(0), first=2, n=1)
        asyncio.run(ledger.keep(third, Reply((Choice(2, "third"),))))
        again = asyncio.run(ledger.keep(question(0), Reply((Choice(0, "too late"), Choice(1, "too late")))))
        assert [choice.text for choice in again.choices] == ["answer 0", ""]
        assert sorted(ledger.find(replace(question(0), n=3))) == [0, 1, 2]


def test_a_kill_at_any_moment_of_a_compaction_loses_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fill(path, range(9000))
    script = f"from storage.ledger import Ledger\nLedger.open({str(path)!r}).compact()"
    rng, killed = random.Random(3), 0
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", script])
        time.sleep(0.15 + 0.6 * rng.random())
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert found(path, range(0, 9000, 100)) == EXPECTED[::100]
    with Ledger.open(path) as ledger:
        ledger.compact()
        assert ledger.verify() == []
    assert killed
    assert found(path, range(9000)) == EXPECTED
    rows = pl.scan_parquet(tmp_path / "ledger-answers" / "*.parquet").select(pl.len()).collect().item()
    assert rows == 9000  # what a kill left half-done is gone


def test_moved_calls_are_a_view_of_the_catalog(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.sqlite", range(3))
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.compact()
    write_catalog(Store.open(tmp_path))
    with duckdb.connect(str(tmp_path / "catalog.duckdb"), read_only=True) as connection:
        rows = connection.execute("select model, sum(cost), count(distinct key) from calls group by model").fetchall()
    assert rows == [("engine", 1.5, 3)]


def test_a_file_of_answers_that_is_gone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fill(path, range(2))
    with Ledger.open(path) as ledger:
        ledger.compact()
    (tmp_path / "ledger-answers" / "000001.parquet").unlink()
    with Ledger.open(path) as ledger:
        with pytest.raises(StoreError, match=r"000001\.parquet holds answers"):
            ledger.find(question(0))
        assert "000001.parquet" in ledger.verify()[0]
