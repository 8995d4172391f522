"""Every kind of thing that a socket can answer: a typed reply or a message, never a traceback, never a hang."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import orjson
import pytest

from benchmarks.engine import Canned, Engine, canned
from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends import http
from tasks.backends.http import Client, Response, TransportError
from tasks.backends.openai import OpenAI
from tests.support.endpoints import ASK, ask, endpoint, said

FINE = orjson.dumps(said())
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def sized(body: bytes, *more: bytes, status: bytes = b"200 OK") -> Canned:
    return Canned(b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, b"".join(more), len(body), body))


def given(**changes: Any) -> Canned:
    return canned({**said(), **changes})


def message(**fields: Any) -> Canned:
    return given(choices=[{"index": 0, "finish_reason": "stop", "message": fields}])


BYTES = {
    "empty body": sized(b""), "blanks": sized(b" \r\n "), "null": sized(b"null"), "a number": sized(b"7"),
    "a text": sized(b'"4"'), "a list": sized(b"[]"), "an empty object": sized(b"{}"), "cut JSON": sized(FINE[:-9]),
    "HTML": sized(b"<!DOCTYPE html><h1>Bad</h1>"), "XML": sized(b"<?xml version='1.0'?><a/>"),
    "an event stream": sized(b"data: {}\n\ndata: [DONE]\n\n"), "two documents": sized(FINE + FINE),
    "a NUL": sized(b"\x00"), "NULs around": sized(b"\x00" + FINE + b"\x00"), "bad UTF-8": sized(b'{"a":"\xff\xfe"}'),
    "UTF-16": sized(b"\xff\xfe" + "{}".encode("utf-16-le")), "UTF-32": sized("{}".encode("utf-32")),
    "a byte order mark": sized(b"\xef\xbb\xbf{}"), "deep nesting": sized(b"[" * 50_000),
    "a deep object": sized(b'{"a":' * 3000),
    "a huge number": sized(b'{"usage":' + b"9" * 6000 + b"}"), "an infinite number": sized(b'{"choices":1e999}'),
    "a damaged gzip": sized(b"\x1f\x8b\x08 no"), "a cut gzip": sized(gzip.compress(b"4" * 9000)[:40]),
    "brotli": sized(b"\x8b\x01\x80{}\x03", b"content-encoding: br\r\n"),
    "a wrong length": Canned(HEAD + b"content-length: 9999\r\n\r\n{}", "close"),
    "a length that is none": Canned(HEAD + b"content-length: x\r\n\r\n{}"),
    "two lengths": Canned(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", "close"),
    "a negative length": Canned(HEAD + b"content-length: -1\r\n\r\n{}"),
    "chunks that are none": Canned(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "a cut chunk": Canned(HEAD + b"transfer-encoding: chunked\r\n\r\nff\r\n{}", "close"),
    "chunks without an end": Canned(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", "close"),
    "a huge head": Canned(b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"b" * (1 << 21) + b"\r\n\r\n"),
    "many headers": Canned(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 300_000 + b"\r\n"),
    "half a head": Canned(b"HTTP/1.1 200", "close"), "no HTTP": Canned(b"220 mail ready\r\n"),
    "TLS": Canned(b"\x15\x03\x01\x00\x02\x02\x46", "close"), "HTTP/2": Canned(b"PRI * HTTP/2.0\r\n\r\nSM", "close"),
    "HTTP/0.9": Canned(b"{}", "close"), "a reset": Canned(then="abort"), "a close": Canned(then="close"),
    "a reset after the head": Canned(HEAD + b"content-length: 9\r\n\r\n", "abort"), "silence": Canned(then="hang"),
    "a head and silence": Canned(HEAD + b"content-length: 9\r\n\r\n", "hang"),
    "only interim answers": Canned(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, "close"),
    "an upgrade": Canned(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    **{f"status {status}": canned({"error": {"message": "no"}}, status) for status in (
        201, 202, 204, 206, 300, 304, 400, 402, 406, 408, 409, 410, 411, 415, 418, 421, 424, 425, 426, 431, 451, 498,
        499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 524, 529, 599)},
    "a redirect without a place": canned(b"", 302), "an error in a list": canned([{"error": {"message": "no"}}], 400),
    "an error that is a number": canned({"error": 7}, 400), "an error without words": canned({"error": {}}, 422),
    "an error of errors": canned({"error": {"message": {"error": {"message": ["no"]}}}}, 400),
    "an error in a 200": canned({"error": {"message": "later", "code": 503}}),
    "no choices": given(choices=[]), "choices null": given(choices=None), "choices an object": given(choices={"0": {}}),
    "choices of text": given(choices=["4"]), "a choice without message": given(choices=[{"index": 0}]),
    "a message of text": given(choices=[{"message": "4"}]), "content a number": message(content=4),
    "content true": message(content=True), "tool calls of text": message(content="", tool_calls="f()"),
    "tool calls of numbers": message(tool_calls=[1]),
}  # fmt: skip
ANSWERS = {
    "usage null": given(usage=None), "usage a list": given(usage=[1]), "usage in words": given(usage="many"),
    "usage below zero": given(usage={"prompt_tokens": -5}),
    "usage huge": given(usage={"prompt_tokens": 2**63, "completion_tokens": 1e300}),
    "usage of texts": given(usage={"prompt_tokens": "12", "completion_tokens": "x"}),
    "usage of fractions": given(usage={"prompt_tokens": 1.5, "completion_tokens": 0.1}),
    "an index in words": given(choices=[{"index": "0", "message": {"content": "4"}, "finish_reason": "stop"}]),
    "an index that is a list": given(choices=[{"index": [], "message": {"content": "4"}}]),
    "a model that is an object": given(model={"a": 1}), "a refusal that is a number": message(content="4", refusal=7),
    "parts of all kinds": message(content=[None, 7, {}, {"type": "image_url"}, {"text": {"value": "4"}}, {"text": 9}]),
    "one part": message(content={"type": "text", "text": "4"}), "reasoning a number": message(content="4", reasoning=7),
    "log-probabilities nobody asked for": given(choices=[{"message": {"content": "4"}, "logprobs": 7}]),
    "a packed answer": sized(gzip.compress(FINE)), "a surrogate": sized(FINE.replace(b'"4"', b'"4","x":"\\ud800"')),
    "UTF-16 answer": sized(FINE.decode().encode("utf-16")), "marked answer": sized(b"\xef\xbb\xbf" + FINE),
}  # fmt: skip


async def answered(kinds: dict[str, Canned]) -> dict[str, Reply | EndpointError]:
    """Asks once for every kind, each with a backend of its own on one server."""
    engine = Engine(prefill_ms=1.0, tpot_ms=0.0)
    found: dict[str, Reply | EndpointError] = {}
    async with engine.serve() as url:
        for name, answer in kinds.items():
            engine.script.append(answer)
            backend = OpenAI(f"openai:{url}:m?tries=1&timeout_s=1&deadline_s=1")
            try:
                found[name] = await asyncio.wait_for(backend.answer(ASK), 10)
            except EndpointError as error:
                found[name] = error
            finally:
                await backend.close()
                engine.script.clear()
    return found


def test_what_is_no_answer_is_a_failed_call_or_ends_the_run_with_words() -> None:
    found = asyncio.run(answered(BYTES))
    assert len(found) + len(ANSWERS) >= 90
    for name, reply in found.items():
        words = str(reply) if isinstance(reply, EndpointError) else reply.error
        assert words, name
        assert words.isprintable(), name
        assert "127.0.0.1" in words, name


def test_a_429_that_comes_with_status_200_is_one() -> None:
    assert ask(canned({"error": {"message": "slow", "code": "429"}}), said(), options="tries=1").text == "4"


def test_what_is_odd_but_an_answer_is_one() -> None:
    for name, reply in asyncio.run(answered(ANSWERS)).items():
        assert isinstance(reply, Reply), name
        assert (reply.error, reply.text) == (None, "4"), name
        assert 0 <= reply.prompt_tokens < 2**40, name
        assert reply.cost == 0.0, name


def test_a_small_body_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "MAX_UNPACKED", 1 << 16)
    with pytest.raises(zlib.error, match="unpacks to more than"):
        _ = Response(200, [], gzip.compress(b"\x00" * (1 << 20))).content


def test_a_second_answer_to_one_request_is_not_taken_for_the_next_ones() -> None:
    async def run() -> None:
        first, second = canned(said("a")).raw, canned(said("stray")).raw
        async with endpoint(Canned(first + second), Canned(first + second[:40]), said("b")) as (backend, server):
            texts = [(await backend.answer(ASK)).text for _ in range(3)]
            assert texts == ["a", "a", "b"]
            assert server.stats()["connections"] == 3

    asyncio.run(run())


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", "no-such-host.invalid"])
def test_a_host_that_is_none_is_no_connection(host: str) -> None:
    async def run() -> None:
        client = Client(f"http://{host}:9/v1")
        with pytest.raises(TransportError, match="no connection to"):
            await client.get("/models", 5)
        await client.close()

    asyncio.run(run())


def test_choices_stand_at_their_index_where_each_has_its_own() -> None:
    def choice(text: str, index: Any) -> dict[str, Any]:
        return {"index": index, "finish_reason": "stop", "message": {"content": text}}

    async def run(*indices: Any) -> str:
        answer = given(choices=[choice(text, index) for text, index in zip("abc", indices, strict=True)])
        async with endpoint(answer) as (backend, _):
            reply = await backend.answer(Request("m", ASK.messages, n=3))
            assert [each.index for each in reply.choices] == [0, 1, 2]
            return "".join(each.text for each in reply.choices)

    assert asyncio.run(run(2, 0, 1)) == "bca"
    assert asyncio.run(run(0, 0, 0)) == "abc"
    assert asyncio.run(run(None, "1", 2.5)) == "abc"
    assert asyncio.run(run(True, 0, 2)) == "abc"
