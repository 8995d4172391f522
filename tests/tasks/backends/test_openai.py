"""Endpoints' truth: whatever comes back over a real socket is a typed outcome, never an exception."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import orjson
import pytest

from benchmarks.engine import Canned, canned
from schemas.exchange import Choice, Reply, Request, Token
from tests.support.endpoints import ASK, ask, endpoint, said


def test_an_answer_has_text_tokens_cost_and_fingerprint() -> None:
    reply = ask(said(), options="price_in=2&price_out=10&price_cached=1")
    assert reply.choices == (Choice(0, "4", completion_tokens=5),)
    assert (reply.prompt_tokens, reply.cached_tokens, reply.error) == (10, 4, None)
    assert reply.cost == pytest.approx((6 * 2 + 4 * 1 + 5 * 10) / 1e6)
    assert reply.fingerprint == "m-2024"
    assert reply.latency_s > 0


@pytest.mark.parametrize(
    ("answer", "outcome", "text"),
    [
        pytest.param(said("cut", "length"), "truncated", "cut", id="length is truncated"),
        pytest.param(said("", "length"), "truncated", "", id="length without text is truncated"),
        pytest.param(said("", "content_filter"), "filtered", "", id="content filter"),
        pytest.param(said(None, refusal="I will not."), "refused", "I will not.", id="refusal"),
        pytest.param(said(""), "empty", "", id="empty text"),
        pytest.param(said(None), "empty", "", id="no text"),
        pytest.param(said("4", None), "ok", "4", id="no finish reason"),
        pytest.param(said("half", "abort"), "error", "half", id="aborted by the engine"),
        pytest.param(said([{"type": "text", "text": "4"}]), "ok", "4", id="text in parts"),  # type: ignore[arg-type]
        pytest.param(said(None, "tool_calls", tool_calls=[{"id": "a"}]), "ok", "", id="tool call without text"),
    ],
)
def test_what_the_endpoint_says_of_an_answer_is_its_outcome(answer: Any, outcome: str, text: str) -> None:
    reply = ask(answer)
    assert reply.error is None
    assert (reply.outcome, reply.text) == (outcome, text)


def test_a_tool_call_is_kept_as_it_came() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    reply = ask(said(None, "tool_calls", tool_calls=[call]))
    assert orjson.loads(reply.choices[0].tool_calls or "") == [call]


def test_reasoning_that_was_paid_for_is_kept() -> None:
    assert ask(said("4", reasoning_content="2 and 2")).choices[0].value == {"reasoning": "2 and 2"}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(canned(said(), headers={"content-type": "text/html"}), id="wrong content type"),
        pytest.param(canned(gzip.compress(orjson.dumps(said()))), id="packed although told not to"),
        pytest.param(Canned(b"HTTP/1.1 200 OK\r\n\r\n" + orjson.dumps(said()), "close"), id="body until close"),
        pytest.param(
            Canned(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                   b"%x\r\n%b\r\n0\r\n\r\n" % (len(orjson.dumps(said())), orjson.dumps(said()))),
            id="chunked",
        ),
        pytest.param(
            Canned(b"HTTP/1.1 100 Continue\r\n\r\n" + canned(said()).raw), id="interim answer first"
        ),
        pytest.param(canned(orjson.dumps(said()).replace(b'"4"', b'"4","score":NaN')), id="NaN in the JSON"),
        pytest.param(canned(orjson.dumps(said(refusal="")).replace(b'"refusal":""', b'"x":"\\ud800"')), id="surrogate"),
        pytest.param(canned({**said(), "choices": said()["choices"] * 3}), id="more choices than asked for"),
    ],
)  # fmt: skip
def test_what_is_odd_but_an_answer_is_taken(answer: Canned) -> None:
    reply = ask(answer, options="tries=1")
    assert [choice.text for choice in reply.choices] == ["4"]


def test_missing_usage_counts_as_zero_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> list[Reply]:
        async with endpoint(said(usage=None), said(usage=None), options="price_out=5") as (backend, _):
            return [await backend.answer(ASK), await backend.answer(ASK)]

    replies = asyncio.run(run())
    assert [(reply.prompt_tokens, reply.cost, reply.text) for reply in replies] == [(0, 0.0, "4")] * 2
    assert sum("does not say what a call used" in record.message for record in caplog.records) == 1


def test_log_probabilities_are_read_and_summed() -> None:
    content = [
        {"token": "4", "logprob": -0.25, "top_logprobs": [{"token": "4", "logprob": -0.25}]},
        {"token": "", "logprob": -0.5, "top_logprobs": []},
    ]
    answer = said()
    answer["choices"][0]["logprobs"] = {"content": content}
    choice = ask(answer, request=Request("m", ASK.messages, logprobs=True, top_logprobs=1)).choices[0]
    assert choice.tokens == (Token("4", -0.25, (("4", -0.25),)), Token("", -0.5))
    assert choice.logprob == -0.75


def test_missing_log_probabilities_are_null_not_zero(caplog: pytest.LogCaptureFixture) -> None:
    choice = ask(said(), request=Request("m", ASK.messages, logprobs=True)).choices[0]
    assert (choice.logprob, choice.tokens, choice.outcome) == (None, (), "ok")
    assert any("log-probabilities were asked for and do not come" in record.message for record in caplog.records)


def test_what_it_cannot_do_is_an_error() -> None:
    assert "not run" in str(ask(request=Request("m", kind="run", text="x")).error)


def test_the_model_card_is_the_fingerprint() -> None:
    async def run() -> dict[str, str]:
        async with endpoint() as (backend, _):
            card: dict[str, str] = await backend.start()
            return card

    card = asyncio.run(run())
    assert card["model"] == "m"
    assert card["endpoint"].startswith("http://127.0.0.1:")


def test_a_cancelled_call_frees_its_place_and_the_servers() -> None:
    async def run() -> None:
        async with endpoint(prefill_ms=60_000.0) as (backend, server):
            task = asyncio.create_task(backend.answer(ASK))
            await asyncio.sleep(0.1)
            assert server.running == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(0.1)
            assert server.running == 0
            assert backend.limits.inside == 0

    asyncio.run(run())
