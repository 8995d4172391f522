"""The ledger: what is kept is found, exactly, once, and only under what was asked."""

from __future__ import annotations

import asyncio
import math
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StoreError
from schemas.exchange import Choice, Reply, Request, Token
from storage.ledger import Ledger
from storage.ledger_rows import decode, encode, key_of

ASK = Request("embedded", ({"role": "user", "content": "What is 2 + 2?"},), n=2, logprobs=True)
FOUR = Choice(0, "4", logprob=-0.5, tokens=(Token("4", -0.5, (("4", -0.5), ("5", -3.0))),), completion_tokens=1)
FIVE = Choice(1, "five, but long", "truncated", "length", completion_tokens=9)


def keep(ledger: Ledger, request: Request, *choices: Choice, **fields: object) -> Reply:
    reply = Reply(choices, prompt_tokens=7, cached_tokens=2, cost=0.5, latency_s=0.25, fingerprint="fp")
    return asyncio.run(ledger.keep(request, replace(reply, **fields)))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_an_answer_comes_back_exactly_as_it_was(path: Path) -> None:
    tool = Choice(1, "", "ok", "tool_calls", tool_calls='[{"id": "x"}]', value={"reasoning": "hm \x00 é 漢"})
    with Ledger.open(path) as ledger:
        assert ledger.find(ASK) == {}
        keep(ledger, ASK, FOUR, tool)
    with Ledger.open(path) as ledger:
        found = ledger.find(ASK)
    assert {index: stored.choice for index, stored in found.items()} == {0: FOUR, 1: tool}
    assert found[0].prompt_tokens == 7
    assert found[0].cached_tokens == 2
    assert found[0].fingerprint == "fp"
    assert found[0].latency_s == 0.25
    assert found[0].cost + found[1].cost == 0.5


def test_sixteen_samples_after_eight_find_eight(path: Path) -> None:
    eight, sixteen = replace(ASK, n=8), replace(ASK, n=16)
    with Ledger.open(path) as ledger:
        keep(ledger, eight, *(replace(FOUR, index=i) for i in range(8)))
        assert sorted(ledger.find(sixteen)) == list(range(8))
        keep(ledger, replace(ASK, n=8, first=8), *(replace(FOUR, index=i) for i in range(8, 16)))
        assert sorted(ledger.find(sixteen)) == list(range(16))
        assert sorted(ledger.find(replace(ASK, first=7, n=2))) == [7, 8]
        assert ledger.stats()["answers"] == 16


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"}, {"messages": ({"role": "user", "content": "What is 2 + 3?"},)}, {"kind": "complete"},
        {"text": "x"}, {"prefix": "So"}, {"temperature": 0.5}, {"top_p": 0.9}, {"max_tokens": 7}, {"stop": ("\n",)},
        {"seed": 1}, {"logprobs": False}, {"top_logprobs": 3}, {"schema": {"type": "object"}},
        {"tools": ({"type": "function"},)}, {"template": "v2"}, {"extra": {"top_k": 5}},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_whatever_can_change_an_answer_is_in_its_key(path: Path, change: dict[str, object]) -> None:
    with Ledger.open(path) as ledger:
        keep(ledger, ASK, FOUR, FIVE)
        assert ledger.find(replace(ASK, **change)) == {}  # type: ignore[arg-type]
        assert len(ledger.find(replace(ASK))) == 2


def test_a_failed_call_and_a_failed_sample_may_be_asked_again(path: Path) -> None:
    with Ledger.open(path) as ledger:
        reply = keep(ledger, ASK, error="HTTP 500")
        assert reply.error == "HTTP 500"
        assert ledger.find(ASK) == {}
        keep(ledger, ASK, FOUR, Choice(1, "", "error", "error: HTTP 500"))
        assert list(ledger.find(ASK)) == [0]
        stats = ledger.stats()
    assert stats["failures"] == {"embedded": {"HTTP 500": 1}}
    assert stats["models"]["embedded"]["outcomes"] == {"ok": 1}


