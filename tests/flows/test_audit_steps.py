"""Audits of judges that name the first wrong step, asked over a real socket or recorded."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

ITEMS = 12


@pytest.fixture
def mistakes(tmp_path):
    """Writes solutions in the columns of BIG-Bench Mistake; the wrong step says so, and every third has none."""
    rows = []
    for i in range(ITEMS):
        wrong = None if i % 3 == 0 else i % 4
        steps = [f"line {place} of {i} is {'bad' if place == wrong else 'fine'}" for place in range(4)]
        rows.append(
            {"task": f"task_{i % 2}", "item": i, "input": f"question {i}", "steps": [*steps, "", "the end"],
             "answer": "a", "target": "b", "answer_correct": wrong is None, "mistake_index": wrong}
        )  # fmt: skip
    pl.DataFrame(rows).write_parquet(tmp_path / "mistakes.parquet")
    return tmp_path / "mistakes.parquet"


def critic(body):
    content = str(body["messages"][0]["content"])
    found = re.findall(r"=== step (\d+) \w+ ===\nline \d of \d+ is bad", content)
    assert "=== step 6" in content  # the empty fifth step is one, too
    return f"Let us see.\nFinal Judgement: {'wrong' if found else 'correct'}\nFirst Error Step: {[*found, 'N/A'][0]}"


def test_a_critic_that_is_always_right_names_every_step_and_is_bought_once(command, serve_engine, mistakes):
    served = serve_engine()
    served.engine.speak = critic
    words = ["audit", "first_wrong_step", "--gold", mistakes, "--judge", f"openai:{served.url}:m"]
    ran = command(*words, "--json")
    assert ran.code == 0, ran.err
    steps = ran.json["steps"]
    assert steps["f1"]["value"] == steps["erroneous"]["value"] == steps["error_free"]["value"] == 1.0
    assert (steps["kinds"]["exact"], steps["kinds"]["right none"]) == (8, 4)
    assert set(steps["tasks"]) == {"task_0", "task_1"}
    assert served.engine.stats()["requests"] == ITEMS
    again = command(*words)
    assert "harmonic mean (F1)         100.0 %" in again.out
    assert served.engine.stats()["requests"] == ITEMS
    kept = command("sql", "select outcome, min(score) as worst, count(*) as n from judgments group by 1", "--json").json
    assert kept == [{"outcome": "valid", "worst": 0.0, "n": ITEMS}]


def test_a_critic_that_babbles_has_no_verdicts_and_is_wrong(command, serve_engine, mistakes):
    served = serve_engine()
    served.engine.speak = lambda body: "First Error Step: 2 or 3"
    ran = command(
        "audit", "first_wrong_step", "--gold", mistakes, "--judge", f"openai:{served.url}:m", "--limit", "3", "--json"
    )
    assert ran.json["outcomes"] == {"unparsable": 3}
    assert ran.json["steps"]["kinds"]["failed"] == 3
    assert ran.json["verdict"]["all"]["value"] == 0.0


def test_a_judge_that_names_no_step_is_refused(command, serve_engine, mistakes):
    served = serve_engine()
    served.engine.speak = lambda body: json.dumps({"score": 5})
    ran = command("audit", "pointwise", "--gold", mistakes, "--judge", f"openai:{served.url}:m", "--limit", "1")
    assert ran.code == 2
    assert "judge 'pointwise' names none; try first_wrong_step" in ran.message


def test_solutions_without_recorded_verdicts_say_so(command, mistakes):
    ran = command("audit", "Claude", "--gold", mistakes)
    assert ran.code == 2
    assert "no verdicts of 'Claude'" in ran.message


def test_critics_answers_that_were_recorded_show_their_explanations(command, tmp_path):
    first = [{"uuid": str(i), "question": f"q {i}", "question_type": "original", "steps": ["Step 1: a", "Step 2: b"],
              "first_error_step": "2", "solution_correct": False} for i in range(4)]  # fmt: skip
    critics = [{"uuid": str(i), "critic": "C", "response": "…", "pred_error_step": "Step 2" if i else "1",
                "reason_ok": "correct" if i > 1 else "incorrect"} for i in range(4)]  # fmt: skip
    pl.DataFrame(first).write_parquet(tmp_path / "first.parquet")
    pl.DataFrame(critics).write_parquet(tmp_path / "critics.parquet")
    ran = command("audit", "C", "--gold", tmp_path / "first.parquet", "--verdicts", tmp_path / "critics.parquet")
    assert ran.code == 0, ran.err
    assert "first wrong step named     75.0 %" in ran.out
    assert "explanations graded right  50.0 %" in ran.out
    assert "1 before" in ran.out
