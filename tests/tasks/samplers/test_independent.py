import json
import math

import pytest

from schemas.exchange import Choice, Reply, Token
from schemas.messages import assistant, to_rows
from tasks.samplers.independent import independent

PROMPT = {"prompt_id": "p", "messages": to_rows("2+2?")}


def sampled(reply, prompt=PROMPT, **settings):
    exchange = independent(prompt, policy="m", **settings)
    requests = next(exchange)
    assert len(requests) == 1
    with pytest.raises(StopIteration) as end:
        exchange.send([reply])
    return requests[0], end.value.value


def test_each_choice_becomes_a_row_and_shares_the_cost():
    choices = (Choice(0, "4", logprob=-0.5, completion_tokens=2), Choice(1, "5", completion_tokens=3))
    request, rows = sampled(Reply(choices, prompt_tokens=9, cost=0.5, latency_s=1.0), n=2, temperature=0.7)
    assert (request.model, request.n, request.temperature) == ("m", 2, 0.7)
    assert request.messages == [{"role": "user", "content": "2+2?"}]
    assert [row["messages"] for row in rows] == [assistant("4"), assistant("5")]
    assert [(row["sample_index"], row["logprob"], row["completion_tokens"]) for row in rows] == [
        (0, -0.5, 2),
        (1, None, 3),
    ]
    assert [(row["cost"], row["prompt_tokens"], row["finish_reason"]) for row in rows] == [(0.25, 9, "stop")] * 2
    assert rows[0]["content_id"] != rows[1]["content_id"]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("truncated", "length"), ("refused", "refused"), ("filtered", "filtered"), ("empty", "empty")],
)
def test_an_answer_that_is_none_stays_a_row_with_its_reason(outcome, reason):
    _, rows = sampled(Reply((Choice(0, "", outcome),)))
    assert [row["finish_reason"] for row in rows] == [reason]


def test_a_failed_call_gives_no_row():
    assert sampled(Reply(error="timeout"))[1] == []


def test_the_sampling_column_does_not_depend_on_how_many_were_asked():
    few, many = (sampled(Reply((Choice(0, "4"),)), n=n)[1][0]["sampling"] for n in (4, 8))
    assert few == many
    assert json.loads(few)["temperature"] == 1.0


def test_the_seed_depends_on_seed_and_prompt():
    seeds = {
        sampled(Reply(), prompt=PROMPT | {"prompt_id": name}, seed=seed)[0].seed for name in "pq" for seed in (0, 1)
    }
    assert len(seeds) == 4


def test_a_system_message_replaces_the_prompts_own():
    prompt = PROMPT | {"messages": to_rows([{"role": "system", "content": "old"}, {"role": "user", "content": "hi"}])}
    request, rows = sampled(Reply((Choice(0, "4"),)), prompt=prompt, system="new")
    assert [message["content"] for message in request.messages] == ["new", "hi"]
    assert json.loads(rows[0]["sampling"])["system"] == "new"


def test_token_log_probabilities_are_kept_where_asked():
    reply = Reply((Choice(0, "4.", tokens=(Token("4", -0.1), Token(".", -0.2))),))
    assert sampled(reply, logprobs=True)[1][0]["token_logprobs"] == [-0.1, -0.2]
    assert sampled(reply)[1][0]["tokens"] is None


def test_tool_calls_are_kept():
    _, rows = sampled(Reply((Choice(0, "", finish_reason="tool_calls", tool_calls='[{"id":"1"}]'),)))
    assert rows[0]["messages"][0]["tool_calls"] == '[{"id":"1"}]'


def test_no_samples_is_refused():
    with pytest.raises(ValueError, match="n is 0"):
        next(independent(PROMPT, policy="m", n=0))


def test_alternatives_give_the_collision_of_the_policys_distributions():
    tokens = (
        Token("a", -0.7, (("a", math.log(0.5)), ("b", math.log(0.5)))),
        Token("c", -0.2, (("c", math.log(0.8)), ("d", math.log(0.2)))),
    )
    request, (row,) = sampled(Reply((Choice(0, "ac", tokens=tokens, completion_tokens=2),)), alternatives=20)
    assert (request.logprobs, request.top_logprobs) == (True, 20)
    assert json.loads(row["meta"])["collision"] == pytest.approx((math.log(0.5) + math.log(0.68)) / 2)
    assert "meta" not in sampled(Reply((Choice(0, "a"),)))[1][0]
