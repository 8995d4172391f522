"""What a run says of itself: the document behind ``--json``, the summary on the terminal, and the ``runs`` row."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from tasks.driver import Rows
from tasks.spending import Tally

ROWS = ("prompts", "completions", "judgments", "scores", "removals")
"""The tables whose rows are counted shard by shard, in the order in which they come to be."""


@dataclass
class Counts:
    """Counts that add up over shards.

    Attributes:
        rows: table -> rows of this run. removed: block -> reason -> count.
        outcomes: judge -> outcome -> judgments; ``contradicted`` counts comparisons whose two orders disagree.
        comparisons: judge -> what became of its comparisons -> count.
        labels: judge -> how many of its verdicts on labelled completions agree with the label, and of how many.
    """

    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(ROWS, 0)))
    removed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    comparisons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    labels: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    finish: Counter[str] = field(default_factory=Counter)

    def add_answers(self, completions: Rows, judgments: Rows) -> None:
        """Counts the completions and judgments of one shard."""
        self.rows["completions"] += len(completions)
        self.rows["judgments"] += len(judgments)
        labels = {row["completion_id"]: row["label"] for row in completions if row.get("label") is not None}
        for row in completions:
            self.finish[row["finish_reason"]] += 1
        seen = set()
        for row in judgments:
            judge = row["judge"]
            self.outcomes[judge][row["outcome"]] += 1
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

    def all_outcomes(self) -> dict[str, dict[str, int]]:
        """Returns the outcomes by judge, contradicted comparisons among them."""
        out = {judge: dict(sorted(counter.items())) for judge, counter in sorted(self.outcomes.items())}
        for judge, counter in self.comparisons.items():
            out[judge]["contradicted"] = counter["contradicted"]
        return out


@dataclass
class Result:
    """What a run did. ``status`` is done, refused (a gate blocked; the data is in quarantine) or stopped.

    Attributes:
        errors: what failed calls said -> how many. raised: block -> on how many prompts its own code raised, and what.
    """

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
    reason: str | None = None
    root: str = ""
    raised: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns the result as plain values."""
        return asdict(self)


def raised(tally: Tally) -> dict[str, dict[str, Any]]:
    """Returns block -> on how many prompts it raised, and what it raised on the first of them."""
    return {block: {"prompts": count, "first": tally.first_raised.get(block)} for block, count in tally.raised.items()}


def spent(tally: Tally) -> tuple[dict[str, int], dict[str, float | None]]:
    """Returns the calls and the tokens of a run, and the share of prompt tokens that engines had in their caches."""
    calls = {"asked": tally.asked, "from_ledger": tally.from_ledger, "failed": tally.failed}
    tokens: dict[str, float | None] = {
        "prompt": tally.prompt_tokens, "cached": tally.cached_tokens, "completion": tally.completion_tokens,
        "total": tally.tokens,
        "cached_share": round(tally.cached_tokens / tally.prompt_tokens, 4) if tally.prompt_tokens else None,
    }  # fmt: skip
    return calls, tokens
