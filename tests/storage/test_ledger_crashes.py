"""The ledger under kill -9, power loss, and several processes at once."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from schemas.exchange import Request
from storage.ledger import Ledger

WRITER = """
import asyncio, os, sys
from schemas.exchange import Choice, Reply, Request
from storage.ledger import Ledger

async def ask(ledger, seed, acknowledged):
    request = Request("m", seed=seed, n=2)
    if len(ledger.find(request)) < 2:
        await ledger.keep(request, Reply(tuple(Choice(i, f"{seed}/{i} " + "x" * (seed * 37 % 3000)) for i in (0, 1))))
        os.write(1, b"%d\\n" % seed)

async def main(path, first, last):
    with Ledger.open(path) as ledger:
        print("ready", flush=True)
        for start in range(first, last, 64):
            await asyncio.gather(*(ask(ledger, seed, None) for seed in range(start, min(start + 64, last))))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


def writer(path: Path, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def check(path: Path, acknowledged: set[int]) -> set[int]:
    """Returns what is there, after checking that it is whole and holds all that was acknowledged."""
    with Ledger.open(path) as ledger:
        assert ledger.verify() == []
        there = {orjson.loads(call.question)[10] for call in ledger.scan()}
        for seed in list(acknowledged)[:50]:
            found = ledger.find(Request("m", seed=seed, n=2))
            assert found[1].choice.text == f"{seed}/1 " + "x" * (seed * 37 % 3000)
    assert acknowledged <= there
    return there


def test_kill_9_at_any_moment_loses_no_kept_answer(tmp_path: Path) -> None:
    path, acknowledged, draw = tmp_path / "ledger.sqlite", set[int](), random.Random(5)
    for _ in range(12):
        with writer(path, 0, 20_000) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.0, 0.12))
            child.kill()
            lines = child.stdout.read().split("\n")[:-1]  # the last one may be torn
        bought = {int(line) for line in lines}
        assert not bought & acknowledged, "a kept answer was asked for again"
        acknowledged |= bought
        there = check(path, acknowledged)
        acknowledged = there  # durable, though the kill came before it could say so: not to be bought again either
    assert len(acknowledged) > 100  # kills came while it was writing


@pytest.mark.parametrize("seed", range(8))
def test_a_log_cut_at_any_byte_leaves_a_prefix_of_the_commits(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.sqlite"
    with writer(path, 0, 20_000) as child:
        assert child.stdout is not None
        for _ in range(300):
            child.stdout.readline()
        child.kill()
    copy, draw = tmp_path / "copy", random.Random(seed)
    copy.mkdir()
    for name in ("", "-wal"):
        shutil.copy(f"{path}{name}", copy)
    log = copy / "ledger.sqlite-wal"
    with log.open("r+b") as file:
        file.truncate(draw.randrange(log.stat().st_size))
    with Ledger.open(copy / "ledger.sqlite") as ledger:
        assert ledger.verify() == []
        order = [call.question for call in ledger.scan()]
    with Ledger.open(path) as ledger:
        whole = [call.question for call in ledger.scan()]
    assert order == whole[: len(order)]


def test_four_processes_on_one_file_keep_every_answer_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ranges = [(0, 600), (300, 900), (0, 600), (600, 1200)]
    children = [writer(path, *edges) for edges in ranges]
    outputs = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0, 0]
    said = Counter(int(line) for output in outputs for line in output.split("\n")[1:-1])
    assert set(said) == set(range(1200))
    assert check(path, set(range(1200))) == set(range(1200))


def test_a_killed_process_leaves_no_claim_and_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    script = (
        "import asyncio, sys, time\n"
        "from schemas.exchange import Request\n"
        "from storage.ledger import Ledger\n"
        "with Ledger.open(sys.argv[1]) as other, Ledger.open(sys.argv[1]) as ledger, ledger.lock('publish'):\n"
        "    asyncio.run(ledger.claim(Request('m'), {}))\n"
        "    print('claimed', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "claimed\n"
        with Ledger.open(path) as ledger:
            key = ledger._key(Request("m"))[1]
            assert not ledger.calls.claim(key)
            child.kill()
            child.wait()
            assert ledger.calls.claim(key)
            with ledger.lock("publish"):
                pass
