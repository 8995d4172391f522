"""A lake with something of everything to look at: rules, judges that disagree, two versions, a refusal, a search."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from benchmarks.engine import Engine
from flows import api

TOPICS = ("sleep", "bread", "tides", "chess", "rust", "bees", "maps", "salt", "glass", "wind", "coffee", "snow")
SUMS = ((20, 7), (31, 9), (44, 18))
SAYINGS = (
    "It depends on how much time you have.", "Start small and write down what you see.",
    "Most people change too many things at once.", "A good rule is to measure before and after.",
    "The first week tells you little.", "Ask somebody who has done it before.",
    "There is no shortcut, but there are better and worse orders.", "Keep what works and drop the rest.",
)  # fmt: skip
SAID: Counter[str] = Counter()
"""How often each question was answered, so that no two answers are alike."""


def _coin(*parts: object) -> float:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=6).digest(), "big") / 2**48


def speak(body: dict[str, Any]) -> str:
    """Answers questions in one to seven sentences, and judges answers by their length, with whims."""
    content = body["messages"][-1]["content"]
    fences = re.findall(r"^=== answer ([A-Z]? ?)[0-9a-f]{12} ===\n(.*?)\n=== end of answer", content, re.M | re.S)
    if not fences:
        SAID[content] += 1
        seed = (content, SAID[content])
        count = 1 + int(7 * _coin("n", seed))
        picked = sorted(SAYINGS, key=lambda text: _coin(text, seed))[:count]
        return " ".join([f"About {content.split()[5]}:", *picked])
    liked = {letter.strip(): len(text) / 400 + 0.5 * _coin(content[:300], text) for letter, text in fences}
    if _coin("garbled", content) < 0.02:
        return "I would rather not say."
    if "" in liked:
        return f"On balance.\n{json.dumps({'score': max(1, min(10, round(10 * liked[''])))})}"
    best = max(liked, key=lambda letter: liked[letter] + (0.12 if letter == "A" else 0))
    return f"On balance.\n{json.dumps({'winner': best})}"


@contextmanager
def engine() -> Iterator[str]:
    """Serves that speaker on a real socket; yields its base URL."""
    ready, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def serve() -> None:
        made = Engine(prefill_ms=1.0, tpot_ms=0.0, out_tokens=20, judge_out_tokens=20)
        made.speak = speak
        async with made.serve() as url:
            urls.append(url)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


def build(root: Path) -> None:
    """Makes the lake: ``quickstart`` twice, ``preference-strength`` by an engine, ``math-shepherd`` trees."""
    root.mkdir(parents=True, exist_ok=True)
    for limit in (90, 120):
        api.run("quickstart", root=root, limit=limit)
    asked = [{"prompt": f"How do I learn about {topic} in {n} days?"} for topic in TOPICS for n in (3, 10, 30)]
    (root / "questions.jsonl").write_text("\n".join(map(json.dumps, asked)))
    with engine() as url:
        api.run(
            "preference-strength", root=root, prompts=root / "questions.jsonl",
            policy=f"openai:{url}:small?price_in=0.5&price_out=1.5",
            judge=f"openai:{url}:referee?price_in=0.5&price_out=1.5",
        )  # fmt: skip
    sums = [{"prompt": f"What is {a} + {b} - {a // 2}?", "reference": str(a + b - a // 2)} for a, b in SUMS]
    (root / "sums.jsonl").write_text("\n".join(map(json.dumps, sums)))
    api.run("math-shepherd", root=root, prompts=root / "sums.jsonl", policy="embedded")
