"""Whether the comparisons in a lake can be put in an order."""

from __future__ import annotations

import json

RECIPE = """
name: compared
source: "a test"
about: Every two of three answers compared.
blocks:
  - sample: independent
    policy: ""
    n: 3
  - judge: pairwise
    model: ""
  - score: preference_table
  - select: best_vs_worst
"""
BEATS = {("rock", "scissors"), ("scissors", "paper"), ("paper", "rock"), ("gold", "silver"), ("silver", "tin"),
         ("gold", "tin")}  # fmt: skip
SAID = {"hand": ["rock", "paper", "scissors"], "metal": ["gold", "silver", "tin"]}


def speaker():
    given = {name: iter(words * 4) for name, words in SAID.items()}

    def speak(body):
        content = body["messages"][0]["content"]
        if "=== answer A" not in content:
            return next(given["hand" if "hand" in content else "metal"])
        first, second = (content.split(f"=== answer {letter} ")[1].split("\n")[1] for letter in "AB")
        return json.dumps({"winner": "A" if (first, second) in BEATS else "B"})

    return speak


def test_comparisons_that_go_round_are_counted_and_shown(tmp_path, command, serve_engine):
    served = serve_engine()
    served.engine.speak = speaker()
    (tmp_path / "compared.yaml").write_text(RECIPE)
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Show a hand."}\n{"prompt": "Name a metal."}\n')
    model = f"openai:{served.url}:m"
    ran = command("run", "compared.yaml", "--prompts", "prompts.jsonl", "--policy", model, "--judge", model, "--yes")
    assert ran.code == 0, ran.err
    found = command("cycles", "--json").json
    (row,) = found["criteria"]
    assert row == {
        "criterion": "overall", "prompts": 2, "pairs": 6, "ties": 0, "triads": 2, "cycles": 1, "transitivity": 0.5,
        "prompts_with_a_cycle": 1, "largest_knot": 3, "prompts_one_answer_wins": 1,
    }  # fmt: skip
    assert [(each["knot"], len(each["example"])) for each in found["cycles"]] == [(3, 3)]
    assert " > " in command("cycles", "pairwise").out
    assert command("cycles", "nobody").out == "no comparisons in the lake\n"
