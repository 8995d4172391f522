"""kill -9 during a run, at any moment, then the same command again: the dataset of an undisturbed run."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

RUN = ("run", "quickstart", "--set", "prompts.n=48", "--json")
MOMENTS = {
    "the ledger is made": "ledger.sqlite",
    "completions are committed": "completions/_delta_log/*1.json",
    "judgments are committed": "judgments/_delta_log/*1.json",
    "pairs are spooled": "work/*/preferences/*.parquet",
    "pairs are written, not published": "preferences/dataset=*/*.parquet",
    "the version is visible, the run not recorded": "versions/part-*.parquet",
}


@pytest.fixture
def undisturbed(command) -> str:
    """Returns the digest of a run that nobody killed."""
    return str(command(*RUN, "--root", "undisturbed").json["digest"])


def _kill_when(process, there, seconds: float = 120) -> bool:
    """Kills the process as soon as something is there; false when it ended first."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if there():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.0005)
    process.communicate()
    return bool(process.returncode == -signal.SIGKILL)


def _check_after(command, undisturbed: str, killed: int) -> None:
    again = command(*RUN)
    assert again.code == 0, again.err
    assert again.json["digest"] == undisturbed
    assert command("ledger", "stats", "--json").json["answers"] == 48 * 6
    assert command("ledger", "verify").code == 0
    versions = command("versions", "--json").json
    assert {row["digest"] for row in versions} == {undisturbed}
    assert len(versions) <= killed + 1


@pytest.mark.parametrize("moment", ["completions are committed", "pairs are written, not published"])
def test_a_run_killed_when(moment, start, command, undisturbed, tmp_path):
    lake = tmp_path / "lake"

    assert _kill_when(start(*RUN), lambda: any(lake.glob(MOMENTS[moment])))

    _check_after(command, undisturbed, 1)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_twice_when(moment, start, command, undisturbed, tmp_path):
    lake = tmp_path / "lake"

    killed = [_kill_when(start(*RUN), lambda: any(lake.glob(MOMENTS[moment]))) for _ in range(2)]

    assert killed[0]
    _check_after(command, undisturbed, sum(killed))


@pytest.mark.slow
def test_a_run_killed_again_and_again_at_random_moments_ends_as_one_that_was_not(start, command):
    moments = random.Random(20)
    began = time.monotonic()
    undisturbed = str(command(*RUN, "--root", "undisturbed").json["digest"])
    takes = time.monotonic() - began
    killed = 0
    for _ in range(20):
        after = time.monotonic() + moments.uniform(0.1, takes)
        killed += _kill_when(start(*RUN), lambda after=after: time.monotonic() > after)

    assert killed >= 5
    _check_after(command, undisturbed, 20)


def test_ctrl_c_lets_what_is_in_flight_land_stops_with_exit_3_and_the_same_command_goes_on(start, command, tmp_path):
    many = ("run", "quickstart", "--set", "prompts.n=400", "--set", "sample.n=2", "--json")
    run = start(*many)
    ledger = tmp_path / "lake" / "ledger.sqlite"
    while run.poll() is None and not _answers(ledger):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=120)

    assert run.returncode == 3, err
    assert "the same command goes on from here" in err
    stopped = json.loads(out)
    assert (stopped["status"], stopped["version"], stopped["calls"]["failed"]) == ("stopped", None, 0)
    assert 0 < stopped["calls"]["asked"] < 400
    assert _answers(ledger) == stopped["calls"]["asked"]
    done = command(*many).json
    assert done["calls"]["asked"] == 400 - stopped["calls"]["asked"]
    assert done["status"] == "done"


def _answers(ledger: Path) -> int:
    """Returns how many calls are in a ledger, nought where there is none yet."""
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as found:
            return int(found.execute("select count(*) from calls").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
