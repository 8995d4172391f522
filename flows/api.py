"""Pairwright from Python: the command line's commands as functions, for scripts and notebooks.

    from flows import api

    made = api.run("quickstart", root="lake", limit=200)
    pairs = api.sql("select prompt, chosen, margin from preferences", root="lake")
    api.write_report("quickstart@v1", "report.html", root="lake")

What is not here is on the store: ``Store.open("lake")`` reads tables as Polars frames, lists, tags and rolls back.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from flows import plan as planning
from flows import run as runner
from flows import verify as rebuilding
from flows.describe import describe
from flows.result import Result
from flows.trees import section
from storage.files import atomic_file
from storage.lineage import lineage as trace
from storage.sql import sql as ask
from storage.store import Store
from tasks.reports._lineage_svg import lineage_drawing
from tasks.reports.version_page import version_page
from tasks.spending import Budget

T = TypeVar("T")


def run(
    recipe: str | Path, root: str | Path = "./lake", *, prompts: str | Path | None = None,
    data: str | Path | None = None, mapping: Mapping[str, str] | None = None, policy: str | None = None,
    judge: str | None = None, settings: Sequence[str] = (), limit: int | None = None, seed: int = 0,
    publish: str | None = None, budget: str | None = None, skip_bad: str | Path | None = None,
    judge_block: str | None = None,
) -> Result:  # fmt: skip
    """Runs a recipe to a published version and returns what it did; the arguments are those of ``pairwright run``.

    Works where an event loop runs already, as in a notebook.

    Raises:
        RefusedError: a gate refused the version; it is in quarantine. StoppedError: the budget ran out.
    """
    plan = planning.make(
        planning.Request(
            str(recipe), prompts=Path(prompts) if prompts else None, data=Path(data) if data else None,
            mapping=dict(mapping or {}), policy=policy, judge=judge, settings=tuple(settings), limit=limit, seed=seed,
            publish=publish, skip_bad=Path(skip_bad) if skip_bad else None, judge_block=judge_block,
        )
    )  # fmt: skip
    limits = Budget(**planning.parse_budget(budget))
    with _as_it_was():
        result = _apart(lambda: runner.run(plan, str(root), budget=limits))
    runner.raise_for_status(result)
    return result


def _apart(work: Callable[[], T]) -> T:
    """Returns what a function that runs an event loop returns: in a thread of its own where one runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Leaves the caller's process as it was, and keeps worker processes from importing (and so running) its script."""
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in main.__dict__}
    main.__spec__ = None
    threshold = gc.get_threshold()
    try:
        yield
    finally:
        main.__dict__.update(kept)
        gc.set_threshold(*threshold)
        gc.unfreeze()


def sql(query: str, root: str | Path = "./lake") -> pl.DataFrame:
    """Returns the answer to a query over the lake, in DuckDB's SQL, with ``AS OF``."""
    found = pl.from_arrow(ask(Store.open(root, create=False), query).read_all())
    assert isinstance(found, pl.DataFrame)
    return found


def report(version: str, root: str | Path = "./lake") -> dict[str, Any]:
    """Returns what is known of a version: ``pairwright report --json``."""
    return describe(Store.open(root, create=False), version)


def write_report(version: str, file: str | Path, root: str | Path = "./lake") -> Path:
    """Writes a version's page and returns its path."""
    with atomic_file(Path(file)) as draft:
        page = version_page(report(version, root), searches=section(Store.open(root, create=False), version))
        draft.write_text(page, encoding="utf-8")
    return Path(file)


def lineage(pair_id: str, root: str | Path = "./lake") -> dict[str, Any]:
    """Returns a pair and everything behind it: ``pairwright lineage --json``."""
    return trace(Store.open(root, create=False), pair_id)


def draw_lineage(pair_id: str, root: str | Path = "./lake") -> str:
    """Returns a drawing of a pair and everything behind it, as SVG."""
    return lineage_drawing(lineage(pair_id, root))


def verify(version: str, root: str | Path = "./lake") -> dict[str, Any]:
    """Returns whether a version is made again from the ledger alone: ``pairwright verify --json``."""
    with _as_it_was():
        return _apart(lambda: rebuilding.verify(str(root), version))
