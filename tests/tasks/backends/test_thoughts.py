"""Thoughts and answer, told apart; and why answers end, in every server's words."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.exchange import Choice, Reply, Request
from tasks.backends import finish_reasons, thoughts
from tasks.samplers._rows import completion
from tests.support.endpoints import ASK, ask, said


@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("<think>hm</think>\n\nanswer", "answer", "hm"),
        ("<think>\n\n</think>\n\nanswer", "answer", None),
        ("\n<think>a</think>\n<think>b</think>c", "c", "a\n\nb"),
        ("hm, so\n</think>\n\nanswer", "answer", "hm, so"),
        ("[THINK]hm[/THINK]answer", "answer", "hm"),
        ("◁think▷hm◁/think▷answer", "answer", "hm"),
        ("<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>42<|end_of_solution|>", "42", "hm"),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>42<|return|>",
            "42",
            "hm",
        ),
        ("Write `</think>` last.", "Write `</think>` last.", None),
        ("As in <think>x</think> there.", "As in <think>x</think> there.", None),
        ("```\na</think>b\n```", "```\na</think>b\n```", None),
        ("", "", None),
    ],
)
def test_thoughts_before_an_answer_are_none_of_it(text: str, answer: str, thought: str | None) -> None:
    parts = thoughts.split(text)
    assert (parts.answer, parts.thoughts, parts.unfinished) == (answer, thought, False)


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "4", "reasoning_content": "2 and 2"}, "4", "2 and 2"),
        ({"content": "4", "reasoning": "2 and 2"}, "4", "2 and 2"),
        ({"content": "4", "reasoning_details": [{"type": "reasoning.summary", "summary": "sum"}]}, "4", "sum"),
        ({"content": "4", "reasoning_details": [{"type": "reasoning.encrypted", "data": "xyz"}]}, "4", None),
        ({"content": "4", "thinking_blocks": [{"type": "thinking", "thinking": "sum"}]}, "4", "sum"),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}]}, "4", "hm"),
        ({"content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "4"}]}, "4", None),
        ({"content": [{"text": "hm", "thought": True}, {"text": "4"}]}, "4", "hm"),
        ({"content": "<think>a</think>4", "reasoning": "b"}, "4", "b\n\na"),
    ],
)
def test_thoughts_in_every_field_are_kept_apart(message: dict[str, Any], text: str, reasoning: str | None) -> None:
    choice = ask(said(**{"text": None, **message})).choices[0] if "text" in message else _choice(message)
    assert (choice.text, choice.reasoning) == (text, reasoning)


def _choice(message: dict[str, Any]) -> Choice:
    answer = said()
    answer["choices"][0]["message"] = message
    return ask(answer).choices[0]


@pytest.mark.parametrize(("finish", "outcome"), [("stop", "empty"), ("length", "truncated")])
def test_an_answer_of_nothing_but_thoughts_is_none(finish: str, outcome: str) -> None:
    reply = ask(said("<think>and on and on", finish))
    assert (reply.outcome, reply.text, reply.choices[0].reasoning) == (outcome, "", "and on and on")


def test_thoughts_are_a_column_and_no_part_of_an_answers_length_or_likelihood() -> None:
    answer = said("<think>hm</think>4")
    pieces = [("<think>", -3), ("hm", -2), ("</think>", -1), ("4", -0.5)]
    answer["choices"][0]["logprobs"] = {"content": [{"token": token, "logprob": value} for token, value in pieces]}
    request = Request("m", ASK.messages, logprobs=True)
    reply = ask(answer, request=request)
    row = completion(reply.choices[0], reply, request, {})
    assert (row["messages"][0]["content"], row["reasoning"]) == ("4", "hm")
    assert (row["completion_tokens"], row["logprob"], row["tokens"]) == (2, -0.5, ["4"])
    assert reply.choices[0].completion_tokens == 5
    plain = completion(ask(said()).choices[0], reply, request, {})
    assert row["content_id"] == plain["content_id"]


def test_thoughts_that_only_the_usage_tells_of_are_not_counted_as_answer() -> None:
    choice = ask(said("4", usage={"prompt_tokens": 1, "completion_tokens": 90,
                                  "completion_tokens_details": {"reasoning_tokens": 80}})).choices[0]  # fmt: skip
    assert (choice.completion_tokens, choice.answer_tokens, choice.reasoning) == (90, 10, None)


def test_a_prefix_that_is_amid_thoughts_is_continued_as_it_is() -> None:
    reply = ask(said("so</think>4"), request=Request("m", ASK.messages, prefix="<think>hm, "))
    assert (reply.text, reply.choices[0].reasoning) == ("so</think>4", None)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        *((reason, "ok") for reason in ("stop", "eos", "end_turn", "STOP", "COMPLETE", "tool_use", "function_call")),
        *((reason, "truncated") for reason in ("length", "max_tokens", "MAX_TOKENS", "model_length", "pause_turn")),
        *((reason, "filtered") for reason in ("content_filter", "SAFETY", "RECITATION", "FinishReason.SAFETY")),
        *((reason, "error") for reason in ("abort", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL")),
        ("refusal", "refused"),
        *(
            (reason, "unclear")
            for reason in ("FINISH_REASON_UNSPECIFIED", "other", "tired", 7, ["stop"], {"a": 1}, True)
        ),
    ],
)
def test_the_reason_an_answer_ended_is_its_outcome(reason: Any, outcome: str) -> None:
    reply = ask(said("half of it", reason))
    assert (reply.outcome, reply.text) == (outcome, "half of it")


def test_a_reason_stands_under_one_outcome_and_a_whole_answer_has_one_name() -> None:
    listed = [reason for reasons in finish_reasons.REASONS.values() for reason in reasons]
    assert len(listed) == len(set(listed))
    assert {finish_reasons.read(reason)[0] for reason in finish_reasons.REASONS["ok"]} == {"stop", "tool_calls"}


def test_an_unknown_reason_is_said_once_and_its_answer_is_not_judged(caplog: pytest.LogCaptureFixture) -> None:
    from tasks.judges._rows import judgeable

    reply: Reply = ask(said("4", "tired"))
    row = completion(reply.choices[0], reply, ASK, {}) | {"completion_id": "a"}
    assert row["finish_reason"] == "unclear"
    assert judgeable([row]) == []
    assert sum("it ends answers with 'tired'" in record.message for record in caplog.records) == 1
