"""Endpoints that are away, out of quota, or never there: waited for as long as patience says, with their words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.engine import Canned, canned
from schemas.errors import EndpointError, UsageError
from schemas.exchange import Reply, Request
from tasks.backends import openai_away, openai_faults
from tasks.backends.http import Response
from tasks.backends.openai_spec import parse
from tests.support.endpoints import ASK, ask, endpoint, said


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits before a next attempt take no time; what they would have taken is listed."""
    waits: list[float] = []

    async def sleep(self: openai_away.Away, seconds: float) -> None:
        waits.append(seconds)
        self._since -= seconds  # as if it had been away for so much longer
        await asyncio.sleep(0)

    monkeypatch.setattr(openai_away.Away, "sleep", sleep)
    return waits


def run(*script: Canned | dict[str, Any] | None, options: str = "") -> list[Reply]:
    """Returns the replies to a first and a second request of one run."""

    async def asked() -> list[Reply]:
        async with endpoint(*script, options=options) as (backend, _):
            return [await backend.answer(ASK), await backend.answer(ASK)]

    return asyncio.run(asked())


@pytest.mark.parametrize("status", [502, 503, 504, 529])
def test_one_that_has_answered_is_waited_for_beyond_the_tries_of_a_call(status: int, slept: list[float]) -> None:
    replies = run(said(), *[canned({"message": "loading"}, status)] * 12, said("5"), options="tries=2")
    assert [reply.text for reply in replies] == ["4", "5"]
    assert len(slept) == 12


def test_it_is_waited_for_as_long_as_patience_says(slept: list[float]) -> None:
    with pytest.raises(EndpointError, match=r"has not answered for .*HTTP 503: loading.*patience="):
        run(said(), *[canned({"message": "loading"}, 503)] * 99, options="patience=1m")
    assert 20 < sum(slept) < 61


def test_one_that_never_answered_ends_the_run_within_twenty_seconds(slept: list[float]) -> None:
    with pytest.raises(EndpointError, match=r"has not answered for .*HTTP 503: loading"):
        ask(*[canned({"message": "loading"}, 503, {"retry-after": "16"})] * 50, options="tries=50")
    assert slept == []


def test_a_quota_that_comes_back_in_time_holds_every_call_until_then(slept: list[float]) -> None:
    async def asked() -> list[Reply]:
        used_up = canned({"error": {"message": "requests per day (RPD)"}}, 429, {"retry-after": "120"})
        async with endpoint(said(), used_up, said("5"), options="deadline_s=60") as (backend, _):
            first = await backend.answer(ASK)
            second = asyncio.create_task(backend.answer(ASK))
            while not slept:
                await asyncio.sleep(0)
            assert backend.limits.paused_until > asyncio.get_running_loop().time() + 100
            backend.limits.resume()
            return [first, await second]

    assert [reply.text for reply in asyncio.run(asked())] == ["4", "5"]
    assert 120 <= slept[0] < 126


@pytest.mark.parametrize(
    ("message", "headers", "words"),
    [
        ("tokens per day (TPD): Limit 1. Please try again in 13h2m3s.", {}, "in 13 h 2 min, and patience is 5 min"),
        ("requests per day: limit reached", {}, "does not say when it goes on"),
        ("insufficient_quota", {}, "no quota left"),
        ("insufficient_quota", {"retry-after": "7200"}, "in 2 h, and patience is 5 min"),
    ],
)
def test_a_days_quota_ends_the_run_with_a_word_on_when_to_go_on(
    message: str, headers: dict[str, str], words: str
) -> None:
    with pytest.raises(EndpointError, match=words):
        run(said(), canned({"error": {"message": message}}, 429, headers))


def test_calls_that_wait_end_when_the_run_ends() -> None:
    async def asked() -> Reply:
        async with endpoint(said(), canned({}, 503, {"retry-after": "200"}), options="tries=9") as (backend, _):
            await backend.answer(ASK)
            waiting = asyncio.create_task(backend.answer(ASK))
            while not backend.away.waiting:
                await asyncio.sleep(0)
            backend.stop_waiting()
            reply: Reply = await waiting
            return reply

    assert "the run has ended" in str(asyncio.run(asked()).error)


@pytest.mark.parametrize(
    ("status", "message", "own"),
    [
        (400, "This model's maximum context length is 64 tokens", True),
        (413, "Request too large", True),
        (422, "prompt is too long: 70 tokens > 64 maximum", True),
        (400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy", True),
        (400, "the messages must alternate", False),
    ],
)
def test_a_prompt_that_does_not_fit_is_that_rows_own_error(status: int, message: str, own: bool) -> None:
    reply = ask(canned({"error": {"message": message}}, status))
    assert (reply.outcome, reply.of_request) == ("error", own)


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after": "1.5"}, "", 1.5), ({"retry-after": "1m30s"}, "", 90.0), ({"retry-after": "20 s"}, "", 20.0),
        ({"retry-after-ms": "250"}, "", 0.25), ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, "", 0.0),
        ({"retry-after": "soon"}, "", None), ({"retry-after": "-3"}, "", None), ({"retry-after": "²"}, "", None),
        ({"retry-after": "9" * 400}, "", None), ({"retry-after": "1e400"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "Thu, 99 Foo 99999 77:77:77 GMT"}, "", None), ({"retry-after": "\x00"}, "", None),
        ({}, "Please try again in 7m12.5s.", 432.5), ({}, "Please retry in 34.07s.", 34.07),
        ({}, "details: [{'retryDelay': '34s'}]", 34.0), ({}, "Try again later", None), ({}, "in 3 days", None),
    ],
)  # fmt: skip
def test_retry_after_of_any_text_is_seconds_or_null(
    headers: dict[str, str], message: str, seconds: float | None
) -> None:
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert openai_faults.retry_after(Response(429, given, b""), message) == seconds


def test_patience_is_a_duration() -> None:
    url = "openai:http://h/v1:m?patience="
    assert [parse(url + text).patience for text in ("90", "5m", "2h", "1.5h", "1d")] == [90, 300, 7200, 5400, 86_400]
    with pytest.raises(UsageError, match="written 90, 5m, 2h or 1d"):
        parse(url + "long")


@pytest.mark.parametrize(
    "spec",
    ["m?drop=model", "m?add.messages=1", "m?header.Host=x", "m?header.a%20b=x", "m?header.X=%0D%0Ab", "m?rpm=inf"],
)
def test_options_that_cannot_be_are_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        parse(f"openai:http://h/v1:{spec}")


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="ports go from 1 to 65535"):
        parse("openai:http://h:99999/v1:m")


def test_the_spec_reads_its_own_canonical_form() -> None:
    spec = parse('openai:http://h/v1:m?drop=seed&drop=top_p&add.a={"b":[1]}&concurrency=3&header.X=1').spec
    assert parse(spec).spec == spec
    assert parse(spec).add == {"a": {"b": [1]}}
    assert Request(spec).question() != Request("openai:http://h/v1:m").question()
