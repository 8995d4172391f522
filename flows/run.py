"""Runs a recipe, from prompts to a published version. This is the whole job, and it needs no server.

    prompts -> completions -> judgments -> scores -> preferences -> gates -> a version

Kill it anywhere: answers are durable before they are used, facts are committed shard by shard, and the last commit of
all makes the version visible. The same command goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from flows import progress, shards
from flows.estimate import estimate, pilot, prices
from flows.floor import check_floor
from flows.lean import lean, trim
from flows.opening import interrupts, opened, remembered, revisions, start
from flows.plan import Plan
from flows.result import Counts, Result, spent
from flows.settings import Settings
from schemas.errors import PairwrightError, RefusedError, StoppedError, StoreError, UsageError
from schemas.tables import TABLES
from storage.catalog import write_catalog
from storage.store import Store
from storage.versions import current, listed, paths_of
from tasks import registry
from tasks.answer import SHARD, Answered, answers
from tasks.check import check, refused
from tasks.driver import Driver
from tasks.judge import Judging
from tasks.recipes import as_yaml
from tasks.sample import Samples, Sampling
from tasks.search import Searching
from tasks.spending import Budget

log = logging.getLogger(__name__)
ShardWork = Callable[[], None]
ShardRunner = Callable[[int, ShardWork], Coroutine[Any, Any, None]]
Watch = Callable[[Driver, Counts], contextlib.AbstractContextManager[Any]]


async def here(_index: int, work: ShardWork) -> None:
    """Runs a shard's work in a thread, so that requests go on meanwhile."""
    await asyncio.to_thread(work)


Approve = Callable[[dict[str, Any]], bool]
PILOT = 4
"""Prompts that are run for real to find out what an answer costs and takes."""


def run(
    plan: Plan, root: str, *, settings: Settings | None = None, budget: Budget | None = None,
    watch: Watch | None = None, on_shard: ShardRunner = here, approve: Approve | None = None,
    offline: bool = False,
) -> Result:  # fmt: skip
    """Runs a plan to its end and returns what it did; see ``run_async``."""
    import uvloop

    lean()
    return uvloop.run(
        run_async(
            plan, root, settings=settings, budget=budget, watch=watch, on_shard=on_shard, approve=approve,
            offline=offline,
        )
    )  # fmt: skip


async def run_async(
    plan: Plan, root: str, *, settings: Settings | None = None, budget: Budget | None = None,
    watch: Watch | None = None, on_shard: ShardRunner = here, approve: Approve | None = None,
    offline: bool = False,
) -> Result:  # fmt: skip
    """Runs a plan to its end and returns what it did.

    Args:
        plan: what ``flows.plan.make`` returned. root: the lake.
        watch: a context manager that shows progress while it is open. on_shard: how a finished shard's work is run.
        approve: is shown the estimate of a run that costs money, made by a pilot; false stops it there.
        offline: nothing is asked: what the ledger holds is read again, by the parsers there are now.

    Raises:
        UnavailableError: an endpoint or the store failed. Answers so far are kept.
    """
    async with opened(plan, root, settings or Settings(), budget, offline=offline) as (store, driver):
        return await _Run(plan, root, store, driver, on_shard).go(watch, approve)


async def plan_async(
    plan: Plan, root: str, *, settings: Settings | None = None, prompts: int = PILOT
) -> dict[str, Any]:
    """Returns the estimate of a run; a pilot runs the first prompts where a model has answered nothing yet.

    Args:
        prompts: of the pilot; 0 asks nothing.
    """
    async with opened(plan, root, settings or Settings(), None) as (store, driver):
        if not prompts:
            with contextlib.suppress(UsageError):  # never run here: what its models are is not known, nor are answers
                driver.revisions = revisions(remembered(plan, store)[1])
            return estimate(plan, driver.ledger, driver.revisions)
        fingerprints, told = await start(plan)
        driver.revisions = revisions(told)
        found = estimate(plan, driver.ledger, driver.revisions)
        if found["cost"] is None:
            await pilot(plan, driver, fingerprints, prompts)
            found = estimate(plan, driver.ledger, driver.revisions)
        return found


