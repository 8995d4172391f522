import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import StoreError
from storage.locks import locked
from storage.store import Store

HOLDER = """
import sys, time
from storage.store import Store
with Store.open(sys.argv[1]).run_lock("quickstart"):
    print("held", flush=True)
    time.sleep(60)
"""


def _hold(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(root)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_of_the_same_dataset_is_refused_at_once_and_told_who_has_it(tmp_path):
    holder = _hold(tmp_path)
    try:
        store = Store.open(tmp_path)
        says = f"a run for dataset 'quickstart' on {tmp_path} is going on already, in process {holder.pid} since 20"
        with pytest.raises(StoreError, match=re.escape(says)), store.run_lock("quickstart"):
            pass
        with store.run_lock("another"):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    with store.run_lock("quickstart"):  # the kernel let go when the holder was killed
        pass


def test_a_lock_is_free_again_after_use_and_shuts_out_its_own_process_meanwhile(tmp_path):
    store = Store.open(tmp_path)
    for _ in range(2):
        with (
            store.run_lock("d"),
            pytest.raises(StoreError, match=f"in process {os.getpid()}"),
            store.run_lock("d"),
        ):
            pass


def test_waiting_for_a_lock_ends(tmp_path):
    with (
        locked(tmp_path / "lock"),
        pytest.raises(StoreError, match=r"waited 0 s for .*lock, held by another process"),
        locked(tmp_path / "lock", timeout_s=0.05),
    ):
        pass
