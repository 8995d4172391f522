"""``pairwright report``: what a version is, in numbers and examples."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from schemas.messages import text_of
from storage.diff import diff
from storage.store import Store
from storage.versions import Version, listed
from tasks.reports.figures import figures


def describe(store: Store, dataset: str) -> dict[str, Any]:
    """Returns what is known of a version: origin, counts, outcomes, figures, policies, gates, examples.

    Beside them: what became of the rows step by step (``funnel``), dollars by who answered (``costs``), and what
    changed since the version before (``previous``, null where there is none).
    """
    version = store.resolve(dataset)
    pairs = store.read("preferences", version=version.name)
    runs = store.read("runs").filter(pl.col("run_id") == version.run_id).collect().to_dicts()
    run = runs[0] if runs else {}
    counts = orjson.loads(run.get("counts") or "{}")
    found = figures(pairs)
    rows, removed = {**counts.get("rows", {}), "preferences": version.rows}, counts.get("removed", {})
    return {
        "version": version.name, "status": version.status, "tags": list(version.tags), "digest": version.digest,
        "created_at": version.created_at.isoformat(timespec="seconds"), "recipe": version.recipe,
        "run_id": version.run_id, "code_version": run.get("code_version"), "seconds": run.get("seconds"),
        "cost": run.get("cost"), "rows": rows, "removed": removed,
        "outcomes": orjson.loads(run.get("outcomes") or "{}"),
        **orjson.loads(run.get("metrics") or "{}"), "calls": orjson.loads(run.get("calls") or "{}"),
        "settings": orjson.loads(run.get("settings") or "{}"), "resolved": orjson.loads(run.get("resolved") or "{}"),
        "figures": found, "pairs": _numbers(found), "policies": _policies(pairs), "funnel": _funnel(rows, removed),
        "costs": _costs(store, version), "gates": orjson.loads(version.gates or "[]"),
        "previous": _previous(store, version), "examples": examples(pairs),
    }  # fmt: skip


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


def _funnel(rows: dict[str, int], removed: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Returns the rows at each step, and what each block took out on the way from pairs made to pairs published."""
    steps = [{"name": name, "rows": rows[name]} for name in ("prompts", "completions", "judgments") if rows.get(name)]
    taken = {block: sum(reasons.values()) for block, reasons in removed.items()}
    steps.append({"name": "pairs made", "rows": rows["preferences"] + sum(taken.values())})
    steps += [{"name": f"out: {block}", "rows": count, "kind": "removed"} for block, count in taken.items()]
    return [*steps, {"name": "pairs published", "rows": rows["preferences"]}]


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
        picks = {
            "widest margin": there.sort(*order, descending=[True, False]).head(3),
            "narrowest margin": there.sort(*order).head(3),
        } | picks
    return {name: [readable(row) for row in frame.collect().iter_rows(named=True)] for name, frame in picks.items()}


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a pair with its messages as text."""
    return {**row, **{side: _said(row[side]) for side in ("prompt", "chosen", "rejected")}}


def _said(messages: list[dict[str, Any]]) -> str:
    """Returns the text of messages; where there are several, with who said it."""
    if len(messages) == 1:
        return text_of(messages)
    return "\n\n".join(f"{turn['role']}: {text_of([turn])}" for turn in messages)


def text(found: dict[str, Any]) -> str:
    """Returns the description as lines for a terminal."""
    tags = f"  tags: {', '.join(found['tags'])}" if found["tags"] else ""
    lines = [
        f"{found['version']}  {found['status']}{tags}",
        f"  recipe {found['recipe']}, run {found['run_id']}, code {found['code_version']}, {found['created_at']}",
        f"  digest {found['digest']}",
        "",
        "rows",
        *(f"  {name:<14} {count:>10,}" for name, count in found["rows"].items()),
    ]
    for title, nested in (("removed", found["removed"]), ("outcomes", found["outcomes"])):
        if nested:
            lines += ["", title]
            lines += [f"  {a}: " + ", ".join(f"{n:,} {b}" for b, n in inner.items()) for a, inner in nested.items()]
    lines += ["", "pairs", *(f"  {name:<20} {_show(value)}" for name, value in found["pairs"].items())]
    lines += ["", "policies (chosen / rejected)"]
    lines += [f"  {row['policy']}: {row['chosen']:,} / {row['rejected']:,}" for row in found["policies"]]
    if found["gates"]:
        lines += ["", "gates"]
    for row in found["gates"]:
        mark = "ok  " if row["success"] else row["severity"]
        lines.append(f"  {mark:<5} {row['name']:<18} found {row['observed']:g}, allowed {row['allowed']}")
    for title, rows in found["examples"].items():
        lines += ["", f"examples: {title}"]
        for row in rows[:4]:
            lines.append(f"  {row['pair_id'][:12]}  margin {_show(row.get('margin'))}")
            lines += [f"    {side:<9} {_line(row[side])}" for side in ("prompt", "chosen", "rejected")]
    return "\n".join(lines) + "\n"


def _show(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value:,}"


def _line(text_: str, width: int = 120) -> str:
    line = " | ".join(part for part in text_.splitlines() if part.strip())
    return line if len(line) <= width else line[: width - 1] + "…"
