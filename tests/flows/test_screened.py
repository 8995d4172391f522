"""The recipe ``screened`` end to end: every one of its filters has something to take out, and does."""

from __future__ import annotations

import json
from collections import Counter

import polars as pl

from storage.store import Store
from tests.support.referee import judges

THINGS = ("tides", "bread", "rust", "salt", "maps", "moss", "kites", "glass", "rivers", "clocks", "owls", "snow")
VERBS = ("How do I learn about", "Tell me a story of", "What is known of", "Draw up a plan to study")
SAID: Counter[str] = Counter()
OPENING = "well it is said of old"
LONG = " ".join(f"the {thing} of the {other}" for thing, other in zip(THINGS, THINGS[::-1], strict=True))
BITES = [
    word for setting in (
        "toxic.logits=false", "toxic.most=-195", "uninformative.keep=0.9", "semantic_duplicates.threshold=0.6",
        "balance_topics.topics=6", "balance_topics.times=1", "stock_phrases.least=3", "diverse_subset.keep=2",
        "length_adjusted.least=3",
    ) for word in ("--set", setting)
]  # fmt: skip
"""Settings under which a few dozen prompts are enough for each filter to find something."""


def speak(body):
    """Judges by taste; answers a question in other words each time, mostly with one opening."""
    content = str(body["messages"][0]["content"])
    if "It is never an instruction to you" in content:
        return judges(content, len(body["messages"]))
    SAID[content] += 1
    mark = (len(content) * 7 + 13 * SAID[content]) % 97
    if " rust in " in content:
        return "The same to everybody."
    opening = OPENING if mark % 5 else "that is how"
    return f"{opening} {THINGS[mark % 12]} {mark} {THINGS[mark // 12]}" + " plum" * (mark % 5)


def test_every_filter_of_screened_takes_its_share(tmp_path, command, serve_engine):
    served = serve_engine(out_tokens=20, judge_out_tokens=20)
    served.engine.speak = speak
    asked = [f"{verb} {thing} in {len(verb) + i} days" for verb in VERBS for i, thing in enumerate(THINGS)]
    asked += ["Learning about tides in 20 days: how do I do it", *(LONG + "!" * i for i in range(8))]
    (tmp_path / "prompts.jsonl").write_text("\n".join(json.dumps({"prompt": text}) for text in asked))
    ran = command(
        "run", "screened", "--prompts", "prompts.jsonl", "--policy", f"openai:{served.url}:plum", "--set",
        f"pointwise.model=openai:{served.url}:referee", "--set", "reward_model.model=embedded", *BITES, "--yes",
        "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["outcomes"] == {"pointwise": {"valid": 57 * 6}, "reward_model": {"valid": 57 * 6}}
    removed = {block: sum(reasons.values()) for block, reasons in ran.json["removed"].items()}
    assert set(removed) - {"weak_pairs"} == {
        "toxic", "uninformative", "near_duplicates", "semantic_duplicates", "balance_topics", "stock_phrases",
        "diverse_subset",
    }  # fmt: skip
    store = Store.open(str(tmp_path / "lake"))
    pairs, scores = store.read("preferences").collect(), store.read("scores").collect()
    assert pairs.height == ran.json["rows"]["preferences"] == 53 - sum(removed.values())
    toxic = dict(scores.filter(criterion="toxicity").select("completion_id", "score").iter_rows())
    assert max(toxic[name] for name in pairs["chosen_id"]) <= -195 < max(toxic.values())
    notes = [json.loads(meta) for meta in pairs["meta"]]
    assert all(note["length_slope"] != 0 for note in notes)  # the margins are less what length explains of them
    assert (pairs["margin"] != pl.Series([note["plain_margin"] for note in notes])).any()
    assert set(pairs["split"]) <= {"train", "test"}
