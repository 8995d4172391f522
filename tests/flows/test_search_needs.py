"""What a search's judges need is looked for before anything is asked."""

from __future__ import annotations

import json


def test_a_search_whose_verifier_needs_a_reference_asks_nothing_without_one(command, serve_engine, tmp_path):
    served = serve_engine()
    lines = [{"prompt": "1 + 1", "reference": "2"}, {"prompt": "2 + 2"}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = command("run", "step-dpo", "--prompts", "p.jsonl", "--policy", f"openai:{served.url}:m", "--yes")
    assert ran.code == 2
    assert "p.jsonl" in ran.message
    assert "row 2" in ran.message
    assert "judge 'math' needs 'reference' on every prompt; map it with --map reference=COLUMN" in ran.message
    assert served.engine.stats().get("requests", 0) == 0


def test_a_search_with_a_critic_for_its_verifier_needs_no_reference(command, serve_engine, tmp_path):
    served = serve_engine()
    (tmp_path / "p.jsonl").write_text(json.dumps({"prompt": "1 + 1"}) + "\n")
    words = ["plan", "tree-preferences", "--prompts", "p.jsonl", "--policy", f"openai:{served.url}:m"]
    assert command(*words, "--judge", f"openai:{served.url}:judge-score").code == 0
