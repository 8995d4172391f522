"""``pairwright verify``: whether a version is what it was, and whether the ledger's answers make it again."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from flows import run as runner
from flows.opening import remembered
from flows.plan import Plan, Request, make
from flows.settings import Settings
from schemas.errors import UsageError
from storage.store import Store
from storage.upkeep import verify_version
from storage.versions import Version

log = logging.getLogger(__name__)


def verify(root: str, dataset: str, *, settings: Settings | None = None) -> dict[str, Any]:
    """Returns whether a version holds what it was published with, and what its run makes when it is run again.

    The run is repeated from the ledger alone, in a lake of its own that is thrown away: nothing is asked, and nothing
    in this lake changes. ``identical`` says that the rebuilt rows have the same digest. A version that was taken from
    another one, as by a rollback, is compared with what that one's run makes; ``made_by`` names it.

    Raises:
        UsageError: no such version, or its run, recipe or prompts are not there any more; the message says which.
    """
    settings = settings or Settings()
    store = Store.open(root, create=False)
    version = store.resolve(dataset)
    wrong, origin = verify_version(store, version), _origin(store, version)
    with tempfile.TemporaryDirectory(prefix="pairwright-verify-") as scratch:
        plan = _plan(store, origin, Path(scratch))
        fingerprints, _ = remembered(plan, store)
        if plan.identity(fingerprints)[:24] != origin.run_id[:24]:
            raise UsageError(
                f"{version.name} cannot be made again: its prompts, data or a file that its recipe reads have changed "
                "since, or other models answer under the same names"
            )
        lake = str(Path(scratch) / "lake")
        _prepare(store, Store.open(lake))
        ledger = settings.model_copy(update={"ledger": settings.ledger or str(Path(root).absolute() / "ledger.sqlite")})
        made = runner.run(plan, lake, settings=ledger, offline=True)
    log.info("%s rebuilt: digest %s, was %s", version.name, made.digest, version.digest)
    return {
        "version": version.name, "made_by": origin.name, "digest": version.digest, "rebuilt": made.digest,
        "identical": made.digest == version.digest and not wrong, "rows": version.rows,
        "rebuilt_rows": made.rows.get(version.primary, 0), "missing_calls": made.calls["failed"], "wrong": wrong,
    }  # fmt: skip


def _origin(store: Store, version: Version) -> Version:
    """Returns the version whose run made these rows: itself, or the one that it was taken from."""
    while source := orjson.loads(version.meta or "{}").get("rollback_of"):
        version = store.resolve(source)
    return version


def _plan(store: Store, version: Version, scratch: Path) -> Plan:
    """Returns the plan of the version's run, from what the run wrote down of itself."""
    rows = store.read("runs").filter(pl.col("run_id") == version.run_id).collect()
    if not rows.height:
        raise UsageError(f"{version.name} was not made by a run ({version.run_id}), so nothing makes it again")
    run = rows.row(-1, named=True)
    asked = (orjson.loads(run["settings"]) or {}).get("request")
    if not asked:
        raise UsageError(f"{version.name} was made before runs noted what they were asked for; it cannot be made again")
    recipe = scratch / f"{run['recipe']}.yaml"
    recipe.write_text(orjson.loads(run["resolved"])["yaml"], encoding="utf-8")
    prompts, data = (Path(asked[name]) if asked[name] else None for name in ("prompts", "data"))
    for file in filter(None, (prompts, data)):
        if not (file.exists() or str(file).startswith("hf:")):
            raise UsageError(f"{version.name} cannot be made again: its file {file} is not there any more")
    return make(
        Request(
            str(recipe), prompts=prompts, data=data, mapping=asked["mapping"], limit=asked["limit"], seed=asked["seed"],
            publish=version.dataset, skip_bad=scratch / "aside.jsonl" if asked.get("skip_bad") else None,
        )
    )  # fmt: skip


def _prepare(store: Store, scratch: Store) -> None:
    """Gives the scratch lake what a run reads beside prompts and answers: what is known of backends and judges."""
    for name in ("runs", "audits"):
        rows = store.read(name).collect()
        if rows.height:
            scratch.append(name, rows, run_id=None)
