"""Small worlds for selectors: prompts, completions, scores, judgments and search trees that tell the same story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import polars as pl
from hypothesis import strategies as st

from schemas.ids import content_id
from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS, JUDGMENTS, NODES, PROMPTS, SCORES, Table

LOG = ("dataset", "run_id", "created_at")
JUDGES = ("j1", "j2", "j3")
TEXTS = (
    "4",
    "5",
    " 4\n",
    "caf\u00e9",
    "cafe\u0301",
    "It is four.",
    "It is five.",
    "",
    "a longer answer, of more words",
)
SPLITS = {"p": "train", "q": "test", "r": None}


class Sample(NamedTuple):
    """One completion: its prompt, text, two scores in eighths (so that sums are exact), how it ended, who wrote it."""

    prompt: str
    text: str
    a: float
    b: float
    finish: str = "stop"
    policy: str = "own"


EIGHTHS = st.integers(-40, 40).map(lambda n: n / 8)
SAMPLES = st.lists(
    st.builds(
        Sample, prompt=st.sampled_from("pqr"), text=st.sampled_from(TEXTS), a=EIGHTHS | st.sampled_from([0.0, 1.0]),
        b=EIGHTHS | st.sampled_from([0.0, 1.0]), finish=st.sampled_from(["stop", "stop", "stop", "length", "refused"]),
        policy=st.sampled_from(["own", "own", "other"]),
    ),
    max_size=12,
)  # fmt: skip


def world(samples: Sequence[Sample]) -> dict[str, pl.DataFrame]:
    """Returns the five tables; a completion's id says nothing of its place."""
    named = [(f"{i * 7919 % 97:02d}", sample) for i, sample in enumerate(samples)]
    return {
        "prompts": _frame(PROMPTS, [
            {"prompt_id": name, "messages": to_rows(f"Question {name}?"), "group": "all", "split": SPLITS[name]}
            for name in "pqr"
        ]),
        "completions": _frame(COMPLETIONS, [_completion(name, sample) for name, sample in named]),
        "scores": _frame(SCORES, [
            {"completion_id": name, "prompt_id": one.prompt, "criterion": kind, "scorer": "mean",
             "score": getattr(one, kind), "judgments": 1}
            for kind in "ab" for name, one in named
        ]),
        "judgments": _frame(JUDGMENTS, [*_grades(named), *_duels(named)]),
        "nodes": _frame(NODES, _nodes(named)),
    }  # fmt: skip


def _frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={k: v for k, v in table.empty().schema.items() if k not in LOG})


def _completion(name: str, one: Sample) -> dict[str, Any]:
    messages, tokens = assistant(one.text), list(one.text)
    return {
        "completion_id": name, "prompt_id": one.prompt, "policy": one.policy, "fingerprint": one.policy,
        "sample_index": int(name), "messages": messages, "content_id": content_id("completion", messages),
        "finish_reason": one.finish, "completion_tokens": len(tokens), "logprob": -0.5 * len(tokens),
        "reference_logprob": -0.625 * len(tokens), "tokens": tokens, "token_logprobs": [-0.5] * len(tokens),
        "meta": orjson.dumps({"condition": one.policy, "reference_token_logprobs": [-0.625] * len(tokens)}).decode(),
    }  # fmt: skip


def _grades(named: list[tuple[str, Sample]]) -> list[dict[str, Any]]:
    return [
        _judgment(f"g{judge}{name}", judge, one.prompt, "pointwise", [name], score=one.a + place / 4)
        for place, judge in enumerate(JUDGES) for name, one in named
    ]  # fmt: skip


def _duels(named: list[tuple[str, Sample]]) -> list[dict[str, Any]]:
    return [
        _judgment(
            f"d{judge}{one}{other}", judge, x.prompt, "pairwise", [one, other],
            winner=None if x.a == y.a else one if x.a > y.a else other,
        )
        for judge in JUDGES for one, x in named for other, y in named if one != other and x.prompt == y.prompt
    ]  # fmt: skip


