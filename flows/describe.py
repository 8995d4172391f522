"""``pairwright report``: what a version is, in numbers and examples."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from flows.describe_text import show
from flows.trees import described
from schemas.messages import text_of
from schemas.tables import TABLES
from storage.diff import diff
from storage.store import Store
from storage.versions import Version, listed, rows_of
from tasks.reports.figures import figures
from tasks.reports.panel import panel
from tasks.reports.together import worth


def describe(store: Store, dataset: str) -> dict[str, Any]:
    """Returns what is known of a version: origin, counts, outcomes, figures, policies, gates, examples.

    Beside them: what became of the rows step by step (``funnel``), dollars by who answered (``costs``), and what
    changed since the version before (``previous``, null where there is none), and what the judges did (``panel``) and
    were found to be (``audits``); and the search trees in numbers (``trees``, null where there are none).
    """
    version = store.resolve(dataset)
    pairs = store.read("preferences", version=version.name)
    runs = store.read("runs").filter(pl.col("run_id") == version.run_id).collect().to_dicts()
    run = runs[0] if runs else {}
    counts = orjson.loads(run.get("counts") or "{}")
    found = figures(pairs)
    rows, removed = {**counts.get("rows", {}), version.primary: version.rows}, counts.get("removed", {})
    outcomes = orjson.loads(run.get("outcomes") or "{}")
    return {
        "version": version.name, "status": version.status, "tags": list(version.tags), "digest": version.digest,
        "origin": _origin(orjson.loads(version.meta or "{}")),
        "created_at": version.created_at.isoformat(timespec="seconds"), "recipe": version.recipe,
        "run_id": version.run_id, "code_version": run.get("code_version"), "seconds": run.get("seconds"),
        "cost": run.get("cost"), "rows": rows, "removed": removed,
        "outcomes": outcomes,
        **orjson.loads(run.get("metrics") or "{}"), "calls": orjson.loads(run.get("calls") or "{}"),
        "settings": orjson.loads(run.get("settings") or "{}"), "resolved": orjson.loads(run.get("resolved") or "{}"),
        "figures": found, "pairs": _numbers(found), "policies": _policies(pairs),
        "funnel": _funnel(rows, removed, outcomes, version.primary, found["prompts"]),
        "costs": _costs(store, version), "gates": orjson.loads(version.gates or "[]"),
        "panel": panel(pairs, store.read("judgments")), "audits": _audits(store, version, pairs),
        "previous": _previous(store, version), "trees": described(store, version),
        "examples": examples(pairs) if version.primary == "preferences" else rows_to_read(store, version),
    }  # fmt: skip


def _origin(meta: dict[str, Any]) -> str | None:
    """Returns how a version came to be that no run published."""
    if "promoted_from" in meta:
        return f"promoted from {meta['promoted_from']}: {meta['because']}"
    return f"goes back to {meta['rollback_of']}" if "rollback_of" in meta else None


def _numbers(found: dict[str, Any]) -> dict[str, Any]:
    """Returns the few numbers that stand in the terminal."""
    margin, longer = found["histograms"].get("margin") or {}, found["length_choice"]["all"]
    pairs = max(1, found["pairs"])
    return {
        "prompts": found["prompts"],
        "margin_mean": margin.get("mean"), "margin_median": margin.get("median"),
        "chosen_characters": found["lengths"]["chosen"]["mean"],
        "rejected_characters": found["lengths"]["rejected"]["mean"],
        "chosen_longer": longer["value"], "same_length": found["length_choice"]["equal"] / pairs,
    }  # fmt: skip


def _funnel(
    rows: dict[str, int], removed: dict[str, dict[str, int]], outcomes: dict[str, dict[str, int]], primary: str,
    with_pair: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Returns the rows at each step, and what was lost on the way from prompts to rows published, by reason."""
    steps = [{"name": name, "rows": rows[name]} for name in ("prompts", "completions", "judgments") if rows.get(name)]
    for outcome in sorted({name for counts in outcomes.values() for name in counts} - {"valid", "tie"}):
        count = sum(counts.get(outcome, 0) for counts in outcomes.values())
        steps += [{"name": f"no label: {outcome}", "rows": count, "kind": "removed"}] if count else []
    what = "pairs" if primary == "preferences" else primary
    taken = {block: sum(reasons.values()) for block, reasons in removed.items()}
    steps.append({"name": f"{what} made", "rows": rows[primary] + sum(taken.values())})
    steps += [{"name": f"out: {block}", "rows": count, "kind": "removed"} for block, count in taken.items()]
    steps.append({"name": f"{what} published", "rows": rows[primary]})
    return [*steps, {"name": "prompts with pairs", "rows": with_pair}] if with_pair else steps


def _costs(store: Store, version: Version) -> dict[str, float]:
    """Returns the dollars of the answers that this run was the first to buy, by policy and judge."""
    found: dict[str, float] = {}
    for table, column in (("completions", "policy"), ("judgments", "judge")):
        rows = store.read(table, columns=[column, "cost", "run_id"]).filter(pl.col("run_id") == version.run_id)
        sums = rows.group_by(column).agg(pl.col("cost").sum()).collect(engine="streaming").sort(column)
        found |= {f"{table[:-1]}s of {name}": cost for name, cost in sums.iter_rows()}
    return found


