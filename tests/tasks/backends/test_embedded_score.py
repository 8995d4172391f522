"""Log-probabilities of given texts by the embedded policy, against what it samples."""

from __future__ import annotations

import asyncio
import math

import pytest

from schemas.exchange import Request
from tasks.backends.embedded import Embedded

QUESTION = [{"role": "user", "content": "7 + 5 * 2"}]


def answers(*requests):
    async def run():
        backend = Embedded(None)
        try:
            return [await backend.answer(request) for request in requests]
        finally:
            await backend.close()

    return asyncio.run(run())


def score(messages=QUESTION, **more):
    return Request(model="embedded", kind="score", messages=messages, **more)


def test_a_sampled_answer_scores_what_it_was_sampled_with():
    (sampled,) = answers(Request(model="embedded", messages=QUESTION, n=3, seed=5, max_tokens=96, logprobs=True))
    whole = [choice for choice in sampled.choices if choice.finish_reason == "stop"]
    assert whole
    said = [[*QUESTION, {"role": "assistant", "content": choice.text}] for choice in whole]
    for choice, reply in zip(whole, answers(*map(score, said)), strict=True):
        # the same text may be cut into other tokens than it was sampled as: then it is a little less likely
        assert reply.choices[0].value <= choice.logprob + 1e-3
        assert reply.choices[0].outcome == "ok"
    exact = [
        abs(reply.choices[0].value - choice.logprob)
        for choice, reply in zip(whole, answers(*map(score, said)), strict=True)
    ]
    assert min(exact) < 1e-3


def test_a_prefix_is_scored_without_an_end_and_its_tokens_add_up():
    begun, ended = answers(
        score(prefix="Step 1", logprobs=True), score([*QUESTION, {"role": "assistant", "content": "Step 1"}])
    )
    tokens = begun.choices[0].tokens
    assert "".join(token.text for token in tokens) == "Step 1"
    assert begun.choices[0].value == pytest.approx(math.fsum(token.logprob for token in tokens))
    assert ended.choices[0].value < begun.choices[0].value
    assert ended.choices[0].tokens == ()


def test_a_bare_text_is_scored_from_its_second_token_on():
    (reply,) = answers(Request(model="embedded", kind="score", text="Step 1: 5 * 2 = 10", logprobs=True))
    assert reply.choices[0].value == pytest.approx(sum(token.logprob for token in reply.choices[0].tokens))
    assert reply.choices[0].value < 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (score(), "do not end with the assistant's text"),
        (score(prefix=""), "one must be left"),
        (score(prefix="1 " * 3000), "fit"),
        (score(prefix="1", extra={"top_k": 3}), "knows no top_k"),
    ],
)
def test_what_cannot_be_scored_is_an_error(request_, message):
    (reply,) = answers(request_)
    assert reply.choices == ()
    assert message in reply.error
