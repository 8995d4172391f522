"""The ledger and the driver while answers cannot be written: nothing more is sent, nothing that came is dropped."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import StoreError
from schemas.exchange import Choice, Reply, Request
from storage import ledger_writer
from storage.ledger import Ledger
from storage.ledger_sqlite import SqliteCalls
from tasks.driver import Driver

SLOTS = 16


def question(number: int) -> Request:
    return Request("script", ({"role": "user", "content": str(number)},), seed=number)


class Counting:
    """A backend that notes what it sent, and answers at once with a text of some length."""

    spec, slots = "script", SLOTS

    def __init__(self, size: int = 10) -> None:
        self.size, self.sent = size, list[int]()

    async def start(self) -> dict[str, str]:
        return {}

    async def answer(self, request: Request) -> Reply:
        assert request.seed is not None
        self.sent.append(request.seed)
        await asyncio.sleep(0)
        return Reply((Choice(0, "x" * self.size, completion_tokens=3),))

    async def close(self) -> None:
        """Nothing to close."""


class Failing(SqliteCalls):
    """A ledger's file whose commits fail from one on, until told otherwise."""

    def __init__(self, path: Path, after: int, error: BaseException) -> None:
        super().__init__(path)
        self.after, self.error, self.commits, self.refused = after, error, 0, 0

    def write(self, calls: Sequence[Any], failures: Sequence[tuple[str, str]]) -> Any:
        self.commits += 1
        if self.commits > self.after:
            self.refused += 1
            with self._explained():
                raise self.error
        return super().write(calls, failures)


async def everything(driver: Driver, count: int) -> list[Any]:
    return await asyncio.gather(*(driver.ask(question(i)) for i in range(count)), return_exceptions=True)


def kept(path: Path) -> set[str]:
    with Ledger.open(path) as ledger:
        assert ledger.verify() == []
        return {str(i) for i in range(2000) if ledger.find(question(i))}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_writer, "PAUSE_S", (0.001, 0.001))


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(sqlite3.OperationalError("database or disk is full"), id="a full disk"),
        pytest.param(sqlite3.OperationalError("attempt to write a readonly database"), id="remounted read-only"),
        pytest.param(sqlite3.OperationalError("disk I/O error"), id="a failing disk"),
        pytest.param(OSError(30, "Read-only file system"), id="an error of the system"),
        pytest.param(MemoryError(), id="no memory"),
    ],
)
def test_trouble_that_passes_stops_the_sending_at_once_and_costs_no_answer(tmp_path: Path, error: Exception) -> None:
    calls, backend = Failing(tmp_path / "ledger.sqlite", 3, error), Counting()

    async def go() -> tuple[list[int], list[Any]]:
        with Ledger(calls, patience_s=60) as ledger:
            driver, sent = Driver({"script": backend}, ledger), list[int]()

            def watched(trouble: StoreError | None) -> None:
                driver._on_trouble(trouble)
                sent.append(len(backend.sent))
                if trouble is not None:
                    asyncio.get_running_loop().call_later(0.05, setattr, calls, "after", 10**9)

            ledger.watch(watched)
            return sent, await everything(driver, 200)

    sent, replies = asyncio.run(go())
    assert len(sent) == 2
    assert sent[0] == sent[1] < 200
    assert calls.refused >= 1
    assert sorted(backend.sent) == list(range(200))
    assert all(isinstance(reply, Reply) and reply.text for reply in replies)
    assert len(kept(calls.path)) == 200


