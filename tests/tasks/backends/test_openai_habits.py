"""What endpoints refuse, in their own words, and how they are asked then."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from benchmarks.engine import canned
from schemas.exchange import Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_wire as wire
from tasks.backends.openai_habits import Habits
from tests.support.endpoints import ASK, ask, endpoint, said

FULL = Request(
    "m", ASK.messages, n=4, temperature=0.7, top_p=0.9, seed=3, logprobs=True, top_logprobs=20,
    schema={"type": "object"}, template="v1",
)  # fmt: skip


def pydantic(*loc: str, words: str = "Extra inputs are not permitted") -> dict[str, Any]:
    return {"detail": [{"type": "extra_forbidden", "loc": list(loc), "msg": words, "input": 1}]}


def openai(words: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": words, "type": "invalid_request_error", "param": param, "code": None}}


def learned(body: dict[str, Any], request: Request = FULL) -> tuple[dict[str, Any], Habits]:
    """The body that is sent after a refusal, and the habits."""
    habits = Habits()
    before = orjson.loads(wire.body(request, "m", habits))
    habits.learn(faults.message_of(body), faults.param_of(body), before)
    return orjson.loads(wire.body(request, "m", habits)), habits


@pytest.mark.parametrize(
    "body",
    [
        openai("Only one completion choice is allowed"),
        openai("Invalid value: 'n' must be 1", "n"),
        openai("Invalid n value (currently only n = 1 is supported)"),
        openai("'n' : number must be at most 1 with this model"),
        openai("n must be 1 when using greedy sampling, got 4."),
        openai("Multiple candidates is not enabled for this model"),
        openai("Only one candidate can be specified in the current model"),
        openai("This model does not support multiple completions."),
        openai("Unsupported parameter: `n`"),
        pydantic("body", "n"),
        pydantic("body", "n", words="Input should be less than or equal to 1"),
        {"object": "error", "message": pydantic("body", "n"), "type": "invalid_request_error"},
    ],
)
def test_every_refusal_of_n_asks_one_by_one(body: dict[str, Any]) -> None:
    assert learned(body)[1].one_at_a_time


@pytest.mark.parametrize(
    ("body", "gone"),
    [
        (openai("Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is "
                "supported.", "temperature"), "temperature"),
        (openai("`temperature` is deprecated for this model."), "temperature"),
        (openai("Unsupported parameter: 'top_p' is not supported with this model.", "top_p"), "top_p"),
        (openai("top_p: Extra inputs are not permitted"), "top_p"),
        (openai("top_p must be 1 when using greedy sampling."), "top_p"),
        (openai("Argument not supported on this model: seed"), "seed"),
        (openai('Invalid JSON payload received. Unknown name "seed": Cannot find field.'), "seed"),
        ([{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}], "seed"),
        (pydantic("body", "seed"), "seed"),
        (openai("Unsupported parameter: 'seed'. Supported parameters: temperature, top_p, max_tokens."), "seed"),
        (openai("`logprobs` is not supported with this model"), "logprobs"),
        (openai("deepseek-reasoner does not support the parameter logprobs"), "logprobs"),
        (openai("This response_format type is unavailable now"), "response_format"),
        (openai("This model does not support response format `json_schema`."), "response_format"),
        (openai("Unrecognized request argument supplied: top_logprobs"), "top_logprobs"),
    ],
)  # fmt: skip
def test_a_field_that_is_refused_is_left_out_and_no_other(body: Any, gone: str) -> None:
    before, (after, _) = orjson.loads(wire.body(FULL, "m", Habits())), learned(body)
    lost = {gone} | ({"top_logprobs"} if gone == "logprobs" else set())
    assert after == {name: value for name, value in before.items() if name not in lost}


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (
            "Invalid value for 'top_logprobs': integer above maximum value. Expected a value <= 5, but got 20 instead.",
            5,
        ),
        ("top_logprobs must be less than or equal to 8", 8),
        ("Requested sample logprobs of 20, which is greater than max allowed: 10", 10),
        ("top_logprobs must be between 0 and 5", 5),
        ("top_logprobs should be in the range [0, 20)", 19),
    ],
)
def test_a_bound_of_alternatives_is_kept_to(words: str, most: int) -> None:
    body, _ = learned(openai(words))
    assert (body["logprobs"], body["top_logprobs"]) == (True, most)


@pytest.mark.parametrize(
    "words",
    [
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "temperature and top_p may not be set at the same time",
    ],
)
def test_of_temperature_and_top_p_the_one_that_is_1_is_left_out(words: str) -> None:
    body, habits = learned(openai(words))
    assert ("temperature" in body, "top_p" in body) == (True, False)
    nucleus = Request("m", ASK.messages, temperature=1.0, top_p=0.9)
    assert "temperature" not in orjson.loads(wire.body(nucleus, "m", habits))


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens: Extra inputs are not permitted",
    ],
)
def test_the_limit_of_tokens_has_another_name(words: str) -> None:
    body, _ = learned(openai(words))
    assert ("max_tokens" in body, body["max_completion_tokens"]) == (False, 1024)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, your request has 5000 tokens; 'max_tokens' or "
        "'max_completion_tokens' is too large",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Invalid value for 'temperature': must be between 0 and 0.5",
        "temperature: Input should be less than or equal to 0.5",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 512]",
        "the messages must alternate between user and assistant",
        "internal error",
    ],
)
def test_what_is_no_refusal_of_a_field_changes_nothing(words: str) -> None:
    assert learned(openai(words))[0] == orjson.loads(wire.body(FULL, "m", Habits()))


@pytest.mark.parametrize("status", [400, 422, 500])
def test_every_call_in_flight_is_asked_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> list[Reply]:
        refusal = canned(openai("Unsupported value: 'temperature' does not support 0.5 with this model."), status)
        async with endpoint(*[refusal] * 20, options="tries=1") as (backend, server):
            asked = [Request("m", ASK.messages, temperature=0.5, seed=number) for number in range(20)]
            replies = await asyncio.gather(*(backend.answer(request) for request in asked))
            assert [body for body in list(server.seen)[20:] if "temperature" in body] == []
            assert len(backend.learnt) == 1
            return list(replies)

    assert {reply.outcome for reply in asyncio.run(run())} == {"ok"}
    assert sum("it refuses temperature" in record.message for record in caplog.records) == 1


def test_a_refusal_of_n_loses_no_sample_of_any_call_in_flight() -> None:
    async def run() -> list[Reply]:
        refusal = canned(openai("Only one completion choice is allowed"), 400)
        async with endpoint(*[refusal] * 10, options="tries=1") as (backend, _):
            asked = [Request("m", ASK.messages, n=3, seed=10 * number) for number in range(10)]
            return list(await asyncio.gather(*(backend.answer(request) for request in asked)))

    for reply in asyncio.run(run()):
        assert [(choice.index, choice.outcome) for choice in reply.choices] == [(0, "ok"), (1, "ok"), (2, "ok")]


def test_a_judge_that_needs_log_probabilities_fails_and_a_sample_goes_without() -> None:
    async def run() -> tuple[Reply, Reply, Reply]:
        refusal = canned(openai("`logprobs` is not supported with this model"), 400)
        async with endpoint(refusal, said(), said()) as (backend, server):
            judge = Request("m", ASK.messages, logprobs=True, top_logprobs=5, template="v1")
            sample = Request("m", ASK.messages, logprobs=True, top_logprobs=5)
            replies = [await backend.answer(request) for request in (judge, sample, judge)]
            assert len(server.seen) == 2
            return replies[0], replies[1], replies[2]

    first, sample, second = asyncio.run(run())
    assert "gives no log-probabilities, which this judge reads" in str(first.error)
    assert second.error == first.error
    assert (sample.outcome, sample.text, sample.choices[0].logprob) == ("ok", "4", None)


def test_a_judges_answer_without_its_log_probabilities_is_unclear_and_kept() -> None:
    judge = Request("m", ASK.messages, logprobs=True, top_logprobs=5, template="v1")
    choice = ask(said(), request=judge).choices[0]
    assert (choice.outcome, choice.text, choice.finish_reason) == ("unclear", "4", "no log-probabilities")


def test_the_spec_adds_and_drops_fields_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "very-secret")
    options = 'drop=top_p,seed&add.reasoning_effort=low&add.provider={"sort":"price"}&header.X-Key=$GATEWAY_KEY'

    async def run() -> None:
        async with endpoint(canned(b"no very-secret", 400), options=options) as (backend, server):
            reply = await backend.answer(Request("m", ASK.messages, seed=3))
            body, headers = server.seen[0], server.headers[0]
            assert not {"top_p", "seed"} & set(body)
            assert (body["reasoning_effort"], body["provider"]) == ("low", {"sort": "price"})
            assert headers[b"x-key"] == b"very-secret"
            assert "very-secret" not in backend.spec + str(reply.error)
            assert backend.spec.endswith(
                ":m?add.provider=%7B%22sort%22%3A%22price%22%7D&add.reasoning_effort=%22low%22&drop=seed,top_p"
            )

    asyncio.run(run())