def test_the_first_answer_wins_and_is_what_everybody_reads(path: Path) -> None:
    with Ledger.open(path) as one, Ledger.open(path) as other:
        keep(one, ASK, FOUR, FIVE)
        late = keep(other, replace(ASK, n=3), replace(FOUR, text="late"), FIVE, replace(FOUR, index=2, text="new"))
        assert [choice.text for choice in late.choices] == ["4", "five, but long", "new"]
        for ledger in (one, other):
            found = ledger.find(replace(ASK, n=3))
            assert [found[i].choice.text for i in range(3)] == ["4", "five, but long", "new"]
            assert ledger.verify() == []


def test_the_same_sample_twice_in_one_commit_is_there_once(path: Path) -> None:
    async def both(ledger: Ledger) -> list[Reply]:
        replies = [Reply((replace(FOUR, text=text),)) for text in ("first", "second")]
        return await asyncio.gather(*(ledger.keep(ASK, reply) for reply in replies))

    with Ledger.open(path) as ledger:
        assert [reply.text for reply in asyncio.run(both(ledger))] == ["first", "first"]
        assert ledger.stats()["answers"] == 1


def test_another_ledgers_answers_are_seen_at_once(path: Path) -> None:
    with Ledger.open(path) as one, Ledger.open(path) as other:
        for number in range(20):
            request = replace(ASK, seed=number)
            writer, reader = (one, other) if number % 2 else (other, one)
            assert reader.find(request) == {}
            keep(writer, request, FOUR, FIVE)
            assert len(reader.find(request)) == 2


def test_a_commit_cut_short_by_a_kill_makes_nobody_trust_the_filter(path: Path) -> None:
    with Ledger.open(path) as one, Ledger.open(path) as other:
        assert one.find(ASK) == {}
        cells = one.calls.shared._cells  # type: ignore[attr-defined]
        cells[0] += 1  # what a process that is committing leaves when it is killed
        assert one.find(ASK) == {}
        keep(other, ASK, FOUR, FIVE)
        assert len(one.find(ASK)) == 2
        assert cells[0] % 2 == 0


def test_a_question_is_asked_by_one_live_process_at_a_time(path: Path) -> None:
    async def buy(ledger: Ledger, bought: list[str], name: str) -> str:
        found = await ledger.claim(ASK, {})
        if not found:
            await asyncio.sleep(0.05)
            bought.append(name)
            await ledger.keep(ASK, Reply((replace(FOUR, text=name),)))
        ledger.release(ASK)
        return ledger.find(ASK)[0].choice.text

    async def both() -> tuple[list[str], list[str]]:
        bought: list[str] = []
        with Ledger.open(path) as one, Ledger.open(path) as other:
            texts = await asyncio.gather(buy(one, bought, "one"), buy(other, bought, "other"), buy(one, bought, "own"))
        return bought, list(texts)

    bought, texts = asyncio.run(both())
    assert bought == ["one"]
    assert texts == ["one", "one", "one"]


def test_a_cancelled_keep_keeps_the_answer_all_the_same(path: Path) -> None:
    async def cancel(ledger: Ledger) -> None:
        task = asyncio.create_task(ledger.keep(ASK, Reply((FOUR, FIVE))))
        other = asyncio.create_task(ledger.keep(replace(ASK, seed=1), Reply((FOUR, FIVE))))
        await asyncio.sleep(0)
        task.cancel()
        assert (await other).outcome == "ok"
        assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    with Ledger.open(path) as ledger:
        asyncio.run(cancel(ledger))
        assert len(ledger.find(ASK)) == 2