def test_trouble_that_lasts_ends_the_run_and_at_most_the_slots_are_asked_again(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    calls, first, second = Failing(tmp_path / "ledger.sqlite", 3, error), Counting(), Counting()

    async def go(calls: SqliteCalls, backend: Counting) -> tuple[Driver, list[Any]]:
        with Ledger(calls, patience_s=0.02) as ledger:
            driver = Driver({"script": backend}, ledger)
            return driver, await everything(driver, 200)

    driver, replies = asyncio.run(go(calls, first))
    assert isinstance(driver.stopped, StoreError)
    assert "still after 0.02 s" in str(driver.stopped)
    assert "give the same command" in str(driver.stopped)
    answered = sum(isinstance(reply, Reply) for reply in replies)
    assert answered < len(first.sent) <= answered + SLOTS
    _, replies = asyncio.run(go(SqliteCalls(tmp_path / "ledger.sqlite"), second))
    assert all(isinstance(reply, Reply) for reply in replies)
    assert len(set(first.sent) & set(second.sent)) <= SLOTS


def test_what_could_not_be_written_is_tried_once_more_when_the_run_ends(tmp_path: Path) -> None:
    calls = Failing(tmp_path / "ledger.sqlite", 0, sqlite3.OperationalError("database or disk is full"))

    async def go(ledger: Ledger) -> None:
        with pytest.raises(StoreError):
            await ledger.keep(question(1), Reply((Choice(0, "held"),)))
        with pytest.raises(StoreError):
            await ledger.keep(question(2), Reply((Choice(0, "late"),)))

    with Ledger(calls) as ledger:
        asyncio.run(go(ledger))
        calls.after = 10**9
    assert kept(calls.path) == {"1", "2"}


def test_a_damaged_ledger_is_not_waited_for(tmp_path: Path) -> None:
    calls = Failing(tmp_path / "ledger.sqlite", 0, sqlite3.DatabaseError("database disk image is malformed"))
    with Ledger(calls, patience_s=3600) as ledger, pytest.raises(StoreError, match="damaged"):
        asyncio.run(ledger.keep(question(1), Reply((Choice(0, "x"),))))


ABSURD: dict[str, Callable[[], Reply]] = {
    "more tokens than there are": lambda: Reply((Choice(0, "kept"),), prompt_tokens=10**30),
    "fewer tokens than none": lambda: Reply((Choice(0, "kept"),), cached_tokens=-4),
    "tokens in words": lambda: Reply((Choice(0, "kept"),), prompt_tokens="many"),  # type: ignore[arg-type]
    "a cost that is no number": lambda: Reply((Choice(0, "kept"),), cost=float("nan")),
    "a count of its own that is no count": lambda: Reply((Choice(0, "kept", completion_tokens=2**70),)),
    "a fingerprint that is none": lambda: Reply((Choice(0, "kept"),), fingerprint=7),  # type: ignore[arg-type]
    "half a character": lambda: Reply((Choice(0, "kept", finish_reason="\ud83d"),), fingerprint="\udc00"),
}


@pytest.mark.parametrize("reply", ABSURD.values(), ids=ABSURD)
def test_an_absurd_usage_is_kept_as_none_and_the_answer_beside_it(tmp_path: Path, reply: Callable[[], Reply]) -> None:
    async def both(ledger: Ledger) -> tuple[Reply, Reply]:
        plain = ledger.keep(question(2), Reply((Choice(0, "plain"),)))
        return await asyncio.gather(ledger.keep(question(1), reply()), plain)

    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert [found.error for found in asyncio.run(both(ledger))] == [None, None]
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.verify() == []
        found = ledger.find(question(1))[0]
        assert (found.choice.text, ledger.find(question(2))[0].choice.text) == ("kept", "plain")
        assert (found.prompt_tokens, found.cached_tokens, found.cost) == (0, 0, 0.0)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param(Choice(0, 7), id="a number for its text"),  # type: ignore[arg-type]
        pytest.param(Choice(0, None), id="nothing for its text"),  # type: ignore[arg-type]
        pytest.param(Choice(0, "x", "wonderful"), id="an outcome there is not"),  # type: ignore[arg-type]
        pytest.param(Choice(0, "x", tool_calls={"name": "f"}), id="tool calls that are no text"),  # type: ignore[arg-type]
        pytest.param(Choice(0, "x", value=object()), id="a value that is no JSON"),
    ],
)
def test_what_is_no_answer_is_a_failed_call_and_stops_nobody(tmp_path: Path, choice: Choice) -> None:
    async def both(ledger: Ledger) -> tuple[Reply, Reply]:
        plain = ledger.keep(question(2), Reply((Choice(0, "plain"),)))
        return await asyncio.gather(ledger.keep(question(1), Reply((choice,))), plain)

    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        odd, plain = asyncio.run(both(ledger))
        assert odd.error is not None
        assert odd.error.startswith("the answer cannot be kept: ")
        assert plain.text == "plain"
        assert ledger.find(question(1)) == {}
        assert ledger.stats()["answers"] == 1


def test_one_answer_the_database_refuses_does_not_take_its_batch_with_it(tmp_path: Path) -> None:
    class Picky(SqliteCalls):
        def write(self, calls: Sequence[Any], failures: Sequence[tuple[str, str]]) -> Any:
            if any(b"poison" in call.choices for call in calls):
                raise OverflowError("too large")
            return super().write(calls, failures)

    async def all_of(ledger: Ledger) -> list[Reply]:
        texts = ["a", "poison", "b"]
        return await asyncio.gather(
            *(ledger.keep(question(i), Reply((Choice(0, text),))) for i, text in enumerate(texts))
        )

    with Ledger(Picky(tmp_path / "ledger.sqlite")) as ledger:
        assert [reply.error for reply in asyncio.run(all_of(ledger))] == [
            None, "the answer cannot be kept: too large", None,
        ]  # fmt: skip
    assert kept(tmp_path / "ledger.sqlite") == {"0", "2"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Yields a file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a full disk needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_that_gets_room_loses_nothing_and_buys_nothing_twice(small: Path) -> None:
    backend = Counting(6000)

    async def go() -> list[Any]:
        with Ledger.open(small / "ledger.sqlite", patience_s=60) as ledger:
            driver = Driver({"script": backend}, ledger)

            def watched(trouble: StoreError | None) -> None:
                driver._on_trouble(trouble)
                if trouble is not None:
                    subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)

            ledger.watch(watched)
            return await everything(driver, 300)

    replies = asyncio.run(go())
    assert all(isinstance(reply, Reply) for reply in replies)
    assert sorted(backend.sent) == list(range(300))
    assert len(kept(small / "ledger.sqlite")) == 300


def test_a_disk_that_stays_full_costs_at_most_the_slots(small: Path) -> None:
    first, second = Counting(6000), Counting(6000)

    async def go(backend: Counting) -> list[Any]:
        with Ledger.open(small / "ledger.sqlite", patience_s=0.02) as ledger:
            return await everything(Driver({"script": backend}, ledger), 300)

    assert any(isinstance(reply, StoreError) for reply in asyncio.run(go(first)))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
    assert all(isinstance(reply, Reply) for reply in asyncio.run(go(second)))
    assert len(set(first.sent) & set(second.sent)) <= SLOTS


def test_a_clock_set_back_hides_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        for seconds in (2_000_000_000, 1_000_000_000, 0):
            monkeypatch.setattr("storage.ledger.time.time_ns", lambda seconds=seconds: seconds * 10**9)
            asyncio.run(ledger.keep(question(1), Reply((Choice(0, f"at {seconds}"),))))
            asyncio.run(ledger.keep(question(seconds % 7 + 2), Reply((Choice(0, "other"),))))
        assert ledger.find(question(1))[0].choice.text == "at 2000000000"
        assert ledger.verify() == []
