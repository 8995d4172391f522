"""``pairwright report``: what a version is, in numbers and examples."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from schemas.messages import text_of
from storage.store import Store


def describe(store: Store, dataset: str) -> dict[str, Any]:
    """Returns what is known of a version: origin, counts, outcomes, margins, lengths, policies, gates, examples."""
    version = store.resolve(dataset)
    pairs = store.read("preferences", version=version.name)
    runs = store.read("runs").filter(pl.col("run_id") == version.run_id).collect().to_dicts()
    run = runs[0] if runs else {}
    counts = orjson.loads(run.get("counts") or "{}")
    return {
        "version": version.name, "status": version.status, "tags": list(version.tags), "digest": version.digest,
        "created_at": version.created_at.isoformat(timespec="seconds"), "recipe": version.recipe,
        "run_id": version.run_id, "code_version": run.get("code_version"), "seconds": run.get("seconds"),
        "cost": run.get("cost"), "rows": {**counts.get("rows", {}), "preferences": version.rows},
        "removed": counts.get("removed", {}), "outcomes": orjson.loads(run.get("outcomes") or "{}"),
        **orjson.loads(run.get("metrics") or "{}"), "calls": orjson.loads(run.get("calls") or "{}"),
        "pairs": _numbers(pairs), "policies": _policies(pairs), "gates": orjson.loads(version.gates or "[]"),
        "examples": _examples(pairs),
    }  # fmt: skip


def _length(side: str) -> pl.Expr:
    return pl.col(side).list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()


def _numbers(pairs: pl.LazyFrame) -> dict[str, Any]:
    chosen, rejected = _length("chosen"), _length("rejected")
    found = pairs.select(
        prompts=pl.col("prompt_id").n_unique(),
        margin_mean=pl.col("margin").mean(), margin_min=pl.col("margin").min(), margin_max=pl.col("margin").max(),
        chosen_characters=chosen.mean(), rejected_characters=rejected.mean(),
        chosen_longer=(chosen > rejected).mean(), same_length=(chosen == rejected).mean(),
    ).collect()  # fmt: skip
    return found.row(0, named=True)


def _policies(pairs: pl.LazyFrame) -> list[dict[str, Any]]:
    sides = [
        pairs.group_by(pl.col(f"{side}_policy").alias("policy")).agg(pl.len().alias(side)).collect()
        for side in ("chosen", "rejected")
    ]
    return sides[0].join(sides[1], on="policy", how="full", coalesce=True).fill_null(0).sort("policy").to_dicts()


def _examples(pairs: pl.LazyFrame) -> dict[str, list[dict[str, Any]]]:
    """Returns the pairs with the widest and the narrowest margin, and some in between picked by their ids."""
    wanted = pairs.select("pair_id", "prompt", "chosen", "rejected", "margin")
    order = pl.col("margin"), pl.col("pair_id")
    picks = {
        "widest margin": wanted.sort(*order, descending=[True, False], nulls_last=True).head(3),
        "narrowest margin": wanted.sort(*order, nulls_last=True).head(3),
        "others": wanted.sort("pair_id").head(4),
    }
    return {
        name: [
            {**row, **{side: text_of(row[side]) for side in ("prompt", "chosen", "rejected")}}
            for row in frame.collect().iter_rows(named=True)
        ]
        for name, frame in picks.items()
    }


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
        for row in rows:
            lines.append(f"  {row['pair_id'][:12]}  margin {_show(row['margin'])}")
            lines += [f"    {side:<9} {_line(row[side])}" for side in ("prompt", "chosen", "rejected")]
    return "\n".join(lines) + "\n"


def _show(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value:,}"


def _line(text_: str, width: int = 120) -> str:
    line = " | ".join(part for part in text_.splitlines() if part.strip())
    return line if len(line) <= width else line[: width - 1] + "…"