def _previous(store: Store, version: Version) -> dict[str, Any] | None:
    """Returns what changed since the newest version published before this one."""
    earlier = [
        other for other in listed(store, version.dataset)
        if other.status == "published" and other.created_at < version.created_at and other.primary == version.primary
    ]  # fmt: skip
    return diff(store, earlier[-1].name, version.name).summary() if earlier else None


def _audits(store: Store, version: Version, pairs: pl.LazyFrame) -> list[dict[str, Any]]:
    """Returns the newest audit, on each gold set, of the judges whose judgments stand behind the version."""
    audits = store.read("audits").collect()
    if not audits.height:
        return []
    said = store.read("judgments", columns=["fingerprint", "prompt_id"])
    behind = said.join(pairs.select("prompt_id").unique(), on="prompt_id", how="semi")
    own = audits.join(behind.select("fingerprint").unique().collect(), on="fingerprint", how="semi")
    newest = own.sort("created_at").unique(["fingerprint", "gold"], keep="last", maintain_order=True)
    met = worth(own)
    return newest.select(
        "judge", "gold", "items", "accuracy", "kappa", "order_agreement", "position_bias", "length_bias",
        worth=pl.lit(None if met is None else met[1], pl.Float64),
    ).to_dicts()  # fmt: skip


def _policies(pairs: pl.LazyFrame) -> list[dict[str, Any]]:
    sides = [
        pairs.group_by(pl.col(f"{side}_policy").alias("policy")).agg(pl.len().alias(side)).collect()
        for side in ("chosen", "rejected")
    ]
    return sides[0].join(sides[1], on="policy", how="full", coalesce=True).fill_null(0).sort("policy").to_dicts()


_READ = (
    "pair_id",
    "prompt",
    "chosen",
    "rejected",
    "margin",
    "strength",
    "p_chosen",
    "chosen_policy",
    "rejected_policy",
)


def examples(pairs: pl.LazyFrame, count: int = 10) -> dict[str, list[dict[str, Any]]]:
    """Returns the pairs with the widest and the narrowest margin, and some at random: ids are hashes, so the first."""
    wanted = pairs.select(name for name in _READ if name in pairs.collect_schema().names())
    picks = {"picked at random": wanted.sort("pair_id").head(count)}
    if "margin" in wanted.collect_schema().names():
        order, there = (pl.col("margin"), pl.col("pair_id")), wanted.filter(pl.col("margin").is_not_null())
        widest = there.sort(*order, descending=[True, False]).head(3)
        rest = there.join(widest.select("pair_id"), on="pair_id", how="anti")
        picks = {
            "best by margin: the widest": widest, "worst by margin: the narrowest": rest.sort(*order).head(3),
        } | picks  # fmt: skip
    return {name: [readable(row) for row in frame.collect().iter_rows(named=True)] for name, frame in picks.items()}


def rows_to_read(store: Store, version: Version, count: int = 10) -> dict[str, list[dict[str, Any]]]:
    """Returns some rows of a dataset that is not about pairs: prompt, and texts with their numbers."""
    key = TABLES[version.primary].key[-1] if version.primary != "examples" else "example_id"
    rows = rows_of(store, TABLES[version.primary], version)
    if rows is None or version.primary not in ("rankings", "examples", "steps"):
        return {}
    found = rows.sort(key).head(count).collect().to_dicts()
    return {"picked at random": [_row(version.primary, row, row[key]) for row in found]}


def _row(table: str, row: dict[str, Any], name: str) -> dict[str, Any]:
    if table == "examples":
        numbers = {key: row[key] for key in ("label", "reward", "weight", "conditioning") if row[key] is not None}
        texts = [{"name": "completion", "facts": _facts(numbers), "text": said(row["completion"])}]
    else:
        columns = ("ranks", "rewards") if table == "rankings" else ("labels", "values", "advantages")
        texts = [
            {"name": f"{'answer' if table == 'rankings' else 'step'} {i + 1}", "text": text,
             "facts": _facts({key[:-1]: row[key][i] for key in columns if row[key] and i < len(row[key])})}
            for i, text in enumerate(row["completions"])
        ]  # fmt: skip
    return {"row_id": name, "prompt": said(row["prompt"]), "texts": texts}


def _facts(numbers: dict[str, Any]) -> str:
    said = {name: value if isinstance(value, str) else show(value) for name, value in numbers.items()}
    return ", ".join(f"{name} {value}" for name, value in said.items())


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a pair with its messages as text."""
    return {**row, **{side: said(row[side]) for side in ("prompt", "chosen", "rejected")}}


def said(messages: list[dict[str, Any]]) -> str:
    """Returns the text of messages; where there are several, with who said it."""
    if len(messages) == 1:
        return text_of(messages)
    return "\n\n".join(f"{turn['role']}: {text_of([turn])}" for turn in messages)