def _judgment(name: str, judge: str, prompt: str, kind: str, subjects: list[str], **said: Any) -> dict[str, Any]:
    valid = said.get("score") is not None or said.get("winner") is not None
    return {
        "judgment_id": name, "judge": judge, "fingerprint": judge, "prompt_id": prompt, "kind": kind, "criterion": "a",
        "subjects": subjects, "outcome": "valid" if valid else "tie", **said,
    }  # fmt: skip


def _nodes(named: list[tuple[str, Sample]]) -> list[dict[str, Any]]:
    """Returns a tree a prompt: each sample a first step of value ``a`` with one end, right where ``b`` is above 0."""
    rows = []
    for prompt in sorted({one.prompt for _, one in named}):
        root = {"node_id": f"{prompt}0", "parent_id": None, "depth": 0, "text": "", "terminal": False, "order": 0}
        rows.append(root | {"prompt_id": prompt, "visits": 9, "rollouts": 8, "successes": 4, "value": 0.0})
    for name, one in named:
        right, share = one.b > 0, min(max(round(one.a), 0), 4)
        step = {"node_id": name, "parent_id": f"{one.prompt}0", "depth": 1, "text": f"{one.text}\n", "terminal": False}
        rows.append(step | {"prompt_id": one.prompt, "value": one.a, "visits": 4, "rollouts": 4, "successes": share,
                            "order": 1 + int(name)})  # fmt: skip
        end = {"node_id": f"{name}e", "parent_id": name, "depth": 2, "text": f"End {name}", "terminal": True}
        rows.append(end | {"prompt_id": one.prompt, "value": 1.0 if right else -1.0, "reward": float(right),
                           "visits": 2, "rollouts": 2, "successes": 2 * right, "order": 200 + int(name)})  # fmt: skip
    for row in rows:
        row |= {"tree_id": row["prompt_id"], "meta": orjson.dumps({"order": row.pop("order")}).decode()}
    return rows


def failures(named: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Returns the world with answers nobody could judge: junk numbers under outcomes that do not count."""
    sick = [Sample(prompt, f"unjudged {prompt}", 0.0, 0.0) for prompt in "pqr"]
    names = [(f"zz{i}", one) for i, one in enumerate(sick)]
    grown = dict(named)
    rows = [_completion("99", one) | {"completion_id": name} for name, one in names]
    grown["completions"] = named["completions"].vstack(_frame(COMPLETIONS, rows))
    bad = [
        _judgment(f"{kind}{outcome}{name}", judge, one.prompt, kind, [name, *more], score=-99.0 if not more else None)
        | {"outcome": outcome, "winner": name if more else None}
        for outcome in ("unparsable", "refused", "truncated", "error") for judge in JUDGES for name, one in names
        for kind, more in (("pointwise", []), *(("pairwise", [other]) for other in _of(named, one.prompt)))
    ]  # fmt: skip
    grown["judgments"] = named["judgments"].vstack(_frame(JUDGMENTS, bad).unique("judgment_id", maintain_order=True))
    nulls = [
        {"completion_id": name, "prompt_id": one.prompt, "criterion": kind, "scorer": "mean", "score": value,
         "judgments": 0}
        for kind, value in (("a", None), ("b", float("nan"))) for name, one in names
    ]  # fmt: skip
    grown["scores"] = named["scores"].vstack(_frame(SCORES, nulls))
    return grown


def _of(named: dict[str, pl.DataFrame], prompt: str) -> list[str]:
    return named["completions"].filter(pl.col("prompt_id") == prompt)["completion_id"].to_list()[:1]


def moved(named: dict[str, pl.DataFrame], *, factor: float = 1.0, shift: float = 0.0) -> dict[str, pl.DataFrame]:
    """Returns the world with all scores times the factor, plus the shift on prompt p alone."""
    more = pl.when(pl.col("prompt_id") == "p").then(shift).otherwise(0.0)
    changed = (pl.col("score") * factor + more).alias("score")
    return named | {name: named[name].with_columns(changed) for name in ("scores", "judgments")}
