"""What a request becomes on the wire, and how its samples come together."""

from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.engine import canned
from schemas.exchange import Reply, Request, Token
from tests.support.endpoints import ASK, ask, endpoint, said


def sent(request: Request, options: str = "", answer: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns the body that a request becomes."""

    async def run() -> dict[str, Any]:
        async with endpoint(answer or said(), options=options) as (backend, server):
            await backend.answer(request)
            return dict(server.seen[0])

    return asyncio.run(run())


def test_a_request_is_sent_whole() -> None:
    schema = {"type": "object"}
    tool = {"type": "function", "function": {"name": "f"}}
    body = sent(Request(
        "m", ASK.messages, prefix="It is", temperature=0.5, top_p=0.9, max_tokens=7, stop=("\n",), seed=40, first=2,
        logprobs=True, top_logprobs=3, schema=schema, tools=(tool,), template="v1", extra={"top_k": 5},
    ))  # fmt: skip
    assert body == {
        "model": "m", "temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "seed": 42, "stop": ["\n"],
        "messages": [*ASK.messages, {"role": "assistant", "content": "It is"}],
        "continue_final_message": True, "add_generation_prompt": False, "logprobs": True, "top_logprobs": 3,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}},
        "tools": [tool], "top_k": 5,
    }  # fmt: skip


def test_raw_text_goes_to_the_completions_route_and_its_log_probabilities_are_read() -> None:
    request = Request("m", kind="complete", text="2 + 2 =", prefix=" ", logprobs=True, top_logprobs=1)
    answer = {"choices": [{"text": "4", "finish_reason": "stop", "index": 0, "logprobs": {
        "tokens": ["2", "4"], "token_logprobs": [None, -0.5], "top_logprobs": [None, {"4": -0.5}],
    }}]}  # fmt: skip
    assert sent(request, answer=answer)["prompt"] == "2 + 2 = "
    choice = ask(answer, request=request).choices[0]
    assert (choice.text, choice.logprob, choice.tokens) == ("4", -0.5, (Token("4", -0.5, (("4", -0.5),)),))


def test_several_samples_come_in_one_request_under_their_own_indices() -> None:
    async def run() -> tuple[Reply, dict[str, int]]:
        async with endpoint() as (backend, server):
            return await backend.answer(Request("m", ASK.messages, n=4, first=8, seed=3)), server.stats()

    reply, stats = asyncio.run(run())
    assert [choice.index for choice in reply.choices] == [8, 9, 10, 11]
    assert sum(choice.completion_tokens for choice in reply.choices) > 4
    assert stats["requests"] == 1


def test_an_endpoint_that_gives_one_of_four_is_asked_for_the_rest_and_then_one_by_one() -> None:
    async def run() -> None:
        four = Request("m", ASK.messages, n=4, seed=5)
        async with endpoint(*(said(text) for text in "abcdefgh")) as (backend, server):
            first, second = await backend.answer(four), await backend.answer(four)
            assert sorted(choice.text for choice in first.choices) == ["a", "b", "c", "d"]
            assert [choice.index for choice in first.choices] == [0, 1, 2, 3]
            assert sorted(choice.text for choice in second.choices) == ["e", "f", "g", "h"]
            assert [(body.get("n"), body["seed"]) for body in server.seen][:1] == [(4, 5)]
            assert sorted(body["seed"] for body in list(server.seen)[1:4]) == [6, 7, 8]
            assert all("n" not in body for body in list(server.seen)[1:])
            assert first.cost == 0.0
            assert first.prompt_tokens == 10

    asyncio.run(run())


def test_what_came_is_kept_when_the_rest_fails() -> None:
    refused = canned({"error": {"message": "too long"}}, 400)
    reply = ask(said("a"), said("b"), refused, request=Request("m", ASK.messages, n=3))
    assert reply.error is None
    assert sorted((choice.outcome, choice.text) for choice in reply.choices) == [
        ("error", ""),
        ("ok", "a"),
        ("ok", "b"),
    ]
    assert any("too long" in choice.finish_reason for choice in reply.choices)


def test_an_endpoint_that_refuses_n_is_asked_one_by_one() -> None:
    refused = canned({"error": {"message": "Invalid value: 'n' must be 1", "param": "n"}}, 400)
    reply = ask(refused, said("a"), said("b"), request=Request("m", ASK.messages, n=2))
    assert sorted(choice.text for choice in reply.choices) == ["a", "b"]


def test_an_endpoint_that_wants_another_name_for_the_limit_gets_it() -> None:
    async def run() -> list[str]:
        message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        async with endpoint(canned({"error": {"message": message}}, 400), said(), said()) as (backend, server):
            for _ in range(2):
                assert (await backend.answer(ASK)).text == "4"
            return [next(name for name in body if name.startswith("max_")) for body in server.seen]

    assert asyncio.run(run()) == ["max_tokens", "max_completion_tokens", "max_completion_tokens"]
