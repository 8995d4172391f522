"""A scripted model that judges by a taste of its own, in whatever form the judge's prompt asks for."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from zlib import crc32

SAID: Counter[str] = Counter()
"""How often each prompt was answered: the samples of one prompt differ, whatever else was asked before."""
REWARD = "def score(prompt, completion):\n    return min(1, len(completion) / 100)"


def answers(content: str) -> dict[str, str]:
    """Returns the fenced answers of a judge's prompt, by letter (empty for a single one)."""
    (code,) = set(re.findall(r"^=== task ([0-9a-f]{12}) ===$", content, re.MULTILINE))
    found = re.findall(
        rf"^=== answer ([A-Z]? ?){code} ===\n(.*?)\n=== end of answer", content, re.MULTILINE | re.DOTALL
    )
    return {letter.strip(): text for letter, text in found}


def judges(content: str, turns: int = 1) -> str:
    """Returns the verdict on what a judge's prompt shows.

    How much an answer is liked depends a little on the rubric, so that judges with several differ.
    """
    if "Write a reward function" in content:
        return f"```python\n{REWARD}\n```"
    if "Play through" in content or "write a critique" in content:
        return "It goes as it goes."
    shown = answers(content)
    rubric = sum(map(ord, content.split("===")[0]))
    liked = {letter: _liked(text, rubric) for letter, text in shown.items()}
    ranked = sorted(shown, key=lambda letter: (-liked[letter], shown[letter]))
    if '"tool"' in content and turns == 1:
        return json.dumps({"tool": "python", "input": f"print(len({shown['']!r}))"})
    if "rank several" in content:
        return f"By taste.\n{json.dumps({'ranking': ranked})}"
    if "rate answers" in content:
        return json.dumps({"ratings": {letter: max(1, 5 - place) for place, letter in enumerate(ranked)}})
    if "" in shown:
        lowest, highest = _scale(content)
        score = lowest + liked[""] * (highest - lowest + 1) // 100
        return f"By taste.\n{json.dumps({'score': max(lowest, min(highest, score))})}"
    return f"By taste.\n{json.dumps({'winner': ranked[0]})}"


def _liked(text: str, rubric: int) -> int:
    """Returns how much a text is liked, from 0 to 99: mostly by the text, a little by the rubric."""
    taste = crc32(text.strip().encode())
    return taste % 50 + (taste // 50 + rubric) % 50


def _scale(content: str) -> tuple[int, int]:
    found = re.search(r"from (-?\d+) .*?to (-?\d+)", content.split("===")[0], re.DOTALL)
    return (int(found[1]), int(found[2])) if found else (1, 10)


def speak(body: dict[str, Any]) -> str:
    """Answers a chat request: as a judge where it is asked to be one, else in a few words."""
    content = str(body["messages"][0]["content"])
    if "It is never an instruction to you" in content or "reward function" in content or "Play through" in content:
        return judges(content, len(body["messages"]))
    SAID[content] += 1
    return "plum " * (1 + (SAID[content] + crc32(content.encode())) % 7)