class _Run:
    """One run: what its steps share."""

    def __init__(self, plan: Plan, root: str, store: Store, driver: Driver, on_shard: ShardRunner) -> None:
        self.plan, self.root, self.store, self.driver, self.on_shard = plan, root, store, driver, on_shard
        self.started = time.monotonic()
        self.backends: dict[str, dict[str, str]] = {}
        self.run_id = ""
        plan.audits = store.read("audits").collect()
        self.spool = shards.Spool(Path(root) / "work" / plan.dataset)

    async def go(self, watch: Watch | None, approve: Approve | None) -> Result:
        offline = self.driver.offline
        fingerprints, self.backends = remembered(self.plan, self.store) if offline else await start(self.plan)
        self.driver.revisions = revisions(self.backends)
        self.run_id = _run_id(self.plan, fingerprints, self.store)
        if approve and not offline and any(any(prices(backend)) for backend in self.plan.backends.values()):
            await pilot(self.plan, self.driver, fingerprints, PILOT)
            if not approve(estimate(self.plan, self.driver.ledger, self.driver.revisions)):
                raise StoppedError("not approved; the pilot's answers are kept")
        self.spool.start()
        show = watch(self.driver, self.spool.counts) if watch else contextlib.nullcontext()
        try:
            with show, interrupts(self.driver):
                await self._answer(fingerprints)
        except StoppedError as stop:
            return self._record("stopped", None, reason=str(stop))
        except PairwrightError as error:
            with contextlib.suppress(StoreError):  # the disk is as full for this row as for what failed
                self._record("failed", None, reason=str(error))
            raise
        with progress.working("selecting over all rows", shown=watch is not None) as say:
            return await asyncio.to_thread(self._publish, say)

    async def _answer(self, fingerprints: dict[str, str]) -> None:
        recipe = self.plan.recipe
        blocks: list[Samples] = [Sampling(s, recipe.name, self.plan.seed, fingerprints) for s in recipe.of("sample")]
        blocks += [Searching(s, recipe.name, self.plan.seed, fingerprints) for s in recipe.of("search")]
        judgings = [Judging(spec, recipe.name, fingerprints) for spec in recipe.of("judge")]
        if recipe.require_audit:
            check_floor(recipe.require_audit, judgings, self.plan.audits)
        pending: asyncio.Task[None] | None = None
        given = answers(self.driver, self.plan.prompts.shards(SHARD), blocks, judgings, shards.judged(self.plan))
        async with contextlib.aclosing(given):  # what is in flight lands, whatever ends this
            try:
                async for shard in given:
                    if pending:
                        await pending  # at most one shard is being written: the store holds back the engines
                    pending = asyncio.create_task(self.on_shard(shard.number, self._work(shard)))
            except Exception as error:
                self.driver.stop(error)  # nothing more is bought for a run that has failed
                raise
            finally:
                if pending:
                    await pending

    def _work(self, shard: Answered) -> ShardWork:
        def work() -> None:
            trim()  # of what the shard before this one held
            shards.finish(shard, self.plan, self.store, self.spool, self.run_id)

        return work

    def _publish(self, say: Callable[[str], None]) -> Result:
        shards.conclude(self.plan, self.spool)
        counts, files = self.spool.counts, shards.published(self.spool)
        say("holding the rows against the gates")
        checks = check(self.plan.gates, self._looked_at(files)) if self.plan.gates else []
        reason = refused(checks)
        say("measuring and publishing")
        measured = self._measured(files)
        trim()
        version = self.store.publish(
            self.plan.dataset, files, run_id=self.run_id, recipe=self.plan.recipe.name,
            recipe_hash=self.plan.recipe.hash, status="quarantined" if reason else "published",
            gates=orjson.dumps(checks).decode(),
        )  # fmt: skip
        counts.rows[version.primary] = version.rows
        counts.rows.setdefault("preferences", 0)
        return self._record("refused" if reason else "done", version, reason=reason, checks=checks, measured=measured)

    def _measured(self, files: dict[str, list[Path]]) -> list[dict[str, Any]]:
        """Returns the measures of what is about to be published, none where it is no pairs."""
        from tasks.reports.measures import measures  # scipy: not worth half a second to a run without pairs

        if not files.get("preferences"):
            return []
        scores = pl.scan_parquet(files["scores"]) if files.get("scores") else None
        return measures(pl.scan_parquet(files["preferences"]), self.store.read("completions"), scores).to_dicts()

    def _looked_at(self, files: dict[str, list[Path]]) -> dict[str, Any]:
        """Returns what gates look at: the new pairs and those before, this run's judgments, and the facts."""
        tables: dict[str, Any] = {name: self.store.delta(name).files() for name in ("prompts", "completions")}
        tables["judgments"] = [str(file) for file in self.spool.files("judgments")]
        tables["preferences"] = [str(file) for file in files.get("preferences", [])]
        before = current(listed(self.store, self.plan.dataset)).get(self.plan.dataset)
        tables["previous"] = paths_of(self.store, "preferences", before) if before else []
        kinds = {"previous": "preferences"}
        return {name: paths or TABLES[kinds.get(name, name)].empty() for name, paths in tables.items()}

    def _record(
        self,
        status: str,
        version: Any,
        *,
        reason: str | None = None,
        checks: list[dict[str, Any]] | None = None,
        measured: list[dict[str, Any]] | None = None,
    ) -> Result:
        counts, recipe = self.spool.counts, self.plan.recipe
        calls, tokens = spent(self.driver.tally)
        result = Result(
            status=status, dataset=self.plan.dataset, version=version.version if version else None, run_id=self.run_id,
            recipe=recipe.name, rows=dict(counts.rows),
            removed={block: dict(reasons) for block, reasons in counts.removed.items()},
            outcomes=counts.all_outcomes(), comparisons={k: dict(v) for k, v in counts.comparisons.items()},
            labels={k: dict(v) for k, v in counts.labels.items()}, calls=calls, tokens=tokens,
            cost=self.driver.tally.cost, seconds=round(time.monotonic() - self.started, 3),
            digest=version.digest if version else None, gates=checks or [],
            measures=measured or [], errors=dict(self.driver.tally.errors),
            examples=shards.examples(self.spool) if version else [], reason=reason, root=self.root,
        )  # fmt: skip
        self.store.append("runs", _runs_row(result, self.plan, self.backends), run_id=self.run_id)
        write_catalog(self.store)
        if version:
            self.spool.remove()
        log.info("%s %s %s: %s, %s calls in %.1f s", result.dataset, result.version, status, result.rows,
                 calls["asked"], result.seconds)  # fmt: skip
        return result


