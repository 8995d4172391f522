"""Answers with what other models make of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.exchange import Choice, Reply, Request, Token
from schemas.messages import to_rows
from tasks.backends.embedded import Embedded
from tasks.samplers.independent import independent
from tests.support.judging import Drive
from tests.support.tuned import tuned

PROMPT = {"prompt_id": "p", "messages": to_rows("2+2?")}


def spoken(*tokens: str, logprob: float = -1.0) -> tuple[Token, ...]:
    return tuple(Token(text, logprob) for text in tokens)


def answer(scored: tuple[Token, ...] | None = None, *, outcome: Any = "ok") -> Any:
    """Answers ``4`` once in two tokens; a score has its total and tokens, or failed."""

    def say(request: Request) -> Reply:
        if request.kind == "chat":
            return Reply((Choice(0, "4", outcome, tokens=spoken("4", "<end>"), completion_tokens=2, logprob=-2.0),))
        if scored is None:
            return Reply(error="gone")
        total = sum(token.logprob for token in scored)
        return Reply((Choice(0, "", logprob=total, value=total, tokens=scored),))

    return say


def rows(script: Any, **settings: Any) -> Drive:
    return Drive(independent(PROMPT, policy="m", logprobs=True, **settings), script)


def notes(drive: Drive) -> dict[str, Any]:
    return json.loads(drive.rows[0].get("meta") or "{}")


def test_a_second_model_scores_the_whole_answer_with_its_end() -> None:
    run = rows(answer(spoken("4", "", logprob=-3.0)), reference_model="r")
    assert run.rounds == [1, 1]
    asked = run.requests[1]
    assert (asked.model, asked.kind, asked.logprobs) == ("r", "score", True)
    assert asked.messages == [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]
    assert run.rows[0]["reference_logprob"] == -6.0
    assert notes(run) == {"reference_token_logprobs": [-3.0, -3.0]}


def test_a_tuned_model_beside_it_and_who_was_asked_stands_in_the_sampling() -> None:
    run = rows(answer(spoken("4", "<end>")), reference_model="r", model="t")
    assert [request.model for request in run.requests] == ["m", "r", "t"]
    assert notes(run) == {"reference_token_logprobs": [-1.0, -1.0], "tuned_token_logprobs": [-1.0, -1.0]}
    sampling = json.loads(run.rows[0]["sampling"])
    assert (sampling["reference"], sampling["tuned"]) == ("r", "t")
    assert "reference" not in json.loads(rows(answer()).rows[0]["sampling"])


def test_an_answer_is_scored_once_however_often_it_was_given() -> None:
    twice = Reply(tuple(Choice(i, "4", tokens=spoken("4", "<end>")) for i in range(2)))
    run = rows(lambda q: twice if q.kind == "chat" else answer(spoken("4", "<end>"))(q), reference_model="r", n=2)
    assert run.rounds == [1, 1]
    assert [row["reference_logprob"] for row in run.rows] == [-2.0, -2.0]


@pytest.mark.parametrize(
    "scored",
    [pytest.param(spoken("4"), id="fewer tokens"), pytest.param(spoken("4", "!", "<end>", "?"), id="more tokens"),
     pytest.param(spoken("5", "<end>"), id="another token"), pytest.param((), id="no tokens")],
)  # fmt: skip
def test_another_cut_of_the_text_gives_no_numbers_a_token(scored: tuple[Token, ...]) -> None:
    run = rows(answer(scored), reference_model="r")
    assert run.rows[0]["reference_logprob"] == sum(token.logprob for token in scored)
    assert notes(run) == {}


def test_a_sample_without_its_end_token_is_matched_up_to_it() -> None:
    def script(request: Request) -> Reply:
        if request.kind == "score":
            return answer(spoken("4", "<end>", logprob=-3.0))(request)
        return Reply((Choice(0, "4", tokens=spoken("4")),))

    assert notes(rows(script, reference_model="r")) == {"reference_token_logprobs": [-3.0]}


def test_half_a_character_matches_what_has_no_text() -> None:
    def script(request: Request) -> Reply:
        if request.kind == "score":
            return answer(spoken("", "\ufffd", "<end>"))(request)
        return Reply((Choice(0, "é", tokens=spoken("\ufffd", "\ufffd", "<end>")),))

    run = rows(script, reference_model="r")
    assert notes(run) == {"reference_token_logprobs": [-1.0, -1.0, -1.0]}


def test_a_score_that_failed_leaves_the_numbers_out_and_the_answer_in() -> None:
    run = rows(answer(None), reference_model="r")
    assert run.rows[0].get("reference_logprob") is None
    assert notes(run) == {}
    assert run.rows[0]["finish_reason"] == "stop"


def test_an_answer_that_is_none_is_not_scored() -> None:
    assert rows(answer(spoken("4", "<end>"), outcome="truncated"), reference_model="r").rounds == [1]


def test_what_the_embedded_policy_sampled_and_scores_agree_and_a_tuned_copy_differs(tmp_path: Path) -> None:
    other = tuned(tmp_path / "tuned")
    prompt = {"prompt_id": "p", "messages": to_rows("Compute 12 * 4 + 7.")}

    async def run() -> list[dict[str, Any]]:
        models = {"embedded": Embedded(), f"embedded:{other}": Embedded(other)}
        try:
            exchange = independent(
                prompt, policy="embedded", n=3, logprobs=True, max_tokens=96, reference_model="embedded",
                model=f"embedded:{other}",
            )  # fmt: skip
            asked = next(exchange)
            while True:
                asked = exchange.send([await models[request.model].answer(request) for request in asked])
        except StopIteration as end:
            return list(end.value)
        finally:
            for model in models.values():
                await model.close()

    found = [row for row in asyncio.run(run()) if row["finish_reason"] == "stop"]
    assert found
    for row in found:
        told = json.loads(row["meta"])
        assert told["reference_token_logprobs"] == [pytest.approx(v, abs=1e-5) for v in row["token_logprobs"]]
        assert row["reference_logprob"] == pytest.approx(row["logprob"], abs=1e-4)
        assert len(told["tuned_token_logprobs"]) == len(row["tokens"])
        assert max(abs(a - b) for a, b in zip(told["tuned_token_logprobs"], row["token_logprobs"], strict=True)) > 0.01
