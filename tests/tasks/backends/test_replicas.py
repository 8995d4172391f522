"""Several base URLs: calls go where there is room, and not where nobody answers."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.engine import Engine
from schemas.exchange import Request
from tasks.backends import replicas
from tasks.backends.openai import OpenAI


def question(number: int, of: int = 0) -> Request:
    return Request("m", ({"role": "user", "content": f"question {of or number}"},), seed=number)


def test_calls_are_spread_over_replicas() -> None:
    async def run() -> list[int]:
        engines = [Engine(prefill_ms=20, tpot_ms=0, slots=50) for _ in range(3)]
        async with engines[0].serve() as a, engines[1].serve() as b, engines[2].serve() as c:
            backend = OpenAI(f"openai:{a},{b},{c}:m?start=150")
            await asyncio.gather(*(backend.answer(question(number)) for number in range(300)))
            await backend.close()
        return [engine.stats()["requests"] for engine in engines]

    spread = asyncio.run(run())
    assert sum(spread) == 300
    assert min(spread) >= 85


def test_calls_with_the_same_start_go_to_the_same_replica_while_it_has_room() -> None:
    async def run() -> list[int]:
        engines = [Engine(prefill_ms=1, tpot_ms=0) for _ in range(2)]
        async with engines[0].serve() as a, engines[1].serve() as b:
            backend = OpenAI(f"openai:{a},{b}:m")
            for number in range(20):
                await backend.answer(question(number, of=7))
            await backend.close()
        return sorted(engine.stats().get("requests", 0) for engine in engines)

    assert asyncio.run(run()) == [0, 20]


def test_a_replica_that_dies_costs_no_answer_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "CHECK_S", (0.05, 0.1))

    async def run() -> None:
        stays, goes = Engine(prefill_ms=30, tpot_ms=0), Engine(prefill_ms=30, tpot_ms=0)
        async with stays.serve() as a:
            async with goes.serve() as b:
                port = int(b.split(":")[2].split("/")[0])
                backend = OpenAI(f"openai:{a},{b}:m?start=20")
                await backend.start()
                calls = [asyncio.create_task(backend.answer(question(number))) for number in range(200)]
                await asyncio.sleep(0.02)
            replies = await asyncio.gather(*calls)
            assert all(reply.outcome == "ok" for reply in replies)
            assert [replica.healthy for replica in backend.replicas.all] == [True, False]
            assert goes.stats()["requests"] > 0
            async with goes.serve(port=port):
                for _ in range(100):
                    await asyncio.sleep(0.05)
                    if backend.replicas.all[1].healthy:
                        break
                goes.reset()
                await asyncio.gather(*(backend.answer(question(number)) for number in range(300, 340)))
                assert goes.stats()["requests"] > 0
            await backend.close()

    asyncio.run(run())


def test_one_replica_of_two_is_enough_to_start() -> None:
    async def run() -> None:
        engine = Engine(prefill_ms=1, tpot_ms=0)
        async with engine.serve() as url:
            backend = OpenAI(f"openai:http://127.0.0.1:9/v1,{url}:m")
            await backend.start()
            assert (await backend.answer(question(1))).outcome == "ok"
            await backend.close()

    asyncio.run(run())
