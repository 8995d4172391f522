"""Audits a judge on gold labels before it is trusted, and keeps what was found in the lake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.opening import opened, revisions, start
from flows.plan import Plan, canonical
from flows.settings import Settings
from flows.shards import frame
from schemas.errors import DataError, UsageError, nearest
from schemas.ids import canonical as canonical_json
from schemas.ids import content_id
from schemas.messages import assistant, to_rows
from schemas.recipe import BlockSpec, Recipe
from storage.files import atomic_file
from storage.store import Store
from tasks import load, registry
from tasks.answer import answers
from tasks.backends.specs import open_backend
from tasks.driver import Driver, Rows
from tasks.judge import Judging
from tasks.read import read_rows
from tasks.reports.audit import as_json, audit, audit_row
from tasks.reports.audit_page import audit_page
from tasks.reports.gold import Imported
from tasks.reports.gold_steps import are_steps
from tasks.reports.shapes import recognised
from tasks.reports.together import together
from tasks.reports.verdicts import verdicts as read_verdicts
from tasks.select import LOG
from tasks.slots import Order
from tasks.texts.pieces import joined


@dataclass(frozen=True)
class Audited:
    """An audit: its document, its row of the audits table, and its page."""

    document: dict[str, Any]
    row: dict[str, Any]
    page: Path


def recorded(
    judge: str, gold: Path, verdicts: Path | None, root: str, *, shape: str | None = None, answers: Path | None = None
) -> Audited:
    """Audits a judge by verdicts that were recorded, beside the gold labels or in a file of their own.

    Args:
        answers: a file of the answers, for MT-bench's votes, which are published without them.
    """
    found = _read(gold, verdicts, shape, answers)
    names = found.verdicts["judge"].unique().sort().to_list()
    if judge not in names:
        raise UsageError(f"{gold}: no verdicts of {judge!r}; {nearest(judge, names)}")
    own = found.verdicts.filter(pl.col("judge") == judge)
    document = audit(found.gold, own, judge=judge)
    said = own.drop("judge", *(name for name in ("reason_ok", "margin") if own[name].null_count() == own.height))
    return _keep(Store.open(root), document, content_id("recorded judge", judge, said.rows()), gold)


async def asked(
    spec: BlockSpec, gold: Path, root: str, *, model: str | None = None, limit: int | None = None,
    shape: str | None = None, settings: Settings | None = None,
) -> Audited:  # fmt: skip
    """Audits a judge by having it judge every gold item; its answers are kept like any other.

    An item is a pair, or one solution where the labels are first wrong steps.

    Args:
        spec: the judge and its parameters. model: the SPEC it asks, in place of its parameter ``model``.
        limit: only the first so many items.

    Raises:
        UsageError: the labels are first wrong steps, and the judge names none.
    """
    found = _read(gold, None, shape).gold
    steps = are_steps(found["label"])
    found = found.drop_nulls("first" if steps else ["first", "second"])
    if not found.height:
        raise DataError("the gold set holds no texts to judge; give --verdicts for recorded ones", file=str(gold))
    kept = found["item_id"].unique(maintain_order=True).head(limit or found.height)
    found, completions = _with_ids(found.filter(pl.col("item_id").is_in(kept.implode())))
    recipe, opens = canonical(_recipe(spec, model))
    backends = {name: open_backend(text) for name, text in opens.items()}
    prompts = load.Prompts(lambda: iter([_prompts(found)]))
    plan = Plan(recipe, f"audit-{spec.name}", 0, prompts, backends, [], [], [], [], [], [])
    async with opened(plan, root, settings or Settings(), None) as (store, driver):
        fingerprints, told = await start(plan)
        driver.revisions = revisions(told)
        judging = Judging(recipe.of("judge")[0], recipe.name, fingerprints)
        run_id = content_id("audit", judging.fingerprint, prompts.digest)
        judgments = []
        async for shard in answers(driver, prompts.shards(256), [_Given(completions)], [judging]):
            store.append("prompts", shard.prompts, run_id=run_id)
            store.append("completions", frame(shard.completions, "completions"), run_id=run_id)
            store.append("judgments", frame(shard.judgments, "judgments"), run_id=run_id)
            judgments.append(frame(shard.judgments, "judgments"))
        said = read_verdicts(pl.concat(judgments), found)
        if steps and not said["verdict"].count() and not said.filter(pl.col("outcome") != "valid").height:
            raise UsageError(f"{gold} has first wrong steps, and judge {spec.name!r} names none; try first_wrong_step")
        document = audit(found, said, judge=spec.name, judge_policy=own_name(model, found))
        return _keep(store, document, judging.fingerprint, gold)


def own_name(spec: str | None, gold: pl.DataFrame) -> str | None:
    """Returns the name under which the gold set knows the model of a SPEC, so that its own answers are told.

    >>> own_name("openai:http://localhost:8000/v1:gpt-4?rpm=60", pl.DataFrame({"first_policy": ["gpt-4"]}))
    'gpt-4'
    """
    plain = (spec or "").partition("?")[0]
    known = {name for side in ("first_policy", "second_policy") if side in gold.columns for name in gold[side]}
    names = (spec, plain, plain.partition(":")[2], plain.rpartition(":")[2], plain.rpartition("/")[2])
    return next((name for name in names if name and name in known), spec)


class _Given:
    """Stands in for a sampler: the completions are the gold set's."""

    def __init__(self, completions: dict[str, list[dict[str, Any]]]) -> None:
        self.completions = completions

    async def __call__(self, driver: Driver, prompt: dict[str, Any], order: Order) -> Rows:
        """Returns the completions of the prompt's item."""
        return self.completions[prompt["prompt_id"]]


