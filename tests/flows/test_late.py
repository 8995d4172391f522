"""Blocks that must see all rows: scored and selected over the whole run, the same as they would be shard by shard."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from tasks import answer

PROMPTS = 14
NUMBERS = count(1000)


@pytest.fixture
def many_shards(monkeypatch):
    """Makes shards small, so that a small run has several."""
    monkeypatch.setattr("flows.run.SHARD", 4)
    assert answer.SHARD > PROMPTS


def _recipe(path: Path, scorer: str, *more: str) -> Path:
    lines = ["sample: independent, policy: '', n: 2", "judge: pairwise, model: ''", f"score: {scorer}",
             "select: best_vs_worst", *more]  # fmt: skip
    path.write_text(
        f"name: {path.stem}\nsource: none\nabout: What the test of late blocks runs.\nblocks:\n"
        + "".join(f"  - {{{line}}}\n" for line in lines)
    )
    return path


def _speak(body):
    content = body["messages"][0]["content"]
    if "=== answer A" not in content:
        return f"number {next(NUMBERS)}"
    first, second = content.partition("=== answer A")[2].split("=== answer B", 1)
    return json.dumps({"rationale": "", "winner": "A" if _digits(first) > _digits(second) else "B"})


def _digits(text: str) -> str:
    return "".join(letter for letter in text.splitlines()[1] if letter.isdigit())


def test_a_panel_that_is_aggregated_over_all_prompts_makes_pairs_with_their_texts(
    command, serve_engine, tmp_path, many_shards
):
    served = serve_engine()
    served.engine.speak = _speak
    (tmp_path / "prompts.jsonl").write_text(
        "".join(json.dumps({"prompt": "say" + "." * n}) + "\n" for n in range(PROMPTS))
    )
    spec = f"openai:{served.url}:m"
    asked = ["--prompts", "prompts.jsonl", "--policy", spec, "--judge", spec, "--json"]
    late = command("run", _recipe(tmp_path / "late.yaml", "dawid_skene"), *asked)
    assert late.code == 0, late.err
    assert late.json["rows"]["preferences"] > 0
    early = command("run", _recipe(tmp_path / "early.yaml", "win_rate"), *asked)
    pairs = "select prompt_id, chosen_id, chosen[1].content as text from preferences where dataset = '{}' order by 1"
    found = {name: command("sql", pairs.format(name), "--json").json for name in ("late", "early")}
    assert {row["prompt_id"]: row["chosen_id"] for row in found["late"]} == {
        row["prompt_id"]: row["chosen_id"] for row in found["early"]
    }
    assert all(row["text"] for row in found["late"])
    assert early.json["calls"]["asked"] == 0
