"""Audits from the command line, and recipes that demand one."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

PAIRS = 24


def gold_set(path: Path) -> Path:
    """Writes pairs whose longer answer is the better one, first in half of them."""
    rows = []
    for i in range(PAIRS):
        long, short = f"a full answer to question {i}", f"no {i}"
        first = i % 2 == 0
        rows.append(
            {
                "item_id": f"item {i}", "prompt": f"question {i}", "label": "first" if first else "second",
                "first": long if first else short, "second": short if first else long,
                "first_policy": "one", "second_policy": "two",
            }
        )  # fmt: skip
    pl.DataFrame(rows).write_parquet(path)
    return path


def longer(body: dict[str, object]) -> str:
    content = str(body["messages"][0]["content"])  # type: ignore[index]
    first, second = content.partition("=== answer A")[2].split("=== answer B", 1)
    return json.dumps({"winner": "A" if "a full answer" in first else "B", "rationale": second[:0]})


def test_a_judge_that_is_always_right_has_kappa_one_and_no_bias(command, serve_engine, tmp_path):
    served = serve_engine()
    served.engine.speak = longer
    ran = command(
        "audit", "pairwise", "--gold", gold_set(tmp_path / "g.parquet"), "--judge", f"openai:{served.url}:m", "--json"
    )
    assert ran.code == 0
    assert ran.json["verdict"]["all"]["value"] == 1.0
    assert ran.json["verdict"]["kappa"]["value"] == pytest.approx(1.0)
    assert ran.json["order"]["agreement"]["value"] == 1.0
    assert Path(tmp_path, ran.json["page"]).read_text().startswith("<!doctype html>")
    kept = command("sql", "select judge, accuracy, items from audits", "--json").json
    assert kept == [{"judge": "pairwise", "accuracy": 1.0, "items": PAIRS}]


def test_a_judge_that_always_says_first_is_found_out(command, serve_engine, tmp_path):
    served = serve_engine()
    served.engine.speak = lambda body: '{"winner": "A"}'
    ran = command("audit", "pairwise", "--gold", gold_set(tmp_path / "g.parquet"), "--judge", f"openai:{served.url}:m")
    assert ran.code == 0
    assert "! position: prefers whichever is shown first" in ran.out
    assert "! length" not in ran.out


def test_an_audit_that_is_run_again_buys_nothing(command, serve_engine, tmp_path):
    served = serve_engine()
    served.engine.speak = longer
    words = ["audit", "pairwise", "--gold", gold_set(tmp_path / "g.parquet"), "--judge", f"openai:{served.url}:m"]
    command(*words)
    asked = served.engine.stats()["requests"]
    assert command(*words).code == 0
    assert served.engine.stats()["requests"] == asked
    assert len(command("sql", "select 1 from audits", "--json").json) == 1


@pytest.mark.parametrize("options", ["", "?concurrency=8"])
def test_a_judge_that_favours_its_own_answers_is_told_by_its_models_name(options, command, serve_engine, tmp_path):
    served = serve_engine()

    def loyal(body):
        content = str(body["messages"][0]["content"])
        first = content.partition("=== answer A")[2].split("=== answer B", 1)[0]
        return json.dumps({"winner": "A" if "mine" in first else "B"})

    served.engine.speak = loyal
    texts = {"gpt-4": "mine", "other": "theirs"}
    rows = [
        {"item_id": f"item {i}", "prompt": f"question {i}", "label": "first" if i % 2 else "second",
         "first_policy": one, "second_policy": two, "first": f"{texts[one]} {i}", "second": f"{texts[two]} {i}"}
        for i in range(PAIRS) for one, two in [("gpt-4", "other") if i % 4 < 2 else ("other", "gpt-4")]
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(tmp_path / "g.parquet")
    judge = f"openai:{served.url}:gpt-4{options}"
    ran = command("audit", "pairwise", "--gold", tmp_path / "g.parquet", "--judge", judge, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["self"] == "gpt-4"
    assert "self" in {finding["bias"] for finding in ran.json["findings"]}


def test_recorded_verdicts_are_audited_without_asking(command, tmp_path):
    gold = gold_set(tmp_path / "g.parquet")
    said = pl.read_parquet(gold).select(
        "item_id", judge=pl.lit("old judge"), outcome=pl.lit("valid"), verdict=pl.lit("first")
    )
    said.write_parquet(tmp_path / "v.parquet")
    ran = command("audit", "old judge", "--gold", gold, "--verdicts", tmp_path / "v.parquet", "--json")
    assert ran.json["verdict"]["all"]["value"] == 0.5
    wrong = command("audit", "old jugde", "--gold", gold, "--verdicts", tmp_path / "v.parquet")
    assert (wrong.code, "did you mean 'old judge'" in wrong.err) == (2, True)


def test_a_recipe_with_a_floor_is_refused_until_its_judge_has_reached_it(command, serve_engine, tmp_path):
    served = serve_engine()
    served.engine.speak = lambda body: longer(body) if "answer A" in str(body) else f"a full answer {body['seed']}"
    (tmp_path / "careful.yaml").write_text(
        "name: careful\nsource: none\nabout: A recipe whose judge must be good.\nrequire_audit: {kappa: 0.4}\n"
        "blocks:\n  - sample: independent\n    policy: ''\n    n: 2\n  - judge: pairwise\n    model: ''\n"
        "  - score: win_rate\n  - select: best_vs_worst\n"
    )
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "question 1"}\n')
    spec = f"openai:{served.url}:m"
    words = ["run", "./careful.yaml", "--prompts", "prompts.jsonl", "--policy", spec, "--judge", spec]
    refused = command(*words)
    assert (refused.code, "demands an audit of judge 'pairwise'" in refused.err) == (1, True)
    assert served.engine.stats().get("requests", 0) == 0
    command("audit", "pairwise", "--gold", gold_set(tmp_path / "g.parquet"), "--judge", spec)
    assert command(*words).code == 0
    text = (tmp_path / "careful.yaml").read_text()
    (tmp_path / "careful.yaml").write_text(text.replace("kappa: 0.4", "kapa: 0.4"))
    assert "no measure 'kapa'; did you mean 'kappa'" in command(*words).err


def test_a_gold_set_of_unknown_shape_is_refused_with_the_shapes_there_are(command, tmp_path):
    pl.DataFrame({"question": ["a"], "answer": ["b"]}).write_parquet(tmp_path / "g.parquet")
    ran = command("audit", "length", "--gold", tmp_path / "g.parquet")
    assert ran.code == 2
    assert "these columns fit no gold set (question, answer)" in ran.err
