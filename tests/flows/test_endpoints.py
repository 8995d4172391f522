"""Recipes that ask a real server on a real socket: what it answers, and what it refuses."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from random import Random

import pytest

from benchmarks.engine import canned
from storage.store import Store

PROMPTS = 20


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """Returns a file of twenty questions."""
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": f"Name {n} fruits."}) + "\n" for n in range(PROMPTS)))
    return file


def _oaif(url: str, prompts: Path) -> list[object]:
    models = ["--policy", f"openai:{url}:policy", "--judge", f"openai:{url}:referee"]
    return ["run", "oaif", "--prompts", prompts, *models, "--json"]


def test_a_judge_that_always_says_first_makes_no_pair_and_the_run_says_so(command, serve_engine, prompts, tmp_path):
    served = serve_engine()
    texts = Random(5)
    served.engine.speak = lambda body: '{"winner": "A"}' if body["model"] == "referee" else f"plum {texts.random()}"

    ran = command(*_oaif(served.url, prompts))

    assert ran.code == 1
    assert "REFUSED" not in ran.out  # stdout is the document alone
    assert ran.json["rows"]["preferences"] == 0
    assert ran.json["comparisons"] == {"pairwise": {"contradicted": PROMPTS}}
    assert ran.json["outcomes"]["pairwise"] == {"valid": 2 * PROMPTS, "contradicted": PROMPTS}
    judgments = Store.open(tmp_path / "lake").read("judgments").collect()
    assert judgments.height == 2 * PROMPTS
    for _, rows in judgments.group_by("comparison_id"):
        one, other = rows["subjects"].to_list()
        assert one == other[::-1]
        assert rows["winner"].to_list() == [one[0], other[0]]
    said = command(*_oaif(served.url, prompts)[:-1])
    assert f"{PROMPTS} of {PROMPTS} comparisons are contradicted" in said.out


def test_a_reply_that_cannot_be_read_is_counted_and_never_a_label(command, serve_engine, prompts, tmp_path):
    served = serve_engine()
    texts, said = Random(5), Random(7)
    broken = 0

    def speak(body):
        nonlocal broken
        if body["model"] != "referee":
            return f"plum {texts.random()}"
        if said.random() < 0.1:
            broken += 1
            return "I would rather not choose."
        first = body["messages"][0]["content"].partition("=== answer A")[2]
        second = first.partition("=== answer B")[2]
        better = "A" if first.partition("plum ")[2][:9] > second.partition("plum ")[2][:9] else "B"
        return json.dumps({"rationale": "riper", "winner": better})

    served.engine.speak = speak
    ran = command(*_oaif(served.url, prompts))

    assert broken > 0
    assert ran.json["outcomes"]["pairwise"] == {"contradicted": 0, "unparsable": broken, "valid": 2 * PROMPTS - broken}
    store = Store.open(tmp_path / "lake")
    unread = store.read("judgments").collect().filter(outcome="unparsable")
    assert unread.height == broken
    assert unread["winner"].null_count() == broken
    assert set(unread["raw"]) == {"I would rather not choose."}
    agreed = ran.json["comparisons"]["pairwise"]["agreed"]
    assert agreed == PROMPTS - ran.json["comparisons"]["pairwise"]["incomplete"]
    pairs = store.read("preferences", version="oaif@v1").collect()
    assert pairs.height == ran.json["rows"]["preferences"] == agreed
    assert not set(pairs["prompt_id"]) & set(unread["prompt_id"])


def test_an_endpoint_that_is_down_is_one_message_and_publishes_nothing(command, prompts, tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        ran = command(*_oaif(url, prompts))

    assert ran.code == 4
    assert ran.message.startswith(f"pairwright: {url} does not answer: ")
    assert ran.message.count("\n") == 0
    assert ran.out == ""
    assert command("versions", "--json").json == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_stops_the_run_at_once_and_names_the_variable(command, serve_engine, prompts, status):
    served = serve_engine()
    served.engine.script.extend([canned({"error": {"message": "Incorrect API key provided"}}, status)] * 500)

    ran = command(*_oaif(served.url, prompts), OPENAI_API_KEY="sk-wrong-0123456789")

    assert ran.code == 4
    assert "key" in ran.message
    assert "Traceback" not in ran.err
    assert "sk-wrong-0123456789" not in ran.err
    assert served.engine.count["requests"] <= 64
    assert command("versions", "--json").json == []


def test_an_endpoint_that_dies_on_the_way_loses_no_answer_and_the_same_command_goes_on(
    command, serve_engine, prompts, tmp_path
):
    served = serve_engine()
    texts = Random(5)
    served.engine.speak = lambda body: '{"winner": "tie"}' if body["model"] == "referee" else f"plum {texts.random()}"
    refusal = canned({"error": {"message": "Incorrect API key provided"}}, 401)
    served.engine.script.extend([None] * 11 + [refusal] * 500)

    first = command(*_oaif(served.url, prompts))
    served.engine.script.clear()
    answered = served.engine.count["answered"]
    second = command(*_oaif(served.url, prompts))

    assert first.code == 4
    assert answered == 11
    assert second.json["calls"]["asked"] == 3 * PROMPTS - answered
    assert second.json["comparisons"] == {"pairwise": {"tied": PROMPTS}}


def test_a_budget_of_calls_stops_with_exit_3_and_the_same_command_goes_on(command, serve_engine, prompts):
    served = serve_engine()
    texts = Random(5)
    served.engine.speak = lambda body: '{"winner": "tie"}' if body["model"] == "referee" else f"plum {texts.random()}"

    stopped = command(*_oaif(served.url, prompts), "--budget", "25calls")
    done = command(*_oaif(served.url, prompts))

    assert stopped.code == 3
    assert "the budget of 25 calls is used up" in stopped.message
    assert stopped.json["status"] == "stopped"
    assert stopped.json["calls"]["asked"] == 25
    assert done.json["calls"]["asked"] == 3 * PROMPTS - 25
    assert served.engine.count["answered"] == 3 * PROMPTS


def test_thoughts_are_a_column_of_completions_and_no_part_of_the_answer(command, serve_engine, prompts, tmp_path):
    served = serve_engine()
    texts = Random(5)

    def speak(body):
        if body["model"] == "referee":
            return '<think>B, or tie?</think>{"winner": "tie"}'
        return f"<think>fruit</think>\n\nplum {texts.random()}"

    served.engine.speak = speak
    ran = command(*_oaif(served.url, prompts))

    assert ran.json["comparisons"] == {"pairwise": {"tied": PROMPTS}}
    completions = Store.open(tmp_path / "lake").read("completions").collect()
    assert set(completions["reasoning"]) == {"fruit"}
    assert all(row[0]["content"].startswith("plum ") for row in completions["messages"])


def test_what_an_endpoint_was_found_to_refuse_is_asked_otherwise_and_stands_with_the_run(
    command, serve_engine, prompts, tmp_path
):
    served = serve_engine()
    texts = Random(5)
    served.engine.speak = lambda body: '{"winner": "tie"}' if body["model"] == "referee" else f"plum {texts.random()}"
    refusal = canned({"error": {"message": "`top_p` is not supported with this model", "param": "top_p"}}, 400)
    served.engine.script.extend([refusal] * 5)

    ran = command(*_oaif(served.url, prompts))

    assert ran.json["calls"]["failed"] == 0
    assert ran.json["comparisons"] == {"pairwise": {"tied": PROMPTS}}
    (calls,) = Store.open(tmp_path / "lake").read("runs").collect()["calls"]
    (learnt,) = json.loads(calls)["learnt"].values()
    assert learnt[0].startswith("it refuses top_p")


def test_prompts_that_do_not_fit_are_errors_of_their_rows(command, serve_engine, prompts):
    served = serve_engine()
    too_long = canned({"error": {"message": "This model's maximum context length is 64 tokens"}}, 400)
    served.engine.script.extend([too_long] * 500)

    ran = command(*_oaif(served.url, prompts))

    assert "calls failed" not in ran.message
    assert ran.json["calls"]["failed"] == ran.json["calls"]["asked"] > 0
