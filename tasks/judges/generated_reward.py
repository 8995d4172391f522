"""Has a model write reward functions as Python, vets them, and scores completions with them in the sandbox.

Source: Text2Reward (arXiv:2309.11489, section 3: write, execute, repair); Eureka (arXiv:2310.12931, section 3: several
candidates at a time).

Use it for goals a program can see: form, structure, presence, length, arithmetic. The functions are written once a
recipe and kept, so a million completions cost as many calls as one. It is bad at meaning, and easy to please: audit it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.ids import content_id, seed_for
from schemas.messages import text_of
from tasks.judges import _reward_code
from tasks.judges import _reward_drafts as _drafts
from tasks.judges._ask import Ask
from tasks.judges._reward_drafts import SAMPLES, Draft
from tasks.judges._rows import Row, conversation, judgeable, with_cost_of
from tasks.judges._text import fill, shown, template


@judge(asks=True, runs=True)
def generated_reward(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    goal: str,
    functions: int = 1,
    repairs: int = 2,
    cpu_s: float = 5.0,
    wall_s: float = 15.0,
    criterion: str = "reward",
    temperature: float = 0.7,
    max_tokens: int = 1536,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion and function: the number from 0 to 1 that it returned, the same twice.

    A function that raises, returns anything else or differs from call to call gives the outcome ``error`` and no score.
    Functions written alike count once. ``meta.function`` is the hash of the code, which stands in ``raw`` of its first
    judgment a prompt. Where none could be written, every completion is ``unparsable``, with the faults as rationale.

    Args:
        model: SPEC of the writer.
        goal: what a good completion is, in words. Prompts and completions are not shown to the writer.
        functions: so many are written, each from a seed of its own. repairs: times that faults are told to the writer.
        cpu_s, wall_s: limits of one run.
    """
    held = judgeable(completions)
    if not held:
        return []
    text, version = template(__file__)
    asked = fill(text, {"goal": goal, "modules": ", ".join(sorted(_reward_code.MODULES))})
    drafts = [
        Draft([{"role": "user", "content": asked}], seed_for(seed, "reward function", i)) for i in range(functions)
    ]
    limits = {"cpu_s": cpu_s, "wall_s": wall_s, "processes": 1}
    for _ in range(repairs + 1):
        writing = [draft for draft in drafts if draft.open]
        if not writing:
            break
        ask = Ask(model, version, 0, temperature, max_tokens)
        replies = yield [replace(ask(""), messages=list(draft.messages), seed=draft.seed) for draft in writing]
        for draft, reply in zip(writing, replies, strict=True):
            _drafts.take(draft, reply)
        trying = [draft for draft in writing if draft.failed is None and not draft.faults]
        tried = (yield [_drafts.run(draft.code, SAMPLES, limits) for draft in trying]) if trying else []
        for draft, reply in zip(trying, tried, strict=True):
            _drafts.try_out(draft, reply)
        for draft in writing:
            if draft.open:
                told = "\n".join(f"- {fault}" for fault in draft.faults)
                draft.messages.append({"role": "user", "content": f"It cannot be used:\n{told}\nWrite it again."})
    written = list({draft.code: draft for draft in drafts if not draft.faults and draft.failed is None}.values())
    if not written:
        return [_unwritten(row, drafts, criterion) for row in held]
    task = conversation(prompt["messages"])
    cases = [(task, text_of(row["messages"])) for row in held]
    replies = yield [_drafts.run(draft.code, cases, limits) for draft in written]
    rows = [row for draft, reply in zip(written, replies, strict=True) for row in _rows(held, draft, reply, criterion)]
    return [with_cost_of(rows[0], *(reply for draft in drafts for reply in draft.spent)), *rows[1:]]


def _rows(held: Sequence[Row], draft: Draft, reply: Reply, criterion: str) -> list[Row]:
    found = _drafts.results(reply, len(held))
    results = [{"error": found}] * len(held) if isinstance(found, str) else found
    rows = []
    for completion, result in zip(held, results, strict=True):
        meta = {"function": content_id("reward function", draft.code), "attempts": draft.attempts}
        meta |= {"error": result["error"]} if "error" in result else {}
        rows.append(_row(completion, criterion, "error" if "error" in result else "valid") | {
            "score": result.get("score"), "meta": orjson.dumps(meta).decode(),
        })  # fmt: skip
    rows[0]["raw"] = draft.code
    return rows


def _unwritten(completion: Row, drafts: Sequence[Draft], criterion: str) -> Row:
    failed = next((draft.failed for draft in drafts if draft.failed), None)
    why = failed or "; ".join(drafts[0].faults)
    return _row(completion, criterion, "error" if failed else "unparsable") | {"rationale": why[:2000]}


def _row(completion: Row, criterion: str, outcome: str) -> Row:
    return {
        "kind": "pointwise", "subjects": [completion["completion_id"]], "criterion": criterion, "outcome": outcome,
        "score": None, "flags": list(shown(text_of(completion["messages"])).flags),
    }  # fmt: skip
