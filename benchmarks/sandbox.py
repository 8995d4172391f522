"""How many programs a second the sandbox runs, and whether thousands of them leave anything behind.

    python benchmarks/sandbox.py [--rounds 5] [--programs 1000] [--means bwrap]

Each round hands all its programs over at once. Printed are programs a second and CPU seconds a program of each round,
and the descriptors, processes and scratch entries there are before the first round and after the last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from schemas.exchange import Request
from tasks.backends.sandbox import Sandbox

PROGRAM = """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
open("f", "w").write("x" * 100_000)
assert fib(15) == 610
print({number})
"""


def held(scratch: Path) -> dict[str, int]:
    """Returns how many descriptors, processes and entries of scratch folders there are now."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {
        "descriptors": len(os.listdir("/proc/self/fd")), "processes": len(family),
        "scratch entries": sum(len(list(box.iterdir())) for box in scratch.glob("box*")),
        "scratch folders": len(list(Path(tempfile.gettempdir()).glob("pairwright-sandbox-*"))),
    }  # fmt: skip


async def measured(rounds: int, programs: int, means: str | None) -> None:
    """Runs the rounds and prints their figures."""
    sandbox = Sandbox(means=means)
    print((await sandbox.start())["means"], f"{sandbox.slots} at a time", sep="; ")
    warm = [Request("sandbox", kind="run", text=PROGRAM.format(number=0)) for _ in range(4 * sandbox.slots)]
    await asyncio.gather(*map(sandbox.answer, warm))
    scratch = sandbox._scratch
    assert scratch is not None
    before = held(scratch)
    for number in range(rounds):
        asked = [Request("sandbox", kind="run", text=PROGRAM.format(number=n)) for n in range(programs)]
        began, cpu = time.perf_counter(), _cpu_s()
        replies = await asyncio.gather(*map(sandbox.answer, asked))
        seconds = time.perf_counter() - began
        wrong = sum(reply.text != f"{n}\n" for n, reply in enumerate(replies))
        print(
            f"round {number}: {programs / seconds:6.1f} programs a second, "
            f"{1000 * (_cpu_s() - cpu) / programs:5.1f} ms of our CPU each, {wrong} wrong"
        )
    await asyncio.sleep(0.5)
    after = held(scratch)
    await sandbox.close()
    for name, count in before.items():
        print(f"{name}: {count} before, {after[name]} after")
    print(f"processes once closed: {held(scratch)['processes']}, scratch folder gone: {not scratch.exists()}")


def _cpu_s() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--means")
    told = parser.parse_args()
    asyncio.run(measured(told.rounds, told.programs, told.means))


if __name__ == "__main__":
    main()
