"""Whatever a server makes of its JSON, what is read is a reply that the ledger and the lake take, or a wire error."""

from __future__ import annotations

import copy
import math
from random import Random
from typing import Any

import orjson
import polars as pl

from schemas.exchange import Choice, Reply, Request
from schemas.tables import COMPLETIONS, conform
from storage.ledger_rows import decode, encode, key_of, to_call
from tasks.backends import openai_replies as replies
from tasks.backends import openai_wire as wire
from tasks.samplers._rows import completion
from tests.support.endpoints import ASK

MUTANTS = 12_000
TOKEN = {
    "token": "4",
    "logprob": -0.25,
    "top_logprobs": [{"token": "4", "logprob": -0.25}, {"token": "5", "logprob": -2}],
}
CHAT: list[dict[str, Any]] = [
    {
        "id": "a", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "f",
        "choices": [
            {"index": 0, "finish_reason": "stop", "logprobs": {"content": [TOKEN]},
             "message": {"role": "assistant", "content": "4", "refusal": None, "tool_calls": [], "annotations": []}},
            {"index": 1, "finish_reason": "length", "message": {"role": "assistant", "content": "<think>hm</think>5"}},
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4},
                  "completion_tokens_details": {"reasoning_tokens": 2}},
    },
    {
        "choices": [{"finish_reason": "tool_calls", "message": {
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "x"}],
            "reasoning_details": [{"type": "reasoning.text", "text": "so"}], "reasoning_content": "so",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "function_call": {"name": "f", "arguments": "{}"}}}],
        "usage": {"input_tokens": 3, "output_tokens": "7"},
    },
]  # fmt: skip
TEXT: list[dict[str, Any]] = [{"choices": [{"index": 0, "text": " 4", "finish_reason": "eos", "logprobs": {
    "tokens": [" ", "4"], "token_logprobs": [None, -0.5], "top_logprobs": [None, {"4": -0.5}]}}]}]  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3.5, -0.0, 2**31, 2**53, 2**63, 2**64 - 1, -(2**63), 1e308, -1e308, 5e-324, "",
    " ", "4", "stop", "STOP", "SAFETY", "\x00", "\ufeff", "é漢😀", "x" * 5000, "<think>", "</think>", "1e9", "-3",
    "NaN", [], {}, [[]], [None], [{}], {"a": None}, {"text": 3}, [["a", -1]], [{"token": None}], {"content": 7},
)  # fmt: skip
REQUESTS = (
    Request("m", ASK.messages, n=2, logprobs=True, top_logprobs=2, template="v1"), Request("m", ASK.messages, n=3),
    Request("m", ASK.messages, prefix="<think>a", first=5),
)  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    inside = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in inside] + [place for _, item in inside for place in places(item)]


def mutant(document: dict[str, Any], random: Random) -> bytes:
    """A document with a few of its values exchanged, removed, doubled or wrapped, or its bytes cut or changed."""
    whole = copy.deepcopy(document)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        held = places(whole)
        if not held:
            break
        container, key = random.choice(held)
        kind = random.randrange(6)
        if kind < 3:
            container[key] = copy.deepcopy(random.choice(ODD))
        elif kind == 3:
            del container[key]
        elif kind == 4:
            container[key] = [container[key]] * random.randrange(3)
        else:
            container[key] = {"value": container[key]} if random.random() < 0.5 else str(container[key])
    data = orjson.dumps(whole)
    if random.random() < 0.1:
        at = random.randrange(len(data))
        data = data[:at] if random.random() < 0.5 else data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
    return data


def read(data: bytes, request: Request) -> Reply | None:
    """The reply in an answer, or null where there is none in it."""
    try:
        document = wire.parse(data)
        used = replies.usage(document)
        choices = replies.choices(document, request, used)
    except wire.WireError:
        return None
    return Reply(tuple(choices), prompt_tokens=used.prompt, cached_tokens=used.cached)


def test_every_mutant_of_an_answer_is_a_reply_that_can_be_kept_or_a_wire_error() -> None:
    random, taken, rows = Random(7), 0, []
    for number in range(MUTANTS):
        text = number % 5 == 0
        request = Request("m", kind="complete", text="2", logprobs=True) if text else REQUESTS[number % 3]
        reply = read(mutant(random.choice(TEXT if text else CHAT), random), request)
        if reply is None:
            continue
        taken += 1
        assert 0 < len(reply.choices) <= request.n
        assert [choice.index for choice in reply.choices] == [request.first + i for i in range(len(reply.choices))]
        assert 0 <= reply.cached_tokens <= reply.prompt_tokens <= replies.MOST_TOKENS
        for choice in reply.choices:
            check(choice)
        call = to_call(request, b"{}", key_of(b"{}"), reply, None, 0)
        if call is not None:
            assert call.completion_tokens < 2**40
            assert decode(call.choices) == [choice for choice in reply.choices if choice.outcome != "error"]
        if number % 50 == 0:
            rows += [completion(choice, reply, request, {}) for choice in reply.choices]
    assert MUTANTS / 4 < taken < MUTANTS
    ids = {name: [str(number) for number in range(len(rows))] for name in ("completion_id", "prompt_id", "run_id")}
    frame = pl.DataFrame(rows, schema_overrides={"reasoning": pl.String, "seed": pl.Int64}, infer_schema_length=None)
    frame = frame.with_columns(
        policy=pl.lit("m"), fingerprint=pl.lit(""), created_at=pl.lit(0).cast(pl.Datetime("us", "UTC"))
    )
    assert conform(COMPLETIONS, frame.with_columns(**{name: pl.Series(ids[name]) for name in ids})).num_rows == len(
        rows
    )


def check(choice: Choice) -> None:
    """Asserts what everything behind the wire relies on."""
    assert isinstance(choice.text, str)
    assert choice.outcome != "ok" or choice.text or choice.tool_calls
    assert 0 <= choice.answer_tokens <= choice.completion_tokens <= replies.MOST_TOKENS
    assert choice.logprob is None or math.isfinite(choice.logprob)
    assert all(token.logprob <= 0.01 for token in choice.tokens)
    assert choice.reasoning is None or isinstance(choice.reasoning, str)
    assert decode(encode([choice])) == [choice]


def test_bytes_that_are_no_json_of_any_kind_are_wire_errors() -> None:
    random = Random(11)
    for _ in range(2_000):
        assert read(random.randbytes(random.randrange(200)), ASK) is None
