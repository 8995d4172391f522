"""What a run would ask, cost and take: counted by walking its exchanges against the ledger, measured by a pilot."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.plan import Plan
from flows.shards import judged
from schemas.errors import boundary
from schemas.exchange import Choice, Reply, Request
from schemas.ids import content_id
from storage.ledger import Ledger, Stored
from tasks import registry
from tasks.answer import answers, keyed
from tasks.backends.base import Backend
from tasks.backends.replay import Replay
from tasks.driver import Driver, Rows, from_ledger, revised
from tasks.judge import Judging
from tasks.sample import Sampling

WALKED = 2_000
"""Prompts that are walked one by one; what they need is scaled up to all of them."""


@dataclass
class Use:
    """What one model is asked in the prompts walked: calls and answers missing, and what answers there are took."""

    calls: int = 0
    missing: int = 0
    there: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0

    def add(self, request: Request, found: dict[int, Stored]) -> None:
        """Adds one request, and the answers to it that the ledger holds."""
        self.there += len(found)
        self.missing += request.n - len(found)
        self.calls += len(found) < request.n
        for stored in found.values():
            self.completion_tokens += stored.choice.completion_tokens
            self.prompt_tokens += stored.prompt_tokens
            self.latency_s += stored.latency_s


def estimate(
    plan: Plan, ledger: Ledger, revisions: Mapping[str, str], *, walked: int = WALKED
) -> dict[str, Any]:  # fmt: skip
    """Returns calls, tokens, cost and time that a run would need, by model, and what the ledger already holds.

    Samples that are not there yet stand in as placeholders, so that the calls their judges will make are counted too.
    Tokens, cost (US dollars) and seconds are averages of the answers there are: null for a model that has answered
    nothing yet (a pilot mends that).
    """
    uses: dict[str, Use] = defaultdict(Use)

    def reply(request: Request) -> Reply:
        backend = plan.backends[request.model]
        if isinstance(backend, Replay):
            return backend.told(request)
        found = ledger.find(revised(request, revisions), plan.names.get(request.model, ()))
        uses[request.model].add(request, found)
        if len(found) == request.n:
            return from_ledger(found)
        wanted = range(request.first, request.first + request.n)
        return Reply(choices=tuple(found[i].choice if i in found else _placeholder(i) for i in wanted))

    sampled = next(plan.prompts.shards(walked))
    for prompt in keyed(sampled, plan.elders):
        _walk(plan, prompt, reply)
    scale = plan.prompts.height / sampled.height
    models = [_row(spec, use, plan.backends[spec], scale) for spec, use in sorted(uses.items())]
    return {
        "recipe": plan.recipe.name, "prompts": plan.prompts.height, "calls": sum(row["calls"] for row in models),
        "in_ledger": sum(row["answers_in_ledger"] for row in models),
        "cost": _sum(row["cost"] for row in models), "seconds": _sum(row["seconds"] for row in models),
        "models": models,
    }  # fmt: skip


def _walk(plan: Plan, prompt: dict[str, Any], reply: Any) -> None:
    """Walks one prompt through every sampler, then every judge that asks."""
    completions: Rows = []
    for spec in plan.recipe.of("sample"):
        params = registry.check(spec, plan.recipe.name)
        if "seed" in params:
            params["seed"] += plan.seed
        with boundary(f"recipe {plan.recipe.name}, block sample: {spec.name}"):
            rows = _exchange(registry.find("sample", spec.name).function, reply, prompt, **params)
        for row in rows:
            row["completion_id"] = content_id("planned", prompt["prompt_id"], spec.name, row["sample_index"])
            row["prompt_id"] = prompt["prompt_id"]
            row.setdefault("policy", params.get("policy") or "")
            completions.append(row)
    keep = judged(plan)
    completions = keep(completions) if keep else completions
    for spec in plan.recipe.of("judge"):
        function = registry.find("judge", spec.name).function
        if inspect.isgeneratorfunction(function):
            _exchange(function, reply, prompt, completions, **registry.check(spec, plan.recipe.name))


def _exchange(block: Any, reply: Any, *args: Any, **params: Any) -> Rows:
    exchange: Any = block(*args, **params)
    if isinstance(exchange, list):
        made: Rows = exchange  # it asks nobody
        return made
    try:
        requests = next(exchange)
        while True:
            requests = exchange.send([reply(request) for request in requests])
    except StopIteration as end:
        rows: Rows = end.value
        return rows


def _row(spec: str, use: Use, backend: Backend, scale: float) -> dict[str, Any]:
    calls, missing = round(use.calls * scale), round(use.missing * scale)
    row: dict[str, Any] = {
        "model": spec, "calls": calls, "answers_to_buy": missing, "answers_in_ledger": round(use.there * scale),
        "prompt_tokens": None, "completion_tokens": None, "cost": None, "seconds": None,
    }  # fmt: skip
    if not missing:
        return row | {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.0, "seconds": 0.0}
    if use.there:
        row["prompt_tokens"] = round(calls * use.prompt_tokens / use.there)
        row["completion_tokens"] = round(missing * use.completion_tokens / use.there)
        row["seconds"] = round(calls * use.latency_s / use.there / backend.slots, 1)
        read, sampled = prices(backend)
        row["cost"] = round((row["prompt_tokens"] * read + row["completion_tokens"] * sampled) / 1e6, 4)
    return row


def prices(backend: Backend) -> tuple[float, float]:
    """Returns US dollars a million prompt tokens and a million completion tokens; zero where nothing is paid."""
    options = getattr(backend, "options", None)
    return getattr(options, "price_in", 0.0), getattr(options, "price_out", 0.0)


def _sum(values: Iterator[Any]) -> float | None:
    """Returns the sum; null when a part of it is not known."""
    known = list(values)
    return None if None in known else round(sum(known), 4)


def _placeholder(index: int) -> Choice:
    return Choice(index=index, text=f"(sample {index}, not there yet)", completion_tokens=0)


async def pilot(plan: Plan, driver: Driver, fingerprints: dict[str, str], prompts: int) -> None:
    """Runs the first prompts for real; their answers are kept, so the run itself does not ask them again."""
    samplings = [Sampling(s, plan.recipe.name, plan.seed, fingerprints) for s in plan.recipe.of("sample")]
    judgings = [Judging(s, plan.recipe.name, fingerprints) for s in plan.recipe.of("judge")]
    first = next(plan.prompts.shards(prompts))
    async for _ in answers(driver, [first], samplings, judgings, judged(plan)):
        pass
