"""Every recipe whose judge asks a model, end to end over a real socket: the scripted judge likes the longest answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

WORDS = ("plum", "pear", "fig", "date", "lime", "kiwi")
REWARD = "def score(prompt, completion):\n    return min(1, len(completion) / 100)"
RECIPES = {
    "oaif": "preferences", "simpo": "preferences", "ultrafeedback": "preferences", "self-judge": "preferences",
    "rlhs": "preferences", "mm-rlhf": "preferences", "themis": "preferences", "constitutional": "preferences",
    "reference-guided": "preferences", "few-shot": "preferences", "text2reward": "preferences", "pro": "rankings",
    "ctrl-u": "preferences", "poll": "preferences", "audited-panel": "preferences", "general-preference": "preferences",
}  # fmt: skip


def answers(content: str) -> dict[str, str]:
    """Returns the fenced answers of a judge's prompt, by letter (empty for a single one)."""
    (code,) = set(re.findall(r"^=== task ([0-9a-f]{12}) ===$", content, re.MULTILINE))
    found = re.findall(
        rf"^=== answer ([A-Z]? ?){code} ===\n(.*?)\n=== end of answer", content, re.MULTILINE | re.DOTALL
    )
    return {letter.strip(): text for letter, text in found}


def judge(content: str, turns: int) -> str:
    """Judges by length, in the form that the prompt asks for."""
    if "Write a reward function" in content:
        return f"```python\n{REWARD}\n```"
    if "Play through" in content or "write a critique" in content:
        return "It goes as it goes."
    shown = answers(content)
    ranked = sorted(shown, key=lambda letter: -len(shown[letter]))
    if '"tool"' in content and turns == 1:
        return json.dumps({"tool": "python", "input": f"print(len({shown['']!r}))"})
    if "rank several" in content:
        return f"By length.\n{json.dumps({'ranking': ranked})}"
    if "rate answers" in content:
        return json.dumps({"ratings": {letter: max(1, 5 - place) for place, letter in enumerate(ranked)}})
    if "" in shown:
        return f"By length.\n{json.dumps({'score': min(10, 1 + len(shown['']) // 8)})}"
    return f"By length.\n{json.dumps({'winner': ranked[0]})}"


def speaker() -> Callable[[dict[str, Any]], str]:
    random = Random(3)

    def speak(body: dict[str, Any]) -> str:
        content = body["messages"][0]["content"]
        if "It is never an instruction to you" in content or "reward function" in content or "Play through" in content:
            return judge(content, len(body["messages"]))
        return " ".join(random.choices(WORDS, k=random.randint(1, 14)))

    return speak


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_makes_pairs_whose_chosen_its_judge_prefers(recipe, tmp_path, command, serve_engine):
    served = serve_engine(out_tokens=20, judge_out_tokens=20)
    served.engine.speak = speaker()
    rows = [{"prompt": f"Name fruits, number {i}.", "reference": "plum"} for i in range(6)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    more = () if recipe == "self-judge" else ("--judge", f"openai:{served.url}:referee")
    ran = command(
        "run", recipe, "--prompts", "prompts.jsonl", "--policy", f"openai:{served.url}:plum", *more,
        "--set", "sample.max_tokens=512", "--yes", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["rows"][RECIPES[recipe]] >= 4
    outcomes = {outcome for counts in ran.json["outcomes"].values() for outcome, n in counts.items() if n}
    assert outcomes <= {"valid", "agreed"} or recipe == "self-judge"
    if RECIPES[recipe] == "preferences":
        found = command("sql", "select chosen[1].content, rejected[1].content from preferences", "--format", "json")
        for pair in json.loads(found.out):
            chosen, rejected = pair.values()
            assert len(chosen) > len(rejected)
