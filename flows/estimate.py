"""What a run would ask: found by walking its exchanges against the ledger, without asking anything."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import Any

from flows.plan import Plan
from flows.settings import Settings
from schemas.exchange import Choice, Reply, Request
from schemas.ids import content_id
from storage.ledger import Ledger
from tasks import registry
from tasks.driver import Rows, from_ledger

PROMPTS_WALKED = 2_000
"""Prompts that are walked one by one; what they need is scaled up to all of them."""


def estimate(plan: Plan, root: str, *, settings: Settings | None = None) -> dict[str, Any]:
    """Returns calls and tokens a run would need, by model, and what the ledger already holds.

    Samples that are not there yet stand in as placeholders, so that the calls their judges will make are counted too.
    """
    settings = settings or Settings()
    where = settings.ledger or str(Path(root) / "ledger.sqlite")
    there = settings.ledger is not None or Path(where).is_file()
    ledger = Ledger.open(where) if there else None
    try:
        walk = _Walk(plan, ledger)
        walked = next(plan.prompts.shards(PROMPTS_WALKED))
        for prompt in walked.iter_rows(named=True):
            walk.prompt(prompt)
        return walk.result(plan.prompts.height / walked.height)
    finally:
        if ledger:
            ledger.close()


class _Walk:
    """Counts what is there and what is missing, by model."""

    def __init__(self, plan: Plan, ledger: Ledger | None) -> None:
        self.plan, self.ledger = plan, ledger
        self.there: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.known_tokens: Counter[str] = Counter()
        self.recorded = {spec for spec, backend in plan.backends.items() if getattr(backend, "records", False)}

    def prompt(self, prompt: dict[str, Any]) -> None:
        """Walks one prompt through every sampler, then every judge."""
        completions: Rows = []
        for spec in self.plan.recipe.of("sample"):
            params = registry.check(spec, self.plan.recipe.name)
            if "seed" in params:
                params["seed"] += self.plan.seed
            for row in self._exchange(registry.find("sample", spec.name).function, prompt, **params):
                row["completion_id"] = content_id("planned", prompt["prompt_id"], row["sample_index"])
                completions.append(row)
        for spec in self.plan.recipe.of("judge"):
            function = registry.find("judge", spec.name).function
            if inspect.isgeneratorfunction(function):
                self._exchange(function, prompt, completions, **registry.check(spec, self.plan.recipe.name))

    def _exchange(self, block: Any, *args: Any, **params: Any) -> Rows:
        exchange = block(*args, **params)
        try:
            requests = next(exchange)
            while True:
                requests = exchange.send([self._reply(request) for request in requests])
        except StopIteration as end:
            rows: Rows = end.value
            return rows

    def _reply(self, request: Request) -> Reply:
        if request.model in self.recorded:
            return Reply(choices=tuple(_placeholder(i) for i in range(request.n or 4)))
        found = self.ledger.find(request) if self.ledger else {}
        self.there[request.model] += len(found)
        self.missing[request.model] += request.n - len(found)
        self.calls[request.model] += len(found) < request.n
        for stored in found.values():
            self.known_tokens[request.model] += stored.choice.completion_tokens
        if len(found) == request.n:
            return from_ledger(found)
        wanted = range(request.first, request.first + request.n)
        return Reply(choices=tuple(found[i].choice if i in found else _placeholder(i) for i in wanted))

    def result(self, scale: float) -> dict[str, Any]:
        """Returns the counts, scaled to all prompts."""
        models = sorted(self.there | self.missing)
        rows = []
        for model in models:
            there = self.there[model]
            average = self.known_tokens[model] / there if there else None
            rows.append(
                {
                    "model": model,
                    "calls": round(self.calls[model] * scale),
                    "answers_to_buy": round(self.missing[model] * scale),
                    "answers_in_ledger": round(there * scale),
                    "completion_tokens": None if average is None else round(average * self.missing[model] * scale),
                }
            )
        return {
            "recipe": self.plan.recipe.name,
            "prompts": self.plan.prompts.height,
            "calls": sum(row["calls"] for row in rows),
            "in_ledger": sum(row["answers_in_ledger"] for row in rows),
            "models": rows,
        }


def _placeholder(index: int) -> Choice:
    return Choice(index=index, text=f"(sample {index}, not there yet)", completion_tokens=0)
