"""The log-probability of given text at an endpoint, over a real socket.

The simulated engine cuts text into pieces of five characters, each with an eighth of its length below zero.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.engine import Canned, canned
from schemas.errors import EndpointError
from schemas.exchange import Reply, Request, Token
from tasks.backends.openai import OpenAI
from tests.support.endpoints import endpoint

TALK = ({"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Hello you"})


def score(*requests: Request, script: tuple[Canned | dict[str, Any] | None, ...] = (), options: str = "tries=2") -> Any:
    """Returns the replies, asked for one after the other, and what the endpoint was sent."""

    async def run() -> tuple[list[Reply], list[dict[str, Any]]]:
        async with endpoint(*script, options=options) as (backend, server):
            return [await backend.answer(request) for request in requests], list(server.seen)

    return asyncio.run(run())


def spoken(**fields: Any) -> Request:
    return Request("m", **{"messages": TALK, "kind": "score", "logprobs": True, **fields})


def test_a_text_is_scored_from_its_second_token_on_and_what_was_sampled_after_it_is_left_out() -> None:
    (reply,), (sent,) = score(Request("m", kind="score", text="2 + 2 = 4 ok", logprobs=True))
    choice = reply.choices[0]
    assert choice.tokens == (Token(" = 4 ", -0.625), Token("ok", -0.25))
    assert choice.value == choice.logprob == -0.875
    assert (sent["echo"], sent["max_tokens"], sent["prompt"]) == (True, 1, "2 + 2 = 4 ok")


def test_an_answer_is_scored_with_its_end_and_no_further() -> None:
    (reply,), _ = score(spoken())
    choice = reply.choices[0]
    assert [token.text for token in choice.tokens] == ["Hello", " you", "<end>"]
    assert choice.value == pytest.approx(-(5 + 4 + 5) / 8)


def test_the_start_of_an_answer_is_scored_without_an_end() -> None:
    (reply,), _ = score(spoken(messages=TALK[:1], prefix="Hello you"))
    assert [token.text for token in reply.choices[0].tokens] == ["Hello", " you"]


def test_tokens_are_left_out_where_they_were_not_asked_for() -> None:
    (reply,), _ = score(spoken(logprobs=False))
    assert reply.choices[0].tokens == ()
    assert reply.choices[0].value == pytest.approx(-14 / 8)


def test_a_prompt_is_looked_up_once_for_all_its_answers() -> None:
    other = (TALK[0], {"role": "assistant", "content": "Bye"})
    replies, sent = score(spoken(), spoken(messages=other), spoken())
    assert [reply.choices[0].value for reply in replies] == pytest.approx([-14 / 8, -8 / 8, -14 / 8])
    assert len(sent) == 2 + 1 + 3  # the template's end, the prompt, and one call an answer


def test_the_same_text_scores_the_same_and_costs_its_tokens() -> None:
    (one, two), _ = score(spoken(), spoken(), options="price_in=2&price_out=4")
    assert one.choices == two.choices
    assert one.cost == pytest.approx((one.prompt_tokens * 2 + 4) / 1e6)


ANSWER = {"object": "chat.completion", "usage": {"prompt_tokens": 9, "completion_tokens": 1}}


@pytest.mark.parametrize(
    ("request_", "script", "says"),
    [
        pytest.param(
            spoken(prefix="x"), (canned({**ANSWER, "choices": [{"message": {"content": "4"}}]}),),
            "without prompt_logprobs", id="a server that does not know the field and answers as always",
        ),
        pytest.param(
            Request("m", kind="score", text="2 + 2"),
            (canned({"choices": [{"text": "= 4", "logprobs": {"tokens": ["= 4"], "token_logprobs": [-0.1]}}]}),),
            "does not echo", id="a server that ignores echo and lists what it sampled",
        ),
        pytest.param(
            Request("m", kind="score", text="2 + 2"), (canned({"choices": [{"text": "2 + 2 = 4"}]}),), "does not echo",
            id="a server that echoes without log-probabilities",
        ),
        pytest.param(
            Request("m", kind="score", text="2 + 2"), (canned({"error": {"message": "no such route"}}, 404),),
            "HTTP 404 at /completions", id="a chat-only endpoint",
        ),
        pytest.param(
            Request("m", kind="score", text="2 + 2"), (canned({"error": {"message": "echo is not supported"}}, 400),),
            "echo is not supported", id="a refusal in words",
        ),
        pytest.param(
            Request("m", kind="score", text="ab"),
            (canned({"choices": [{"text": "ab!", "logprobs": {"tokens": ["a", "b", "!"],
                     "token_logprobs": [None, -9999.0, -1.0]}}], "usage": {"completion_tokens": 1}}),),
            "no probability at all", id="minus infinity as engines write it",
        ),
        pytest.param(
            Request("m", kind="score", text="ab"),
            (canned({"choices": [{"text": "ab!", "logprobs": {"tokens": ["a", "b", "!"],
                     "token_logprobs": [None, None, -1.0]}}], "usage": {"completion_tokens": 1}}),),
            "without its log-probability", id="a hole in the list",
        ),
        pytest.param(spoken(messages=TALK[:1]), (), "do not end with the assistant's text", id="nothing to score"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_an_error_that_says_why_and_never_a_number(
    request_: Request, script: tuple[Canned, ...], says: str
) -> None:
    (reply,), _ = score(request_, script=script)
    assert reply.choices == ()
    assert says in (reply.error or "")


def test_an_endpoint_that_cannot_is_not_asked_again_and_again() -> None:
    refusal = canned({"error": {"message": "no such route"}}, 404)
    text = Request("m", kind="score", text="2 + 2")
    replies, sent = score(text, text, spoken(), script=(refusal,))
    assert [bool(reply.error) for reply in replies] == [True, True, False]
    assert sum("prompt" in body for body in sent) == 1


def test_a_passing_fault_is_waited_out() -> None:
    (reply,), sent = score(
        Request("m", kind="score", text="2 + 2 = 4"), options="tries=3",
        script=(canned({"error": "busy"}, 503), canned({"error": "slow down"}, 429, {"retry-after": "0.01"})),
    )  # fmt: skip
    assert reply.error is None
    assert len(sent) == 3


def test_a_refused_key_ends_the_run() -> None:
    with pytest.raises(EndpointError, match="bad key"):
        score(Request("m", kind="score", text="2 + 2"), script=(canned({"error": {"message": "bad key"}}, 401),))


def test_no_message_shows_the_key() -> None:
    async def run() -> Reply:
        async with endpoint(canned({"error": {"message": "echo? not for top-secret-key"}}, 400)) as (backend, _):
            keyed = OpenAI(f"openai:{backend.endpoint}:m", key="top-secret-key")
            try:
                return await keyed.answer(Request("m", kind="score", text="2 + 2"))
            finally:
                await keyed.close()

    error = asyncio.run(run()).error or ""
    assert "echo? not for ***" in error
    assert "secret" not in error


def test_an_endpoint_whose_address_does_not_end_in_v1_is_asked_below_it() -> None:
    async def run() -> tuple[Reply, list[dict[str, Any]]]:
        async with endpoint() as (backend, server):
            plain = OpenAI(f"openai:{backend.endpoint.removesuffix('/v1')}:m")
            try:
                return await plain.answer(spoken()), list(server.seen)
            finally:
                await plain.close()

    reply, sent = asyncio.run(run())
    assert reply.choices[0].value == pytest.approx(-14 / 8)
    assert len(sent) == 4


def test_nobody_there_ends_the_run() -> None:
    async def run() -> None:
        async with endpoint(options="tries=2") as (backend, _):
            pass
        await backend.answer(Request("m", kind="score", text="2 + 2"))

    with pytest.raises(EndpointError, match="does not answer"):
        asyncio.run(run())


def test_a_replica_that_is_gone_is_passed_over() -> None:
    async def run() -> tuple[list[Reply], int]:
        async with endpoint() as (gone, _):
            dead = gone.endpoint
        async with endpoint() as (_, server), server.serve() as url:
            backend = OpenAI(f"openai:{dead},{url}:m?tries=3")
            try:
                return [await backend.answer(spoken()) for _ in range(4)], len(server.seen)
            finally:
                await backend.close()

    replies, sent = asyncio.run(run())
    assert [reply.error for reply in replies] == [None] * 4
    assert {reply.choices[0].value for reply in replies} == {-14 / 8}
    assert sent == 2 + 1 + 4
