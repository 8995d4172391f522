"""A managed engine that crashes, hangs, stalls or runs out of memory costs a restart and no answer."""

import asyncio
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from schemas.errors import EndpointError
from tasks.backends import vllm_process, vllm_replica
from tasks.backends.vllm_launch import launch
from tasks.backends.vllm_options import parse
from tests.support.engines import Fake, all_end, ask, opened


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
    assert all_end(fake)


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
    assert all_end(fake)


def test_a_folder_that_changed_meanwhile_is_not_started_again_in_silence(tmp_path, runtime):
    fake = Fake(tmp_path)

    async def use():
        async with opened(fake.spec()) as backend:
            await backend.start()
            (fake.model / "model.safetensors").write_bytes(b"other weights")
            await backend.answer(ask("crash 1"))

    with pytest.raises(EndpointError, match="were changed while it was served"):
        asyncio.run(use())
