"""What a run says of itself: the document behind ``--json``, the summary on the terminal, and the ``runs`` row."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from schemas.messages import text_of
from tasks.driver import Rows
from tasks.spending import Tally

ROWS = ("prompts", "completions", "judgments", "scores", "removals")
"""The tables whose rows are counted shard by shard, in the order in which they come to be."""

MOST_UNREAD = 0.05
"""The share of judgments that are not known above which a run's summary begins with them."""
EXAMPLES = 3
_TAIL = 80


@dataclass
class Counts:
    """Counts that add up over shards.

    Attributes:
        rows: table -> rows of this run. removed: block -> reason -> count.
        outcomes: judge -> outcome -> judgments; ``contradicted`` counts comparisons whose two orders disagree.
        comparisons: judge -> what became of its comparisons -> count.
        labels: judge -> how many of its verdicts on labelled completions agree with the label, and of how many.
        unread: judge -> three of the judgments that are not known: prompt, end of the completion, flags.
    """

    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(ROWS, 0)))
    removed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    comparisons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    labels: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    finish: Counter[str] = field(default_factory=Counter)
    unread: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add_answers(self, completions: Rows, judgments: Rows) -> None:
        """Counts the completions and judgments of one shard."""
        self.rows["completions"] += len(completions)
        self.rows["judgments"] += len(judgments)
        labels = {row["completion_id"]: row["label"] for row in completions if row.get("label") is not None}
        for row in completions:
            self.finish[row["finish_reason"]] += 1
        seen = set()
        texts = {row["completion_id"]: row for row in completions}
        for row in judgments:
            judge = row["judge"]
            self.outcomes[judge][row["outcome"]] += 1
            if row["outcome"] == "unparsable" and len(self.unread[judge]) < EXAMPLES:
                self.unread[judge].append(_unread(row, texts))
            if row.get("comparison") and row["comparison_id"] not in seen:
                seen.add(row["comparison_id"])
                self.comparisons[judge][row["comparison"]] += 1
            if labels and row["kind"] == "pointwise" and row["outcome"] == "valid" and row["subjects"][0] in labels:
                self.labels[judge]["of"] += 1
                self.labels[judge]["agree"] += (row["score"] >= 0.5) == labels[row["subjects"][0]]

    def add_removals(self, removals: pl.DataFrame) -> None:
        """Counts what filters took out."""
        self.rows["removals"] += removals.height
        for block, reason, count in removals.group_by("block", "reason").len().sort("block", "reason").iter_rows():
            self.removed[block][reason] += count

    def unread_shares(self) -> list[dict[str, Any]]:
        """Returns the judges of whose judgments more than 5 % are not known, with their share and examples."""
        out = []
        for judge, outcomes in sorted(self.outcomes.items()):
            total = sum(outcomes.values())
            if outcomes["unparsable"] > MOST_UNREAD * total:
                share = outcomes["unparsable"] / total
                out.append({"judge": judge, "share": round(share, 4), "of": total, "examples": self.unread[judge]})
        return out

    def all_outcomes(self) -> dict[str, dict[str, int]]:
        """Returns the outcomes by judge, contradicted comparisons among them."""
        out = {judge: dict(sorted(counter.items())) for judge, counter in sorted(self.outcomes.items())}
        for judge, counter in self.comparisons.items():
            out[judge]["contradicted"] = counter["contradicted"]
        return out


def _unread(judgment: dict[str, Any], completions: dict[str, dict[str, Any]]) -> dict[str, str]:
    completion = completions.get(next(iter(judgment["subjects"] or []), ""), {})
    text = " ".join(text_of(completion.get("messages") or []).split())
    prompt = judgment.get("prompt_id") or completion.get("prompt_id") or ""
    return {"prompt_id": prompt, "end": text[-_TAIL:], "flags": ", ".join(judgment.get("flags") or ["unparsable"])}


@dataclass
class Result:
    """What a run did. ``status`` is done, refused (a gate blocked; the data is in quarantine) or stopped."""

    status: str
    dataset: str
    version: str | None
    run_id: str
    recipe: str
    rows: dict[str, int]
    removed: dict[str, dict[str, int]]
    outcomes: dict[str, dict[str, int]]
    comparisons: dict[str, dict[str, int]]
    labels: dict[str, dict[str, int]]
    calls: dict[str, int]
    tokens: dict[str, float | None]
    cost: float
    seconds: float
    digest: str | None = None
    gates: list[dict[str, Any]] = field(default_factory=list)
    measures: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    unread: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None
    root: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the result as plain values."""
        return asdict(self)


def spent(tally: Tally) -> tuple[dict[str, int], dict[str, float | None]]:
    """Returns the calls and the tokens of a run, and the share of prompt tokens that engines had in their caches."""
    calls = {"asked": tally.asked, "from_ledger": tally.from_ledger, "failed": tally.failed}
    tokens: dict[str, float | None] = {
        "prompt": tally.prompt_tokens, "cached": tally.cached_tokens, "completion": tally.completion_tokens,
        "total": tally.tokens,
        "cached_share": round(tally.cached_tokens / tally.prompt_tokens, 4) if tally.prompt_tokens else None,
    }  # fmt: skip
    return calls, tokens
