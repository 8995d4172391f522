"""The managed engine, on a program that speaks vLLM's routes over a real socket and dies when told to."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schemas.errors import EndpointError, UsageError
from schemas.exchange import Request
from tasks.backends import vllm_process, vllm_replica
from tasks.backends.vllm import VLLM
from tasks.backends.vllm_launch import launch
from tasks.backends.vllm_options import parse

ROOT = Path(__file__).resolve().parents[3]
FAKE = ROOT / "tests" / "support" / "fake_vllm.py"


@pytest.fixture
def runtime(monkeypatch):
    folder = tempfile.mkdtemp(prefix="pw")  # short: a socket's path may have 107 bytes
    monkeypatch.setattr(tempfile, "tempdir", folder)
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


class Fake:
    """An engine that is not one: its SPEC, and what it noted."""

    def __init__(self, folder, **behave):
        self.notes, self.model = folder / "notes", folder / "model"
        self.notes.mkdir(parents=True)
        self.model.mkdir()
        self.behave(**behave)
        self.python = folder / "python"
        self.python.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
        self.python.chmod(0o755)

    def behave(self, **behave):
        (self.model / "fake.json").write_text(json.dumps({"notes": str(self.notes), **behave}))

    def spec(self, options=""):
        return f"vllm:{self.model}?python={self.python}&window_s=60&{options}"

    def noted(self, kind):
        file = self.notes / kind
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def processes(self):
        return [pid for pid in (*(start[0] for start in self.noted("starts")), *self.noted("cores")) if _runs(pid)]


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _all_end(fake, seconds=15.0):
    end = time.monotonic() + seconds
    while fake.processes() and time.monotonic() < end:
        time.sleep(0.05)
    return fake.processes() == []


@asynccontextmanager
async def opened(spec):
    backend = VLLM(spec)
    try:
        yield backend
    finally:
        await backend.close()


def ask(text, **fields):
    return Request(model="vllm:m", messages=[{"role": "user", "content": text}], **fields)


def test_an_engine_is_started_answers_and_is_gone_afterwards(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as backend:
            told = await backend.start()
            reply = await backend.answer(ask("hi", n=3, seed=7))
            return told, reply, fake.processes()

    told, reply, alive = asyncio.run(use())
    assert [choice.text for choice in reply.choices] == ["hi/7", "hi/8", "hi/9"]
    assert reply.error is None
    assert (told["model"], told["engine"], told["dtype"]) == ("model", "vllm 0.0-fake", "float32")
    assert reply.fingerprint == f"model@{told['revision']}"
    assert len(alive) == 2
    assert fake.processes() == []


def test_the_spec_keeps_no_options_and_the_fingerprint_no_port(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def told(options):
        async with opened(fake.spec(options)) as backend:
            assert backend.spec == f"vllm:{fake.model}"
            return await backend.start()

    port = vllm_process.free_port()
    assert asyncio.run(told(f"port={port}")) == asyncio.run(told("concurrency=3"))
    assert fake.noted("starts")[0][1][-1] == str(port)
    assert asyncio.run(told("max_model_len=64"))["max_model_len"] == "64"


def test_another_checkpoint_in_the_same_folder_is_another_engine(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as first:
            one = await first.start()
            (fake.model / "model.safetensors").write_bytes(b"new weights")
            async with opened(fake.spec()) as second:
                return one, await second.start(), len(fake.noted("starts"))

    one, two, starts = asyncio.run(use())
    assert one["revision"] != two["revision"]
    assert starts == 2


@pytest.mark.parametrize("death", ["crash", "oom"])
def test_a_crash_costs_a_restart_and_no_answer(tmp_path, runtime, caplog, death):
    fake = Fake(tmp_path, answer_s=0.2)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            texts = [f"{death} 1" if i == 20 else f"question {i}" for i in range(40)]
            return texts, await asyncio.gather(*(backend.answer(ask(text)) for text in texts))

    texts, replies = asyncio.run(use())
    assert [reply.text for reply in replies] == [f"{text}/0" for text in texts]
    assert len(fake.noted("starts")) == 2
    ports = {start[1][-1] for start in fake.noted("starts")}
    assert len(ports) == 1
    assert "starting it again" in caplog.text
    assert ("fewer sequences at a time" in caplog.text) == (death == "oom")


def test_an_engine_that_hangs_is_started_again(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec("health_s=0.3")) as backend:
            await backend.start()
            return await asyncio.gather(*(backend.answer(ask(text)) for text in ("hang 1", "fine")))

    assert [reply.text for reply in asyncio.run(use())] == ["hang 1/0", "fine/0"]
    assert len(fake.noted("starts")) == 2


def test_an_engine_that_works_and_makes_no_token_is_started_again(tmp_path, runtime, caplog):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec("stall_s=0.8")) as backend:
            await backend.start()
            return await backend.answer(ask("stall 1"))

    assert asyncio.run(use()).text == "stall 1/0"
    assert "had work and made no token of it for 1 s" in caplog.text


def test_a_port_that_somebody_took_meanwhile_is_changed(tmp_path, runtime, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = [taken.getsockname()[1], vllm_process.free_port()]
        fake = Fake(tmp_path)
        home = Path(tempfile.mkdtemp(dir=runtime))
        monkeypatch.setattr(vllm_process, "free_port", lambda: given.pop(0))

        async def use():
            replica = vllm_replica.Replica(launch(parse(fake.spec())), 0, home, Undertaken(), lambda: None)
            keeping = asyncio.create_task(replica.keep())
            while not replica.ready and not keeping.done():
                await asyncio.sleep(0.05)
            keeping.cancel()
            await asyncio.wait({keeping})
            await replica.end()
            return replica.crashes, replica.process.port

        assert asyncio.run(use()) == (1, replica_port(fake))


class Undertaken:
    """Buries nobody."""

    def born(self, group):
        pass

    def buried(self, group):
        pass


def replica_port(fake):
    return int(fake.noted("starts")[-1][1][-1])


def test_a_request_that_always_kills_the_engine_ends_the_run_and_says_so(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec("restarts=1")) as backend:
            await backend.start()
            assert (await backend.answer(ask("before"))).text == "before/0"
            await backend.answer(ask("poison"))

    with pytest.raises(
        EndpointError, match=r"(?s)was ended by SIGKILL.*crash 2 within 60 s.*every answer so far is kept"
    ):
        asyncio.run(use())
    assert len(fake.noted("starts")) == 2
    assert _all_end(fake)


def test_a_refused_request_is_an_error_and_no_restart(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as backend:
            return await backend.answer(ask("refuse"))

    assert "I refuse" in asyncio.run(use()).error
    assert len(fake.noted("starts")) == 1


@pytest.mark.parametrize(
    ("dies", "told"),
    [
        pytest.param("ValueError: Free memory on device cuda:0 (3/79 GiB) on startup is less than desired GPU memory",
                     "something else uses it", id="somebody else on the GPU"),
        pytest.param("ValueError: To serve at least one request with the model's max seq len (131072), (16 GiB KV "
                     "cache is needed, which is larger than the available KV cache memory (3 GiB)",
                     "a shorter context", id="no room for keys and values"),
        pytest.param("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate",
                     "out of memory", id="out of memory on a CPU"),
        pytest.param("/usr/bin/python: Error while finding module specification: No module named 'vllm'",
                     "this interpreter has no vLLM", id="no vLLM"),
        pytest.param("Killer line nobody knows", "Killer line nobody knows", id="unknown"),
    ],
)  # fmt: skip
def test_a_start_that_fails_shows_the_lines_that_say_why(tmp_path, runtime, dies, told):
    fake = Fake(tmp_path, dies=dies)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()

    with pytest.raises(EndpointError, match="ended with exit status 1 while it started") as failed:
        asyncio.run(use())
    assert told in str(failed.value)
    assert dies[:60] in str(failed.value)
    assert len(fake.noted("starts")) == 1


def test_a_start_that_takes_too_long_is_given_up(tmp_path, runtime):
    fake = Fake(tmp_path, start_s=60)

    async def use():
        async with opened(fake.spec("start_s=0.7")) as backend:
            await backend.start()

    with pytest.raises(EndpointError, match=r"not ready after 1 s \(start_s= allows more\)"):
        asyncio.run(use())
    assert _all_end(fake)


def test_replicas_share_the_work_and_one_that_dies_is_mended(tmp_path, runtime):
    fake = Fake(tmp_path, answer_s=0.05)

    async def use():
        async with opened(fake.spec("replicas=2")) as backend:
            await backend.start()
            while sum(backend._lease.state.ready) < 2:
                await asyncio.sleep(0.05)
            texts = [f"question {i}" for i in range(60)]
            await asyncio.gather(*(backend.answer(ask(text)) for text in texts))
            texts[30] = "crash 1"
            replies = await asyncio.gather(*(backend.answer(ask(text)) for text in texts))
            while backend._lease.crashes < 1 or sum(backend._lease.state.ready) < 2:
                await asyncio.sleep(0.05)
            return [reply.text for reply in replies] == [f"{text}/0" for text in texts]

    assert asyncio.run(use())
    assert len(fake.noted("starts")) == 3
    assert len({pid for _, _, pid in fake.noted("answered")}) >= 2
    assert fake.processes() == []


def test_more_replicas_than_gpus_are_refused(tmp_path, runtime, monkeypatch):
    fake = Fake(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    with pytest.raises(UsageError, match=r"2 replicas of 2 GPUs need 4, and there are 3 \(0,1,2\)"):
        asyncio.run(VLLM(fake.spec("replicas=2&tensor_parallel_size=2")).start())


def test_each_replica_has_gpus_of_its_own(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec("replicas=2&tensor_parallel_size=2&devices=4,5,6,7")) as backend:
            await backend.start()
            while sum(backend._lease.state.ready) < 2:
                await asyncio.sleep(0.05)

    asyncio.run(use())
    assert sorted(start[2] for start in fake.noted("starts")) == ["4,5", "6,7"]


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
    assert _all_end(fake)


def test_an_engine_ends_when_its_users_are_killed_while_it_starts(tmp_path, runtime):
    fake = Fake(tmp_path, start_s=60)
    user = _user(fake, runtime, "killed")
    while len(fake.processes()) < 2:
        time.sleep(0.05)
    user.kill()
    user.communicate()
    assert _all_end(fake)


def test_a_killed_keeper_takes_its_engine_along_and_is_replaced(tmp_path, runtime, caplog):
    fake = Fake(tmp_path, answer_s=0.3)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            asking = [asyncio.create_task(backend.answer(ask(f"question {i}"))) for i in range(10)]
            await asyncio.sleep(0.1)
            old = fake.processes()
            os.kill(backend._lease.state.keeper, signal.SIGKILL)
            replies = await asyncio.gather(*asking)
            return old, [reply.text for reply in replies], fake.processes()

    old, texts, new = asyncio.run(use())
    assert texts == [f"question {i}/0" for i in range(10)]
    assert not set(old) & set(new)
    assert "keeper is gone" in caplog.text
    assert _all_end(fake)


def test_an_engine_that_lingers_serves_the_next_run(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        for _ in range(2):
            async with opened(fake.spec("linger_s=2")) as backend:
                await backend.start()

    asyncio.run(use())
    assert len(fake.noted("starts")) == 1
    assert _all_end(fake)


def test_a_folder_that_changed_meanwhile_is_not_started_again_in_silence(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            (fake.model / "model.safetensors").write_bytes(b"other weights")
            await backend.answer(ask("crash 1"))

    with pytest.raises(EndpointError, match="were changed while it was served"):
        asyncio.run(use())


def test_a_limit_beyond_the_context_is_left_to_the_engine(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            await backend.answer(ask("short", max_tokens=63))
            await backend.answer(ask("long", max_tokens=64))

    asyncio.run(use())
    assert [limit for _, limit, _ in fake.noted("answered")] == [63, None]


def test_a_cancelled_question_stays_cancelled(tmp_path, runtime):
    fake = Fake(tmp_path, answer_s=30)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            asking = asyncio.create_task(backend.answer(ask("hi")))
            await asyncio.sleep(0.2)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(use())


def test_log_probabilities_of_a_given_answer_count_its_tokens_and_its_end(tmp_path, runtime):
    fake = Fake(tmp_path)
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "ab"}]
    score = {"model": "vllm:m", "kind": "score", "logprobs": True}

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            whole = Request(messages=talk, **score)
            begun = Request(messages=talk[:1], prefix="ab", **score)
            text = Request(text="abc", **score)
            return [(await backend.answer(request)).choices[0] for request in (whole, begun, text)]

    whole, begun, text = asyncio.run(use())
    a, b, c, end = (-ord("a") / 1024, -ord("b") / 1024, -ord("c") / 1024, -999 / 1024)
    assert [token.logprob for token in whole.tokens] == [a, b, end]
    assert whole.value == whole.logprob == a + b + end
    assert begun.value == a + b
    assert text.value == b + c
    assert [token.text for token in begun.tokens] == ["a", "b"]


def test_a_reward_model_gives_its_number(tmp_path, runtime):
    fake = Fake(tmp_path, reward=True)
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "abc"}]

    async def use():
        async with opened(fake.spec()) as backend:
            return await backend.answer(Request(model="vllm:m", kind="score", messages=talk))

    assert asyncio.run(use()).choices[0].value == 1.5
