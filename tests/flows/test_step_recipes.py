"""Every step-level recipe runs end to end on the embedded policy: nodes are facts, rows lead back to them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import orjson
import pytest

from storage.store import Store
from tasks import recipes, registry
from tests.support.problems import held_back
from tests.support.referee import speak
from tests.support.tuned import tuned

RECORDED = "recorded-steps"  # asks nobody: see test_recorded_steps.py
SEARCHES = [name for name in recipes.known() if recipes.load(name).of("search") and name != RECORDED]
SAMPLED = {  # recipe -> the table it makes
    "rto": "preferences", "tgdpo": "preferences", "r-to-q": "preferences", "tdpo": "preferences",
    "genarm": "preferences", "goal-conditioned-rm": "preferences", "oreo": "examples", "dqo": "examples",
    "implicit-prm": "examples",
}  # fmt: skip
SYSTEMS = {
    "rto", "r-to-q", "mcts-dpo", "tree-preferences", "oreo", "genarm", "clip-delta", "implicit-prm", "tree-po",
    "goal-conditioned-rm", "rest-mcts", "tgdpo", "svpo", "step-controlled-dpo", "dapo-step", "dqo", "longdpo", "tdpo",
    "step-dpo", "plan-step",
}  # fmt: skip
CRITICISED = {"longdpo", "tree-preferences"}
"""Their critics' prompts are longer than the embedded model's context: a scripted one on a real socket answers."""
SMALLER = {  # as little as a recipe can do with
    "omega-prm": ("omega.searches=6",), "rest-mcts": ("mcts.simulations=12",), "plan-step": ("mcts.simulations=12",),
    "math-shepherd": ("step_rollouts.n=4",), "svpo": ("mcts.simulations=16",),
    "mcts-dpo": ("mcts.simulations=4", "mcts.rollouts=4", "sibling_pairs.solved=false", "sibling_pairs.max_doubt=1"),
}  # fmt: skip
SILENT = {"plan-step"}
"""The embedded policy writes no plans, so that trees have one step and seldom a pair."""
HARD = {"27 - 13 - 36 + 41": "19", "33 - 32 + 26 - 20": "7", "49 - 23 - 40 - 21": "-35"}


def test_every_published_step_level_construction_is_run():
    assert len(SYSTEMS) == 20
    assert {*SEARCHES, *SAMPLED} >= SYSTEMS
    assert set(recipes.known()) >= SYSTEMS


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    """Returns a file of held-back problems that the embedded policy solves now and then."""
    file = tmp_path / "problems.jsonl"
    lines = (json.dumps({"prompt": f"What is {sum_}?", "reference": answer}) + "\n" for sum_, answer in HARD.items())
    file.write_text("".join(lines))
    return file


@pytest.fixture
def critic(serve_engine: Any) -> str:
    """Returns the SPEC of a model that judges by a taste of its own."""
    served = serve_engine(out_tokens=20, judge_out_tokens=20)
    served.engine.speak = speak
    return f"openai:{served.url}:referee?identity=referee"


@pytest.mark.parametrize("name", SEARCHES)
def test_a_recipe_that_searches_keeps_its_trees_and_buys_nothing_twice(command, problems, critic, name):
    judge = critic if name in CRITICISED else "embedded"
    words = ["run", name, "--prompts", problems, "--policy", "embedded", "--judge", judge, "--json"]
    words += [word for change in SMALLER.get(name, ()) for word in ("--set", change)]
    ran = command(*words)
    assert ran.code in ((0, 1) if name in SILENT else (0,)), ran.err
    assert ran.json["calls"]["failed"] == 0
    table = registry.find("select", recipes.load(name).of("select")[0].name).mark.makes
    assert ran.json["rows"][table] > 0 or name in SILENT
    trees = command(
        "sql",
        "select count(*) filter (parent_id is null) as roots, count(distinct tree_id) as trees from nodes",
        "--json",
    )
    assert trees.json[0]["roots"] == trees.json[0]["trees"] == len(HARD)
    lost = (
        "select count(*) as n from nodes a where parent_id is not null and parent_id not in (select node_id from nodes)"
    )
    assert command("sql", lost, "--json").json == [{"n": 0}]
    again = command(*words)
    assert again.json["calls"]["asked"] == 0
    assert again.json["digest"] == ran.json["digest"]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Returns the folder of one lake for all recipes that sample, its problems, and a second model."""
    folder = tmp_path_factory.mktemp("sampled")
    return {
        "root": folder / "lake",
        "prompts": held_back(folder, 12),
        "second": f"embedded:{tuned(folder / 'second', by=0.05)}",
    }


