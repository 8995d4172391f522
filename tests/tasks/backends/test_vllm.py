"""The managed engine, on a program that speaks vLLM's routes over a real socket."""

import asyncio

import pytest

from schemas.errors import EndpointError, UsageError
from schemas.exchange import Request
from tasks.backends import vllm_process
from tasks.backends.vllm import VLLM
from tests.support.engines import Fake, all_end, ask, opened


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
    assert all_end(fake)


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
