"""The ledger on a real PostgreSQL, started for these tests on a socket of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import StoreError
from schemas.exchange import Choice, Reply, Request, Token
from storage.ledger import Ledger
from storage.ledger_rows import key_of

pytest.importorskip("psycopg")
ASK = Request("embedded", ({"role": "user", "content": "What is 2 + 2?"},), n=2)
FOUR = Choice(0, "4 \x00 é", logprob=-0.5, tokens=(Token("4", -0.5),), completion_tokens=1)
FIVE = Choice(1, "5", "truncated", "length", completion_tokens=9)


restarts: dict[str, Callable[[], None]] = {}


def program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(versions[-1]) if versions else shutil.which(name)
    if not found:
        pytest.skip("PostgreSQL is not installed")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A database cluster in a scratch folder; root may not run one, so then ``nobody`` does."""
    user = "nobody" if os.getuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="pg")
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run(
            command, user=user, check=True, capture_output=True, cwd=folder, env={"PATH": os.environ["PATH"]}
        )

    run(program("initdb"), "-D", f"{folder}/data", "-U", "tester", "-A", "trust")
    options = f"-c listen_addresses= -c unix_socket_directories={folder}"
    control = (program("pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options)
    run(*control, "start")
    restarts[f"postgresql://tester@/postgres?host={folder}"] = lambda: run(*control, "-m", "fast", "restart")
    try:
        yield f"postgresql://tester@/postgres?host={folder}"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop table if exists calls, failures, drops, about")
    return server


def keep(ledger: Ledger, request: Request, *choices: Choice, error: str | None = None) -> Reply:
    return asyncio.run(ledger.keep(request, Reply(choices, error, prompt_tokens=7, cost=0.5)))


def test_answers_come_back_exactly_and_only_what_is_missing_is_missing(url: str) -> None:
    with Ledger.open(url) as ledger:
        assert ledger.find(ASK) == {}
        keep(ledger, ASK, FOUR, FIVE)
    with Ledger.open(url) as ledger:
        found = ledger.find(replace(ASK, n=4))
        assert {index: stored.choice for index, stored in found.items()} == {0: FOUR, 1: FIVE}
        assert found[0].cost == 0.25
        assert ledger.verify() == []


def test_the_first_answer_wins(url: str) -> None:
    with Ledger.open(url) as one, Ledger.open(url) as other:
        keep(one, ASK, FOUR, FIVE)
        late = keep(other, replace(ASK, n=3), replace(FOUR, text="late"), FIVE, replace(FIVE, index=2, text="new"))
        assert [choice.text for choice in late.choices] == [FOUR.text, "5", "new"]
        assert len(one.find(replace(ASK, n=3))) == 3
        assert one.verify() == []


def test_one_question_is_asked_by_one_live_session(url: str) -> None:
    with Ledger.open(url) as one, Ledger.open(url) as other:
        assert asyncio.run(one.claim(ASK, {})) == {}
        key = other._key(ASK)[1]
        assert not other.calls.claim(key)
        one.release(ASK)
        assert other.calls.claim(key)


def test_a_session_that_dies_leaves_no_claim(url: str) -> None:
    with Ledger.open(url) as other:
        with Ledger.open(url) as one:
            asyncio.run(one.claim(ASK, {}))
        assert asyncio.run(asyncio.wait_for(other.claim(ASK, {}), 10)) == {}


def test_a_lock_is_held_against_every_session(url: str) -> None:
    with Ledger.open(url) as one, Ledger.open(url) as other:
        with one.lock("publish"), pytest.raises(StoreError, match="publish is locked"), other.lock("publish"):
            pass
        with other.lock("publish"):
            pass


def test_many_answers_from_two_ledgers_are_there_once(url: str) -> None:
    async def many(one: Ledger, other: Ledger) -> None:
        requests = [replace(ASK, seed=seed) for seed in range(400)]
        await asyncio.gather(*(ledger.keep(r, Reply((FOUR, FIVE))) for r in requests for ledger in (one, other)))

    with Ledger.open(url) as one, Ledger.open(url) as other:
        asyncio.run(many(one, other))
        assert one.stats()["answers"] == 800
        assert one.verify() == []


def test_stats_failures_and_export(url: str, tmp_path: Path) -> None:
    with Ledger.open(url) as ledger:
        keep(ledger, ASK, FOUR, FIVE)
        keep(ledger, ASK, error="HTTP 500 \0")
        keep(ledger, replace(ASK, seed=1), FOUR, FIVE)
        stats = ledger.stats()
        assert (stats["calls"], stats["answers"], stats["cost"]) == (2, 4, 1.0)
        assert stats["models"]["embedded"]["outcomes"] == {"ok": 2, "truncated": 2}
        assert stats["models"]["embedded"]["completion_tokens"] == 20
        assert list(stats["failures"]["embedded"].values()) == [1]
        assert ledger.export(tmp_path / "a.parquet") == 4


def test_nobody_there_is_an_error_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1") as raised:
        Ledger.open("postgresql://me:s3cret@127.0.0.1:9/db")
    assert "s3cret" not in str(raised.value)


def test_a_server_that_restarts_in_mid_run_loses_nothing_and_no_answer_is_bought_twice(url: str) -> None:
    from tasks.driver import Driver

    sent: list[int] = []

    class Counting:
        spec, slots = "script", 16

        async def start(self) -> dict[str, str]:
            return {}

        async def answer(self, request: Request) -> Reply:
            assert request.seed is not None
            sent.append(request.seed)
            if len(sent) == 60:
                await asyncio.to_thread(restarts[url])
            return Reply((replace(FOUR, text=str(request.seed)),))

        async def close(self) -> None:
            """Nothing to close."""

    async def go() -> list[Reply]:
        with Ledger.open(url, patience_s=60) as ledger:
            driver = Driver({"script": Counting()}, ledger)
            return await asyncio.gather(*(driver.ask(Request("script", seed=i)) for i in range(200)))

    assert [reply.text for reply in asyncio.run(go())] == [str(i) for i in range(200)]
    assert sorted(sent) == list(range(200))
    with Ledger.open(url) as ledger:
        assert ledger.stats()["answers"] == 200
        assert ledger.verify() == []


def test_a_claim_outlives_the_session_it_was_made_in(url: str) -> None:
    key = key_of(ASK.question())
    with Ledger.open(url) as one:
        assert one.calls.claim(key)
        restarts[url]()
        with pytest.raises(StoreError, match=r"terminating connection|closed|server"):
            one.calls.read(key)
        assert one.calls.read(key) == []
        with Ledger.open(url) as other:
            assert not other.calls.claim(key)
            one.calls.release(key)
            assert other.calls.claim(key)
