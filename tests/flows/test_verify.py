"""A version is what its run makes again from the ledger, and verify says so when it is not."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from flows.cli import cli
from flows.verify import verify
from schemas.errors import UsageError
from storage.store import Store
from tests.support.showcase import speak

RECIPE = """
name: small
source: "a test"
about: Right and wrong answers of the tiny model.
blocks:
  - sample: independent
    policy: embedded
    n: 4
  - judge: math
  - score: mean
  - select: correct_vs_wrong
  - filter: near_duplicates
    threshold: 0.95
"""


def command(*words):
    return CliRunner().invoke(cli, list(map(str, words)))


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE)
    questions = [{"prompt": f"What is {i} + {3 * i} * 2?", "reference": str(7 * i)} for i in range(12)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, questions)))
    ran = command(
        "run", tmp_path / "small.yaml", "--prompts", tmp_path / "prompts.jsonl", "--root", tmp_path / "lake", "--json"
    )
    assert ran.exit_code == 0, ran.output
    return tmp_path / "lake"


def test_a_version_is_made_again_from_the_ledger_alone(lake):
    before = Store.open(str(lake)).read("runs").collect().height
    found = verify(str(lake), "small@v1")
    assert found["identical"]
    assert (found["rebuilt"], found["missing_calls"], found["wrong"]) == (found["digest"], 0, [])
    assert Store.open(str(lake)).read("runs").collect().height == before
    ran = command("verify", "small", "--root", lake)
    assert (ran.exit_code, "identical" in ran.output) == (0, True)
    assert command("verify", "--root", lake).output == "the lake is whole\n"


def test_answers_that_are_gone_are_counted(lake):
    for file in lake.glob("ledger.sqlite*"):
        file.unlink()
    found = verify(str(lake), "small")
    assert not found["identical"]
    assert found["missing_calls"] == 12
    ran = command("verify", "small", "--root", lake)
    assert ran.exit_code != 0


def test_prompts_that_changed_or_are_gone_are_named(lake, tmp_path):
    file = tmp_path / "prompts.jsonl"
    file.write_text(file.read_text().replace("What is 3", "What is 4"))
    with pytest.raises(UsageError, match="have changed since"):
        verify(str(lake), "small")
    file.unlink()
    with pytest.raises(UsageError, match="is not there any more"):
        verify(str(lake), "small")


def test_a_version_that_goes_back_to_another_is_what_that_one_was(lake):
    for version in ("small@v1", "small@v2"):  # the second goes back to what went back
        assert command("rollback", version, "--root", lake).exit_code == 0
    found = verify(str(lake), "small@v3")
    assert (found["identical"], found["version"], found["made_by"]) == (True, "small@v3", "small@v1")
    ran = command("verify", "small@v3", "--root", lake)
    assert (ran.exit_code, "small@v3: identical to what made small@v1" in ran.output) == (0, True)


def test_a_version_that_was_promoted_is_what_its_run_makes(tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE + "  - gate: basics\n    min_pairs: 1000\n")
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "What is 5 + 4 * 2?", "reference": "13"}\n')
    words = ["--prompts", tmp_path / "prompts.jsonl", "--root", tmp_path / "lake"]
    assert command("run", tmp_path / "small.yaml", *words).exit_code == 1
    held = Store.open(str(tmp_path / "lake")).versions("small")["version"][0]
    promoted = command("promote", f"small@{held}", "--because", "it will do", "--root", tmp_path / "lake")
    assert promoted.exit_code == 0, promoted.output
    found = verify(str(tmp_path / "lake"), "small")
    assert (found["identical"], found["version"], found["wrong"]) == (True, "small@v1", [])


def test_a_version_that_no_run_made_says_so(lake):
    store = Store.open(str(lake))
    store.publish("other", {"preferences": store.read("preferences", version="small@v1").collect()}, run_id="by-hand",
                  recipe="", recipe_hash="")  # fmt: skip
    with pytest.raises(UsageError, match="was not made by a run"):
        verify(str(lake), "other")


def test_a_replay_is_verified_too(tmp_path):
    rows = [{"q": f"{i} + 1?", "a": text, "gold": str(i + 1)} for i in range(4) for text in (str(i + 1), "77")]
    pl.DataFrame(rows).write_parquet(tmp_path / "answers.parquet")
    ran = command(
        "run", "replay", "--data", tmp_path / "answers.parquet", "--map", "prompt=q,completion=a", "--map",
        "reference=gold", "--root", tmp_path / "l", "--json",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert verify(str(tmp_path / "l"), "replay")["identical"]


def test_a_search_is_verified_too(tmp_path):
    (tmp_path / "sums.jsonl").write_text('{"prompt": "What is 20 + 7 - 9?", "reference": "18"}\n')
    words = ["--prompts", tmp_path / "sums.jsonl", "--policy", "embedded", "--root", tmp_path / "l", "--json"]
    assert command("run", "math-shepherd", *words).exit_code == 0
    found = verify(str(tmp_path / "l"), "math-shepherd")
    assert (found["identical"], found["missing_calls"]) == (True, 0)
    assert found["rows"] > 0


def test_what_a_panel_of_models_judged_is_verified_without_asking_them(tmp_path, serve_engine):
    served = serve_engine(out_tokens=12, judge_out_tokens=12)
    served.engine.speak = speak
    topics = ("tides", "bread", "rust", "salt")
    lines = [json.dumps({"prompt": f"How do I learn about {topic} in 3 days?"}) for topic in topics]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines))
    ran = command(
        "run", "preference-strength", "--prompts", tmp_path / "questions.jsonl", "--policy",
        f"openai:{served.url}:small", "--judge", f"openai:{served.url}:referee", "--root", tmp_path / "l",
        "--yes", "--json",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    asked = served.engine.asked.total()
    assert verify(str(tmp_path / "l"), "preference-strength")["identical"]
    assert served.engine.asked.total() == asked
