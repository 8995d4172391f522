"""Endpoints that refuse, break, hang, or go away: retried, typed, or raised with what to do."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import socket
import time
from typing import Any

import pytest

from benchmarks.engine import Canned, Engine, canned
from schemas.errors import EndpointError
from schemas.exchange import Reply
from tasks.backends.openai import OpenAI
from tests.support.endpoints import ASK, ask, endpoint, said

BROKEN = [
    pytest.param(canned(b"<html><body>Sign in</body></html>"), "an HTML page", id="HTML with status 200"),
    pytest.param(canned(b'{"choices": [{"mess'), "broken JSON", id="broken JSON"),
    pytest.param(canned(b""), "broken JSON", id="nothing"),
    pytest.param(canned(b"[1, 2]"), "expected a JSON object", id="not an object"),
    pytest.param(canned({"choices": []}), "no choices", id="no choices"),
    pytest.param(canned({"choices": [{"index": 0}]}), "without a message", id="choice without message"),
    pytest.param(canned({"choices": ["4"]}), "not an object", id="choice is text"),
    pytest.param(
        canned({"error": {"message": "overloaded"}}), "error with status 200: overloaded", id="error in a 200"
    ),
    pytest.param(canned(b'data: {"a": 1}\n\n'), "an event stream", id="event stream"),
    pytest.param(canned(b"\x1f\x8bnot gzip at all"), "Error", id="damaged gzip"),
    pytest.param(canned(b"oops", 500), "HTTP 500", id="500"),
    pytest.param(canned({"message": "busy"}, 503), "HTTP 503: busy", id="503"),
    pytest.param(Canned(then="abort"), "closed before an answer", id="dropped"),
    pytest.param(Canned(then="close"), "closed before an answer", id="closed"),
    pytest.param(Canned(b"HTTP/1.1 200 OK\r\ncontent-le", "close"), "closed before an answer", id="half a head"),
    pytest.param(
        Canned(b'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"choices"', "close"), "after 10 bytes", id="half a body"
    ),
    pytest.param(Canned(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP", id="not HTTP"),
]


@pytest.mark.parametrize(("answer", "what"), BROKEN)
def test_what_is_no_answer_is_asked_again_and_then_an_error_that_says_what_came(answer: Canned, what: str) -> None:
    assert ask(answer, said(), options="tries=3").text == "4"
    reply = ask(answer, answer)
    assert reply.choices == ()
    assert reply.outcome == "error"
    assert what.lower() in str(reply.error).lower()
    assert "given up after 2 failed attempts" in str(reply.error)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_an_error_and_is_not_asked_again(status: int) -> None:
    async def run() -> None:
        refused = canned({"error": {"message": "maximum context length is 64 tokens"}}, status)
        async with endpoint(refused) as (backend, server):
            reply = await backend.answer(ASK)
            assert (
                reply.error
                == f"{backend.endpoint} refused the request: HTTP {status}: maximum context length is 64 tokens"
            )
            assert server.stats()["requests"] == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (401, {"error": {"message": "Incorrect API key provided: sk-abcdef123456"}}, {}, "the key in THE_KEY"),
        (403, {"detail": "forbidden"}, {}, "may use 'm'"),
        (404, {"object": "error", "message": "The model `m` does not exist."}, {}, "no such model or route: 'm'"),
        (402, {"error": {"message": "Payment required"}}, {}, "no quota left"),
        (429, {"error": {"message": "You ran out", "code": "insufficient_quota"}}, {}, "no quota left"),
        (307, {}, {"location": "https://elsewhere/v1"}, "moved to https://elsewhere/v1"),
    ],
)  # fmt: skip
def test_what_makes_the_run_pointless_is_raised_with_what_to_do_and_without_the_key(
    status: int, body: dict[str, Any], headers: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "sk-abcdef123456")

    async def run() -> None:
        async with endpoint(canned(body, status, headers), options="key_env=THE_KEY") as (backend, server):
            with pytest.raises(EndpointError) as raised:
                await backend.answer(ASK)
            assert words in str(raised.value)
            assert backend.endpoint in str(raised.value)
            assert "abcdef" not in str(raised.value) + repr(backend) + backend.spec
            assert server.headers[0][b"authorization"] == b"Bearer sk-abcdef123456"
            assert server.stats()["requests"] == 1

    asyncio.run(run())


def test_a_403_after_answers_is_about_that_request_alone() -> None:
    async def run() -> Reply:
        flagged = canned({"error": {"message": "input was flagged"}}, 403)
        async with endpoint(said(), flagged) as (backend, _):
            await backend.answer(ASK)
            reply: Reply = await backend.answer(ASK)
            return reply

    assert "input was flagged" in str(asyncio.run(run()).error)


def test_no_key_is_logged_or_sent_in_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", "secret-value-1")
    reply = ask(canned(b"your key secret-value-1 is fine but we are down", 500), canned({"e": "secret-value-1"}, 500))
    assert "***" in str(reply.error)
    assert "secret-value-1" not in str(reply.error) + caplog.text


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "0.3"}, 0.3, 0.8),
        ({"retry-after-ms": "300"}, 0.3, 0.8),
        ({"retry-after": "DATE"}, 0.2, 2.8),
        ({"retry-after": "soon"}, 0.1, 0.8),
    ],
)  # fmt: skip
def test_retry_after_is_honoured(headers: dict[str, str], least: float, most: float) -> None:
    async def run() -> float:
        stamp = email.utils.formatdate(time.time() + 1.99, usegmt=True)
        sent_headers = {name: value.replace("DATE", stamp) for name, value in headers.items()}
        async with endpoint(canned({}, 429, sent_headers), said()) as (backend, _):
            began = time.monotonic()
            assert (await backend.answer(ASK)).text == "4"
            return time.monotonic() - began

    assert least <= asyncio.run(run()) < most


def test_a_quota_that_comes_back_later_than_patience_lasts_ends_the_run_and_says_when() -> None:
    used_up = canned({"error": {"message": "tokens per day"}}, 429, {"retry-after": "46000"})
    with pytest.raises(
        EndpointError, match=r"goes on at \d{4}-\d\d-\d\d \d\d:\d\d UTC, in 12 h 46 min, and patience is"
    ):
        ask(used_up)


def test_an_endpoint_that_never_answers_is_an_error_after_its_time_out() -> None:
    hang = Canned(then="hang")
    reply = ask(hang, hang, options="timeout_s=0.2&tries=2")
    assert "no whole answer within 0.2 s" in str(reply.error)


def test_an_answer_slower_than_its_time_out_makes_the_window_smaller() -> None:
    async def run() -> float:
        async with endpoint(Canned(then="hang"), options="timeout_s=0.1") as (backend, _):
            await backend.answer(ASK)
            return float(backend.limits.window.size)

    assert asyncio.run(run()) < 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_listening_at_the_start_is_said_within_seconds() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"

    async def run() -> None:
        backend = OpenAI(f"openai:{url}:m")
        with pytest.raises(EndpointError, match=f"{url} does not answer: no connection to .*Is the server running"):
            await backend.start()
        await backend.close()

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 8


def test_a_refused_key_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(canned({"error": {"message": "no"}}, 401).raw)
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            backend = OpenAI(f"openai:http://127.0.0.1:{port}/v1:m")
            with pytest.raises(EndpointError, match=r"no key .set OPENAI_API_KEY"):
                await backend.start()
            await backend.close()

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asyncio.run(run())


def test_an_endpoint_that_goes_away_for_a_while_costs_a_wait_not_an_answer() -> None:
    async def run() -> None:
        engine = Engine(prefill_ms=1, tpot_ms=0)
        async with engine.serve() as url:
            port = int(url.split(":")[2].split("/")[0])
            backend = OpenAI(f"openai:{url}:m")
            assert (await backend.answer(ASK)).outcome == "ok"
        task = asyncio.create_task(backend.answer(ASK))
        await asyncio.sleep(0.5)
        async with engine.serve(port=port):
            assert (await task).outcome == "ok"
            await backend.close()

    asyncio.run(run())


def test_an_endpoint_that_stays_away_ends_the_run() -> None:
    async def run() -> None:
        backend = OpenAI(f"openai:http://127.0.0.1:{free_port()}/v1:m?deadline_s=1")
        with pytest.raises(EndpointError, match=r"has not answered for \d+ s.*Is it still running"):
            await backend.answer(ASK)
        await backend.close()

    asyncio.run(run())