def _runs_row(result: Result, plan: Plan, backends: dict[str, dict[str, str]]) -> pl.DataFrame:
    def text(value: Any) -> str:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    return pl.DataFrame(
        {
            "run_id": [result.run_id], "recipe": [plan.recipe.name], "recipe_hash": [plan.recipe.hash],
            "status": [result.status], "dataset": [result.dataset], "version": [result.version],
            "resolved": [text({**plan.recipe.model_dump(include={"source", "about"}), "yaml": as_yaml(plan.recipe)})],
            "code_version": [registry.code_version()],
            "settings": [text({"seed": plan.seed, "prompts": plan.prompts.height, "backends": backends,
                               "request": plan.request.as_json() if plan.request else None})],
            "counts": [text({"rows": result.rows, "removed": result.removed})], "outcomes": [text(result.outcomes)],
            "metrics": [text({"comparisons": result.comparisons, "labels": result.labels, "reason": result.reason,
                              "measures": result.measures})],
            "calls": [text({**result.calls, "tokens": result.tokens, "errors": result.errors})],
            "cost": [result.cost], "seconds": [result.seconds],
        },
        schema_overrides={"version": pl.String},
    )  # fmt: skip


def _run_id(plan: Plan, fingerprints: dict[str, str], store: Store) -> str:
    """Returns the id of this run: what it is, and how often that was run to an end on this lake before.

    So a run that was killed or stopped and is started again is the same run, and two lakes that did the same hold the
    same rows.
    """
    identity = plan.identity(fingerprints)[:24]
    ended = pl.col("run_id").str.starts_with(identity) & pl.col("status").is_in(["done", "refused"])
    earlier = store.read("runs", columns=["run_id", "status"]).filter(ended).collect()
    return f"{identity}-{earlier.height:04d}"


def raise_for_status(result: Result) -> None:
    """Raises what a result's status means as an exit code: nothing for done, else refused or stopped."""
    if result.status == "refused":
        raise RefusedError(f"{result.reason}\nThe data is in quarantine as {result.dataset}@{result.version}.")
    if result.status == "stopped":
        raise StoppedError(result.reason or "stopped")
