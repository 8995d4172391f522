"""The Prefect flow: the same run, on a schedule, on a worker, with its shards, tables and summary on the server.

    from flows.generate import generate
    generate("quickstart", root="./lake")

A task run is a shard of prompts, never one prompt. Prefect schedules and shows; it does not cache or retry answers:
the ledger does that, and knows better.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from flows import plan as planning
from flows.result import Result
from flows.run import ShardWork, raise_for_status, run
from flows.summary import summary
from tasks.answer import SHARD
from tasks.load import parse_map
from tasks.spending import Budget


@task(name="shard", task_run_name="shard {index}", persist_result=False, cache_policy=NO_CACHE)
def shard(index: int, work: ShardWork) -> None:
    """Commits one shard's answers and selects from them."""
    work()


@flow(name="generate", flow_run_name="{recipe}", persist_result=False, validate_parameters=False)
def generate(
    recipe: str, root: str = "./lake", prompts: str | None = None, data: str | None = None, mapping: str | None = None,
    policy: str | None = None, judge: str | None = None, settings: list[str] | None = None, limit: int | None = None,
    seed: int = 0, publish: str | None = None, budget: str | None = None, skip_bad: str | None = None,
    judge_block: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Runs a recipe to a published version, and returns what it did: the document of ``pairwright run --json``.

    The parameters are those of ``pairwright run``. A refusal by a gate, or a budget that ran out, fails the flow run
    with the reason; the answers stay, and the next run goes on from them.
    """
    request = planning.Request(
        recipe=recipe, prompts=Path(prompts) if prompts else None, data=Path(data) if data else None,
        mapping=parse_map(mapping), policy=policy, judge=judge, settings=tuple(settings or ()), limit=limit, seed=seed,
        publish=publish, skip_bad=Path(skip_bad) if skip_bad else None, judge_block=judge_block,
    )  # fmt: skip
    plan = planning.make(request)
    shards = -(-plan.prompts.height // SHARD)
    for line in plan.notes:
        get_run_logger().info(line)
    get_run_logger().info("%s: %d prompts in %d shards", recipe, plan.prompts.height, shards)
    progress: Any = create_progress_artifact(progress=0.0, description=f"{recipe}: shards committed")
    done = count(1)

    async def on_shard(index: int, work: ShardWork) -> None:
        await asyncio.to_thread(shard, index, work)
        await asyncio.to_thread(update_progress_artifact, progress, 100.0 * next(done) / shards)

    budgeted = Budget(**planning.parse_budget(budget))
    result = run(plan, root, budget=budgeted, on_shard=on_shard)
    _show(result)
    raise_for_status(result)
    return result.as_json()


def _show(result: Result) -> None:
    """Puts the run's tables and its summary on the server."""
    name = f"{result.dataset}-{result.version or result.status}"
    rows = [{"table": table, "rows": found} for table, found in result.rows.items()]
    rows += [{"table": f"removed by {b}: {why}", "rows": n} for b, r in result.removed.items() for why, n in r.items()]
    outcomes = [{"judge": j, "outcome": o, "judgments": n} for j, c in result.outcomes.items() for o, n in c.items()]
    create_table_artifact(table=rows, key=f"{name}-rows", description="rows of this version")
    create_table_artifact(table=outcomes, key=f"{name}-outcomes", description="what judges said")
    text = f"```\n{summary(result)}\n```\n"
    create_markdown_artifact(markdown=text, key=f"{name}-summary", description="the run, for a person")


def plain(request: planning.Request) -> dict[str, Any]:
    """Returns a request as the flow's parameters, which Prefect stores as JSON."""
    found = asdict(request)
    found["mapping"] = ",".join(f"{field}={column}" for field, column in request.mapping.items()) or None
    found["settings"] = list(request.settings)
    for name in ("prompts", "data", "skip_bad"):
        found[name] = str(found[name]) if found[name] else None
    return found