def test_answers_queued_when_the_loop_ends_are_written_by_close(path: Path) -> None:
    async def leave(ledger: Ledger, seed: int) -> None:
        asyncio.get_running_loop().create_task(ledger.keep(replace(ASK, seed=seed), Reply((FOUR, FIVE))))
        await asyncio.sleep(0)

    with Ledger.open(path) as ledger:
        asyncio.run(leave(ledger, 1))
        asyncio.run(leave(ledger, 2))
    with Ledger.open(path) as ledger:
        assert len(ledger.find(replace(ASK, seed=1))) == 2
        assert len(ledger.find(replace(ASK, seed=2))) == 2


def test_thousands_of_answers_share_commits(path: Path) -> None:
    async def many(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.keep(replace(ASK, seed=i), Reply((FOUR, FIVE))) for i in range(2000)))

    with Ledger.open(path) as ledger:
        asyncio.run(many(ledger))
        assert ledger.stats()["answers"] == 4000
        assert ledger.calls.shared._cells[0] < 40  # type: ignore[attr-defined]  # two a commit
        assert ledger.verify() == []


def test_a_lock_is_held_against_everybody_and_ends_with_its_holder(path: Path) -> None:
    with Ledger.open(path) as one, Ledger.open(path) as other:
        with (
            one.lock("publish"),
            pytest.raises(StoreError, match=f"publish is locked by another run .process {os.getpid()}"),
            other.lock("publish"),
        ):
            pass
        with other.lock("publish"), one.lock("other"):
            pass


def test_what_is_no_ledger_is_said_to_be_none(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be taken for one " * 40)
    with pytest.raises(StoreError, match=r"ledger\.sqlite: this is not a ledger"):
        Ledger.open(path)


def test_who_comes_later_sees_what_was_claimed_before(path: Path) -> None:
    key = key_of(ASK.question())
    with Ledger.open(path) as first:
        assert first.calls.claim(key)
        with Ledger.open(path) as later:
            assert not later.calls.claim(key)
            first.calls.release(key)
            assert later.calls.claim(key)
            assert not first.calls.claim(key)
        assert first.calls.claim(key)
        assert not first.calls.alone


def test_a_ledger_of_a_newer_version_is_left_alone(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Ledger.open(path)


def test_a_folder_in_its_place_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=str(tmp_path)):
        Ledger.open(tmp_path)


FULL = """
import asyncio, resource, signal, sys
from dataclasses import replace
from schemas.errors import StoreError
from schemas.exchange import Choice, Reply, Request
from storage.ledger import Ledger

async def main(ledger):
    kept = 0
    try:
        for seed in range(1000):
            await ledger.keep(Request("m", seed=seed), Reply((Choice(0, "x" * 20_000),)))
            kept += 1
    except StoreError as error:
        print(error)
    try:
        await ledger.keep(Request("m", seed=-1), Reply((Choice(0, "after"),)))
    except StoreError:
        print(kept)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
asyncio.run(main(ledger))
"""


def test_a_full_disk_stops_the_ledger_and_loses_nothing_that_was_kept(path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60)
    message, kept = run.stdout.splitlines()
    assert str(path) in message
    with Ledger.open(path) as ledger:
        assert ledger.verify() == []
        assert ledger.stats()["answers"] == int(kept) > 10
        assert ledger.find(Request("m", seed=-1)) == {}
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FINITE = st.floats(max_value=0, allow_nan=False, allow_infinity=False)
CHOICES = st.builds(
    Choice, st.integers(0, 1000), TEXT,
    outcome=st.sampled_from(["ok", "truncated", "refused", "filtered", "empty"]), finish_reason=TEXT,
    logprob=st.none() | FINITE,
    tokens=st.lists(
        st.builds(Token, TEXT, FINITE | st.just(-math.inf), st.lists(st.tuples(TEXT, FINITE), max_size=2).map(tuple)),
        max_size=3,
    ).map(tuple),
    completion_tokens=st.integers(0, 10**9), tool_calls=st.none() | TEXT,
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.dictionaries(TEXT, st.integers(-9, 9)),
)  # fmt: skip


@given(st.lists(CHOICES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_every_choice_survives_encoding(choices: list[Choice]) -> None:
    assert decode(encode(choices)) == choices
