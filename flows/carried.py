"""Brings a lake to today's format, and its audits to the judges of today where their rule did not change.

A judge's fingerprint covers its code, so a judge that was only tidied is another one, whose audit is missing. Whether
its rule changed is not declared but looked at: the judge of today reads again, from the ledger, every answer the audit
was made of. Where each verdict is the same, the audit counts for it; where one differs, it has to be audited again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import polars as pl
import yaml

from flows.audit import Given
from flows.first_judges import JUDGES
from flows.opening import opened, respelt, revisions
from flows.plan import Plan, canonical
from flows.settings import Settings
from schemas.ids import content_id
from schemas.recipe import BlockSpec, Recipe
from storage import formats
from storage.store import Store
from tasks import load, registry
from tasks.answer import answers
from tasks.backends.specs import open_backend, parse
from tasks.judge import Judging

VERDICT = ("kind", "criterion", "outcome", "score", "winner", "probability")
"""What of a judgment its rule makes, beside whom it is about."""


class Judged(NamedTuple):
    """A judge as a run of this lake used it: its fingerprint then, what it is now, and who answers it."""

    before: str
    recipe: Recipe
    opens: dict[str, str]
    told: dict[str, dict[str, str]]

    @property
    def judging(self) -> Judging:
        """The judge of today."""
        spec = self.recipe.blocks[0]
        return Judging(spec, self.recipe.name, {name: content_id("backend", of) for name, of in self.told.items()})


async def migrate(root: str, settings: Settings | None = None) -> list[str]:
    """Brings the lake at a root to today's format; returns what was done, one line each.

    Raises:
        StoreError: a newer Pairwright made it, or it cannot be written.
    """
    settings = settings or Settings()
    store = Store.open(root, create=False)
    before = formats.migrate(store)
    lines = [
        f"the lake at {root} has format {formats.FORMAT}"
        + (f" now; it had {before}, and its answers are found as before" if before < formats.FORMAT else " already")
    ]
    ledger = settings.ledger or str(Path(root) / "ledger.sqlite")
    if "://" in ledger or Path(ledger).is_file():
        from storage.ledger import Ledger

        Ledger.open(ledger).close()  # which brings it to its own format
    audits = store.read("audits").collect()
    for judge in {judge.before: judge for judge in _judges(store)}.values():
        own, now = audits.filter(pl.col("fingerprint") == judge.before), judge.judging.fingerprint
        if own.height and not audits.filter(pl.col("fingerprint") == now).height:
            lines.append(await _carried(store, root, settings, judge, own))
    return lines


async def _carried(store: Store, root: str, settings: Settings, judge: Judged, own: pl.DataFrame) -> str:
    differing, verdicts = await _compared(store, root, settings, judge)
    name, gold = judge.recipe.blocks[0].name, ", ".join(own["gold"].unique().sort())
    if differing or not verdicts:
        why = f"{differing:,} of {verdicts:,} verdicts read otherwise" if verdicts else "its verdicts are not there"
        return (
            f"the audit of judge {name!r} on {gold} does not count for the judge of today ({why}); "
            f"`pairwright audit {name} --gold FILE` makes it again, from the answers in the ledger"
        )
    now = judge.judging.fingerprint
    for row in own.drop("created_at", "run_id").iter_rows(named=True):
        meta = orjson.loads(row["meta"] or "{}") | {"carried_from": row["audit_id"]}
        audit_id = content_id("audit", now, row["gold_hash"])
        changed = row | {"fingerprint": now, "audit_id": audit_id, "meta": orjson.dumps(meta).decode()}
        store.append("audits", pl.DataFrame([changed], schema_overrides=own.schema), run_id=audit_id)
    return (
        f"the audit of judge {name!r} on {gold} counts for the judge of today: all {verdicts:,} verdicts are the same"
    )


async def _compared(store: Store, root: str, settings: Settings, judge: Judged) -> tuple[int, int]:
    """Returns how many verdicts of an audit the judge of today reads otherwise, and how many there are."""
    prompts = store.read("prompts").filter(pl.col("source") == "gold").collect()
    there = store.read("judgments", prompt_ids=prompts["prompt_id"])
    then = there.filter(pl.col("fingerprint") == judge.before).collect()
    prompts = prompts.filter(pl.col("prompt_id").is_in(then["prompt_id"].implode())).drop("run_id", "created_at")
    subjects = {name for names in then["subjects"] for name in names}
    given: dict[str, list[dict[str, Any]]] = {}
    completions = store.read("completions", prompt_ids=prompts["prompt_id"]).collect()
    for row in completions.filter(pl.col("fingerprint") == "gold").sort("sample_index").iter_rows(named=True):
        if row["completion_id"] in subjects:
            given.setdefault(row["prompt_id"], []).append(row)
    backends = {spec: open_backend(text) for spec, text in judge.opens.items()}
    plan = Plan(
        judge.recipe, "migrate", 0, load.Prompts(lambda: iter([prompts])), backends, [], [], [], [], [], []
    )  # fmt: skip
    now: list[dict[str, Any]] = []
    async with opened(plan, root, settings, None, offline=True) as (_, driver):
        driver.revisions = revisions(judge.told)
        async for shard in answers(driver, plan.prompts.shards(256), [Given(given)], [judge.judging]):
            now += shard.judgments
    found, wanted = _verdicts(now), _verdicts(then.iter_rows(named=True))
    return (wanted - found).total() + (found - wanted).total(), then.height


def _verdicts(rows: Any) -> Counter[bytes]:
    return Counter(
        orjson.dumps([row["prompt_id"], list(row["subjects"]), [row.get(name) for name in VERDICT]]) for row in rows
    )


def _judges(store: Store) -> Iterator[Judged]:
    """Yields every judge of every run of the lake, with the fingerprint that the first format gave it."""
    for resolved, settings in store.read("runs").collect().select("resolved", "settings").iter_rows():
        written = yaml.safe_load(orjson.loads(resolved)["yaml"])
        told = orjson.loads(settings)["backends"]
        for block in written["blocks"]:
            name = block.get("judge")
            if name in JUDGES and name in registry.family("judge"):
                params = {key: value for key, value in block.items() if key != "judge"}
                yield _judge(BlockSpec(verb="judge", name=name, params=params), told)


def _judge(spec: BlockSpec, told: Mapping[str, dict[str, str]]) -> Judged:
    code, names = JUDGES[spec.name]
    params = {key: value for key, value in registry.check(spec, "migrate").items() if key in names}
    models = [_fingerprint(told, params[name]) for name in registry.SPECS if name in params]
    before = content_id("judge", spec.name, params, models, code)
    about = "Reads again what an audit was made of."
    recipe, opens = canonical(Recipe(name="migrate", source="a run of this lake", about=about, blocks=(spec,)))
    today = {parse(name).text: respelt(of) for name, of in told.items()}
    return Judged(before, recipe, opens, {name: of for name, of in today.items() if name in opens})


def _fingerprint(told: Mapping[str, dict[str, str]], spec: str | None) -> str:
    return content_id("backend", told[spec]) if spec is not None and spec in told else ""
