"""The provider's Batch API: submit, poll, merge, resume."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.engine import Engine, canned
from benchmarks.engine_batch import Batches
from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends.openai_batch import OpenAIBatch
from tasks.backends.specs import open_backend

OPTIONS = "batch=1000&batch_wait_s=0.05&batch_poll_s=0.05&price_out=1000000"


def question(number: int, **fields: Any) -> Request:
    return Request("m", ({"role": "user", "content": f"question {number}"},), **fields)


@contextlib.asynccontextmanager
async def endpoint(options: str = OPTIONS, **engine: Any) -> AsyncIterator[tuple[OpenAIBatch, Engine, str]]:
    server = Engine(**{"batch_s": 0.05, **engine})
    async with server.serve() as url:
        backend = open_backend(f"openai:{url}:m?{options}")
        assert isinstance(backend, OpenAIBatch)
        await backend.start()
        try:
            yield backend, server, url
        finally:
            await backend.close()


async def ask(backend: OpenAIBatch, *requests: Request) -> list[Reply]:
    return list(await asyncio.gather(*(backend.answer(request) for request in requests)))


def test_many_requests_become_one_job_and_each_gets_its_own_answer_at_half_the_price() -> None:
    async def run() -> None:
        async with endpoint() as (backend, server, _):
            server.speak = lambda body: body["messages"][0]["content"].upper()
            replies = await ask(backend, *(question(number, n=2) for number in range(50)))
            assert [reply.text for reply in replies] == [f"QUESTION {number}" for number in range(50)]
            assert all([choice.index for choice in reply.choices] == [0, 1] for reply in replies)
            tokens = sum(choice.completion_tokens for choice in replies[0].choices)
            assert replies[0].cost == pytest.approx(tokens / 2)
            assert server.stats()["batches"] == 1
            assert server.stats()["batch_requests"] == 50
            assert next(iter(server.batches.jobs.values()))["endpoint"] == "/v1/chat/completions"

    asyncio.run(run())


def test_the_same_question_for_two_ranges_of_samples_is_two_requests() -> None:
    async def run() -> None:
        async with endpoint() as (backend, server, _):
            first, second = await ask(backend, question(1, n=2), question(1, n=2, first=2))
            assert [choice.index for choice in (*first.choices, *second.choices)] == [0, 1, 2, 3]
            assert server.stats()["batch_requests"] == 2

    asyncio.run(run())


def test_a_full_job_is_sent_without_waiting_and_routes_do_not_mix() -> None:
    async def run() -> None:
        async with endpoint("batch=10&batch_wait_s=0.05&batch_poll_s=0.05") as (backend, server, _):
            texts = [Request("m", kind="complete", text=f"text {number}") for number in range(5)]
            await ask(backend, *(question(number) for number in range(20)), *texts)
            assert server.stats()["batches"] == 3

    asyncio.run(run())


def test_a_job_goes_on_when_we_are_killed_and_is_taken_up_by_the_next_run() -> None:
    async def run() -> None:
        async with endpoint(batch_s=0.4) as (backend, server, url):
            asked = asyncio.gather(*(backend.answer(question(number)) for number in range(20)), return_exceptions=True)
            await asyncio.sleep(0.25)
            assert server.stats()["batches"] == 1
            await backend.close()
            await asked
            for moment in ("while the job runs", "after it has ended"):
                again = OpenAIBatch(f"openai:{url}:m?{OPTIONS}")
                await again.start()
                replies = await ask(again, *(question(number) for number in range(20)))
                assert all(reply.outcome == "ok" for reply in replies), moment
                await again.close()
            assert server.stats()["batches"] == 1
            assert server.stats()["batch_requests"] == 20

    asyncio.run(run())


def test_another_models_job_is_left_alone() -> None:
    async def run() -> None:
        async with endpoint() as (backend, _, url):
            await ask(backend, question(1))
            other = OpenAIBatch(f"openai:{url}:other?{OPTIONS}")
            await other.start()
            assert other._known == {}
            await other.close()

    asyncio.run(run())


def test_what_an_expired_job_did_not_answer_goes_into_another() -> None:
    async def run() -> None:
        async with endpoint(batch_done=0.5) as (backend, server, _):
            replies = await ask(backend, *(question(number) for number in range(16)))
            assert all(reply.outcome == "ok" for reply in replies)
            assert server.stats()["answers_per_body_hist"] == {"1": 16}

    asyncio.run(run())


def test_single_failures_are_asked_again_and_stay_errors_when_they_persist() -> None:
    async def run() -> None:
        async with endpoint(fault_500=0.5) as (backend, _, _url):
            assert all(reply.outcome == "ok" for reply in await ask(backend, *(question(n) for n in range(20))))
        async with endpoint(OPTIONS + "&tries=2", fault_500=1.0) as (backend, _, _url):
            [reply] = await ask(backend, question(1))
            assert "not answered in 2 jobs: internal error" in str(reply.error)

    asyncio.run(run())


def test_a_job_the_provider_finds_invalid_is_an_error_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Batches, job: dict[str, Any]) -> None:
        job |= {"status": "failed", "errors": {"data": [{"message": "line 1 is too long"}]}}

    monkeypatch.setattr(Batches, "_finish", fail)

    async def run() -> None:
        async with endpoint() as (backend, _, _url):
            [reply] = await ask(backend, question(1))
            assert "is failed / line 1 is too long" in str(reply.error)

    asyncio.run(run())


def test_a_job_whose_start_was_answered_with_a_dropped_connection_is_not_started_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route, dropped = Batches.route, list[str]()

    def drop_first(self: Batches, method: str, path: str, *rest: Any) -> Any:
        answer = route(self, method, path, *rest)
        if (method, path) == ("POST", "/batches") and not dropped:
            dropped.append(path)
            answer.raw, answer.then = b"", "abort"
        return answer

    monkeypatch.setattr(Batches, "route", drop_first)

    async def run() -> None:
        async with endpoint() as (backend, server, _):
            assert [reply.outcome for reply in await ask(backend, question(1))] == ["ok"]
            assert dropped
            assert server.stats()["batches"] == 1

    asyncio.run(run())


def test_an_endpoint_without_a_batch_api_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "upload", lambda *_: {"id": "x"})
    monkeypatch.setattr(Batches, "route", lambda *_: canned({"error": {"message": "no such route"}}, 404))

    async def run() -> None:
        with pytest.raises(EndpointError, match="no such model or route"):
            async with endpoint():
                pass

    asyncio.run(run())