def _read(gold: Path, verdicts: Path | None, shape: str | None, answers: Path | None = None) -> Imported:
    try:
        said, texts = (read_rows(file) if file else None for file in (verdicts, answers))
        return recognised(read_rows(gold), said, shape=shape, answers=texts)
    except ValueError as error:
        raise DataError(str(error), file=str(gold)) from error


def _with_ids(gold: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, list[dict[str, Any]]]]:
    """Returns the gold table with prompt and completion ids, and every item's completions by prompt id."""
    items = gold.unique("item_id", keep="first", maintain_order=True)
    completions: dict[str, list[dict[str, Any]]] = {}
    ids = []
    for row in items.iter_rows(named=True):
        prompt_id = content_id("gold", row["item_id"], row["prompt"])
        sides = [side for side in ("first", "second") if row[side] is not None]
        given = [_completion(prompt_id, row, side, index) for index, side in enumerate(sides)]
        completions[prompt_id] = given
        ids.append((row["item_id"], prompt_id, *(each["completion_id"] for each in given), None)[:4])
    schema = dict.fromkeys(["item_id", "prompt_id", "first_id", "second_id"], pl.String)
    named = pl.DataFrame(ids, schema=schema, orient="row")
    return gold.drop("prompt_id", "first_id", "second_id").join(named, on="item_id", maintain_order="left"), completions


def _completion(prompt_id: str, row: dict[str, Any], side: str, index: int) -> dict[str, Any]:
    messages = assistant(row[side])
    policy = row[f"{side}_policy"] or side
    cuts = joined(row["steps"])[1] if row["steps"] and side == "first" else None
    return {
        "completion_id": content_id("gold completion", prompt_id, side, messages), "prompt_id": prompt_id,
        "policy": policy, "fingerprint": "gold", "sample_index": index, "messages": messages,
        "content_id": content_id("completion", messages), "finish_reason": "stop",
        "meta": None if cuts is None else canonical_json({"cuts": cuts}).decode(),
    }  # fmt: skip


def _prompts(gold: pl.DataFrame) -> pl.DataFrame:
    from schemas.tables import PROMPTS

    items = gold.unique("item_id", keep="first", maintain_order=True)
    rows = [
        {"prompt_id": row["prompt_id"], "messages": to_rows(row["prompt"] or "(no prompt)"), "source": "gold",
         "task": row["task"], "language": row["language"]}
        for row in items.iter_rows(named=True)
    ]  # fmt: skip
    schema = {name: kind for name, kind in PROMPTS.empty().schema.items() if name not in LOG}
    return pl.DataFrame(rows, schema=schema)


def _recipe(spec: BlockSpec, model: str | None) -> Recipe:
    fields = registry.find("judge", spec.name).params.model_fields
    params = {**spec.params, **({"model": model} if model and "model" in fields else {})}
    block = BlockSpec(verb="judge", name=spec.name, params=params)
    return Recipe(name="audit", source="an audit", about="Has a judge judge a gold set.", blocks=(block,))


def _keep(store: Store, document: dict[str, Any], fingerprint: str, gold: Path) -> Audited:
    """Appends the audit to the lake and writes its page beside it."""
    digest = content_id("gold file", gold.read_bytes().hex())
    document["together"] = together(document, fingerprint, digest, store.read("audits").collect())
    row = audit_row(document, fingerprint=fingerprint, gold=gold.name, gold_hash=digest)
    row["audit_id"] = content_id("audit", fingerprint, digest)
    store.append("audits", pl.DataFrame([row]), run_id=row["audit_id"])
    folder = Path(store.root.uri) / "audits"
    folder.mkdir(exist_ok=True)
    page = folder / f"{document['judge'].replace('/', '-')}-{gold.name.split('.')[0]}.html"
    with atomic_file(page) as draft:
        draft.write_text(audit_page(document, gold=gold.name), encoding="utf-8")
    return Audited(as_json(document), row, page)
