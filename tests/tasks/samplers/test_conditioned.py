import json

import pytest

from schemas.exchange import Choice, Reply, Token
from schemas.messages import to_rows
from tasks.samplers.conditioned import conditioned
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Name a prime.")}


def drive(prompt=PROMPT, **settings):
    return Drive(conditioned(prompt, policy="m", **settings), "2")


def test_each_condition_is_asked_once_and_noted():
    run = drive(conditions={"good": "Be exact.", "none": "", "bad": "Be vague."})
    assert run.rounds == [3]
    assert [request.messages for request in run.requests] == [
        [{"role": "system", "content": "Be vague."}, {"role": "user", "content": "Name a prime."}],
        [{"role": "system", "content": "Be exact."}, {"role": "user", "content": "Name a prime."}],
        [{"role": "user", "content": "Name a prime."}],
    ]
    assert [json.loads(row["meta"])["condition"] for row in run.rows] == ["bad", "good", "none"]
    assert len({row["sampling"] for row in run.rows}) == 3


def test_a_system_message_is_kept_and_the_user_may_be_told_instead():
    prompt = {"prompt_id": "p", "messages": to_rows([
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "A?"},
        {"role": "assistant", "content": "B."}, {"role": "user", "content": "C?"},
    ])}  # fmt: skip
    system = drive(prompt, conditions={"x": "Be brief."}).requests[0].messages
    assert system[0]["content"] == "Be kind.\n\nBe brief."
    user = drive(prompt, conditions={"x": "Be brief."}, place="user").requests[0].messages
    assert [message["content"] for message in user] == ["Be kind.", "A?", "B.", "C?\n\nBe brief."]


ASPECTS = {name: [f"{name} {i}" for i in range(7)] for name in ("good", "bad")}


def test_some_of_a_list_are_drawn_the_same_places_of_each():
    texts = {}
    for name in map(str, range(40)):
        run = drive({**PROMPT, "prompt_id": name}, conditions=ASPECTS, parts=2)
        bad, good = (request.messages[0]["content"] for request in run.requests)
        assert good == bad.replace("bad", "good")
        assert len(set(good.split("\n"))) == 2
        texts[good] = True
    assert len(texts) > 12


def test_one_condition_a_prompt_may_be_drawn():
    budgets = {"64": "a", "128": "b"}
    rows = [drive({**PROMPT, "prompt_id": str(i)}, conditions=budgets, draw=1, n=2).rows[0] for i in range(60)]
    names = [json.loads(row["meta"])["condition"] for row in rows]
    assert 15 < names.count("64") < 45


@pytest.mark.parametrize(
    "wrong", [{"conditions": {}}, {"conditions": {"a": ""}, "draw": 2}, {"conditions": ASPECTS, "parts": 8}]
)
def test_more_cannot_be_drawn_than_there_is(wrong):
    with pytest.raises(ValueError, match="too few"):
        drive(**wrong)


def test_likelihoods_of_each_answer_under_every_condition():
    def answer(request):
        if request.kind == "score":
            given = request.messages[0]["content"] if len(request.messages) == 3 else "none"
            tokens = (Token("a", {"Good.": -0.5, "none": -1.0, "Bad.": -2.0}[given]),) * 2
            return Reply((Choice(0, "", tokens=tokens),))
        return Reply((Choice(0, "same"),))

    conditions = {"good": "Good.", "none": "", "bad": "Bad."}
    run = Drive(conditioned(PROMPT, policy="m", conditions=conditions, likelihoods=True), answer)
    assert run.rounds == [3, 3]  # one text, however often it was said
    noted = [json.loads(row["meta"])["likelihood"] for row in run.rows]
    assert noted == [{"good": -0.5, "none": -1.0, "bad": -2.0}] * 3
