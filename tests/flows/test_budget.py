"""Plans, budgets and reparsing: what a run would ask, what it may ask, and what it need not ask again."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

PROMPTS = 12


@pytest.fixture
def words(serve_engine, tmp_path: Path):
    """Returns the command words of an oaif-like recipe against a simulated engine, and the engine."""
    served, texts = serve_engine(), count()

    def speak(body):
        judged = "answer" in body["messages"][0]["content"]
        return f'{{"score": {1 + next(texts) % 9}}}' if judged else f"a sample, the {next(texts)}th"

    served.engine.speak = speak
    (tmp_path / "prompts.jsonl").write_text(
        "".join(json.dumps({"prompt": f"Name {n} fruits."}) + "\n" for n in range(PROMPTS))
    )
    spec = f"openai:{served.url}:m?price_in=1&price_out=1000"
    return [
        "simpo",
        "--prompts",
        "prompts.jsonl",
        "--policy",
        spec,
        "--judge",
        spec,
        "--set",
        "sample.n=3",
    ], served.engine


def asked(engine) -> int:
    return engine.stats().get("requests", 0)


def test_a_plan_counts_what_is_missing_and_asks_only_its_pilot(command, words):
    recipe, engine = words
    blind = command("plan", *recipe, "--pilot", 0, "--json").json
    assert asked(engine) == 0
    assert (blind["prompts"], blind["calls"], blind["in_ledger"], blind["cost"]) == (PROMPTS, PROMPTS * 4, 0, None)
    seen = command("plan", *recipe, "--json").json
    assert asked(engine) == 4 * 4
    assert (seen["calls"], seen["in_ledger"]) == ((PROMPTS - 4) * 4, 4 * 6)
    assert seen["cost"] > 0


def test_what_the_plan_said_is_what_the_run_then_asks(command, words):
    recipe, engine = words
    said = command("plan", *recipe, "--json").json["calls"]
    before = asked(engine)
    done = command("run", *recipe, "--yes", "--json")
    assert asked(engine) - before == done.json["calls"]["asked"] == said
    assert command("plan", *recipe, "--json").json["calls"] == 0


def test_an_expensive_run_asks_first_and_keeps_its_pilot(command, words, monkeypatch):
    recipe, engine = words
    monkeypatch.setenv("PAIRWRIGHT_ASK_ABOVE", "0.001")
    ran = command("run", *recipe)
    assert ran.code == 3
    assert "nobody here to ask: give --yes" in ran.err
    assert asked(engine) == 4 * 4


@pytest.mark.parametrize("calls", [0, 1, 10])
def test_a_budget_of_k_calls_makes_at_most_k_and_the_same_command_goes_on(command, words, calls):
    recipe, engine = words
    ran = command("run", *recipe, "--yes", "--budget", f"{calls}calls", "--json")
    assert (ran.code, asked(engine)) == (3, calls)
    assert ran.json["status"] == "stopped"
    assert f"budget of {calls} calls is used up" in ran.err
    done = command("run", *recipe, "--yes", "--json")
    assert (done.code, asked(engine)) == (0, PROMPTS * 4)
    assert done.json["version"] == "v1"


def test_a_budget_that_is_no_budget_is_refused(command, words):
    recipe, engine = words
    ran = command("run", *recipe, "--budget", "5 bananas")
    assert (ran.code, asked(engine)) == (2, 0)
    assert "'5 bananas' is not like 5usd" in ran.err


def test_reparsing_reads_the_kept_answers_again_and_asks_nobody(command, words):
    recipe, engine = words
    first = command("run", *recipe, "--yes", "--json").json
    before = asked(engine)
    again = command("reparse", *recipe, "--json")
    assert (again.code, asked(engine)) == (0, before)
    assert again.json["digest"] == first["digest"]
    assert again.json["calls"] == {"asked": 0, "from_ledger": PROMPTS * 6, "failed": 0}
    other = command("reparse", *recipe, "--set", "sample.n=4", "--json").json
    assert other["calls"]["failed"] == PROMPTS


def test_reparsing_what_was_never_run_says_so(command, words):
    recipe, _ = words
    ran = command("reparse", *recipe)
    assert ran.code == 2
    assert "has answered nothing on this lake" in ran.err
