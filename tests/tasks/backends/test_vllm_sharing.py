"""Processes share a managed engine, and it ends with the last of them, however that ends."""

import asyncio
import os
import subprocess
import sys
import time

from tests.support.engines import ROOT, Fake, all_end, opened

USER = """
import asyncio, sys, time
from schemas.exchange import Request
from tasks.backends.vllm import VLLM
async def main(spec, until):
    backend = VLLM(spec)
    await backend.start()
    reply = await backend.answer(Request(model=backend.spec, messages=[{"role": "user", "content": "hi"}]))
    print(reply.text, flush=True)
    while until == "killed":
        await asyncio.sleep(1)
    await asyncio.to_thread(sys.stdin.readline)
    await backend.close()
asyncio.run(main(*sys.argv[1:]))
"""


def _user(fake, runtime, until="told", options=""):
    return subprocess.Popen(
        [sys.executable, "-P", "-c", USER, fake.spec(options), until], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(runtime)}, text=True,
    )  # fmt: skip


def test_processes_share_an_engine_and_the_last_one_ends_it(tmp_path, runtime):
    fake = Fake(tmp_path, start_s=0.5)
    users = [_user(fake, runtime) for _ in range(3)]
    assert [user.stdout.readline() for user in users] == ["hi/0\n"] * 3
    assert len(fake.noted("starts")) == 1
    for user in users[:2]:
        user.communicate("go\n")
    assert len(fake.processes()) == 2
    users[2].communicate("go\n")
    assert fake.processes() == []


def test_an_engine_ends_when_its_users_are_killed(tmp_path, runtime):
    fake = Fake(tmp_path)
    users = [_user(fake, runtime, "killed") for _ in range(2)]
    assert [user.stdout.readline() for user in users] == ["hi/0\n"] * 2
    users[0].kill()
    users[0].communicate()
    time.sleep(0.5)
    assert len(fake.processes()) == 2
    users[1].kill()
    users[1].communicate()
    assert all_end(fake)


def test_an_engine_ends_when_its_users_are_killed_while_it_starts(tmp_path, runtime):
    fake = Fake(tmp_path, start_s=60)
    user = _user(fake, runtime, "killed")
    while len(fake.processes()) < 2:
        time.sleep(0.05)
    user.kill()
    user.communicate()
    assert all_end(fake)


def test_an_engine_that_lingers_serves_the_next_run(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        for _ in range(2):
            async with opened(fake.spec("linger_s=2")) as backend:
                await backend.start()

    asyncio.run(use())
    assert len(fake.noted("starts")) == 1
    assert all_end(fake)