def made(command: Any, lake: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Returns the rows of the table that a recipe makes, after a run that must succeed."""
    more = ["--set", f"independent.reference_model={lake['second']}"] if name in ("rto", "tgdpo", "r-to-q") else []
    words = ["--prompts", lake["prompts"], "--policy", "embedded", "--root", lake["root"], "--json"]
    ran = command("run", name, *words, *more)
    assert ran.code == 0, ran.err
    assert ran.json["calls"]["failed"] == 0
    rows = Store.open(str(lake["root"]), create=False).read(SAMPLED[name], version=name)
    return list(rows.collect().iter_rows(named=True))


@pytest.mark.parametrize("name", SAMPLED)
def test_a_recipe_that_samples_gives_rows_with_their_columns(command, sampled, name):
    rows = made(command, sampled, name)
    assert len(rows) > 2
    for row in rows:
        COLUMNS[name](row, orjson.loads(row["meta"]))


def _tokens(row: dict[str, Any], meta: dict[str, Any], side: str) -> int:
    count = len(meta[f"tokens_{side}"])
    text = row[side][0]["content"]
    assert "".join(meta[f"tokens_{side}"]).startswith(text)
    assert len(meta[f"sample_logps_{side}"]) == len(meta[f"loss_mask_{side}"]) == count
    assert math.isclose(math.fsum(meta[f"sample_logps_{side}"]), row[f"{side}_logprob"], abs_tol=1e-3)
    assert meta[f"step_token_ends_{side}"][-1] == count - 1
    assert len(meta[f"step_token_ends_{side}"]) == text.count("\n") + 1
    return count


def _plain(row: dict[str, Any], meta: dict[str, Any]) -> None:
    assert row["level"] == "token"
    for side in ("chosen", "rejected"):
        _tokens(row, meta, side)


def _with(column: str) -> Any:
    def check(row: dict[str, Any], meta: dict[str, Any]) -> None:
        for side in ("chosen", "rejected"):
            count = _tokens(row, meta, side)
            reference = meta[f"reference_logps_{side}"]
            assert len(reference) == len(meta[f"{column}_{side}"]) == count
            assert math.isclose(math.fsum(reference), row[f"{side}_reference_logprob"], abs_tol=1e-3)
            assert math.fsum(reference) != math.fsum(meta[f"sample_logps_{side}"])

    return check


def _credit(row: dict[str, Any], meta: dict[str, Any]) -> None:
    _with("credit")(row, meta)
    for side in ("chosen", "rejected"):
        implicit = 0.1 * (row[f"{side}_logprob"] - row[f"{side}_reference_logprob"])
        assert math.isclose(math.fsum(meta[f"credit_{side}"]), implicit, abs_tol=1e-3)
        assert math.isclose(math.fsum(meta[f"step_credit_{side}"]), implicit, abs_tol=1e-3)
        means = meta[f"step_credit_mean_{side}"]
        assert meta[f"lowest_step_{side}"] == means.index(min(means))


def _rewards(row: dict[str, Any], meta: dict[str, Any]) -> None:
    _with("token_rewards")(row, meta)
    for side in ("chosen", "rejected"):
        ratios = [a - b for a, b in zip(meta[f"sample_logps_{side}"], meta[f"reference_logps_{side}"], strict=True)]
        shaped = [min(max(0.05 * ratio, -0.05), 0.05) - 0.01 * ratio for ratio in ratios]
        shaped[-1] += row[f"{side}_score"]
        assert meta[f"token_rewards_{side}"] == [pytest.approx(reward) for reward in shaped]


def _weights(row: dict[str, Any], meta: dict[str, Any]) -> None:
    _with("token_weights")(row, meta)
    assert all(0.5 <= weight <= 1.5 for side in ("chosen", "rejected") for weight in meta[f"token_weights_{side}"])


def _positions(row: dict[str, Any], meta: dict[str, Any]) -> None:
    assert [len(meta[kind]) for kind in ("sources", "goals", "positives", "negatives")] == [16] * 4
    assert max(meta["goals"]) < row["chosen_tokens"]
    assert max(meta["negatives"]) < row["rejected_tokens"]


def _outcome(row: dict[str, Any], meta: dict[str, Any]) -> None:
    assert row["label"] == (row["reward"] >= 0.5)
    assert meta["step_ends"][-1] == len(row["completion"][0]["content"])
    if "sample_logps" in meta:
        assert len(meta["sample_logps"]) == len(meta["action_mask"])
        assert len(meta["step_token_ends"]) == len(meta["step_ends"])


COLUMNS = {
    "rto": _rewards, "tgdpo": _weights, "r-to-q": _credit, "tdpo": _plain, "genarm": _plain,
    "goal-conditioned-rm": _positions, "oreo": _outcome, "dqo": _outcome, "implicit-prm": _outcome,
}  # fmt: skip
