"""What ``pairwright report`` says in a terminal."""

from __future__ import annotations

import textwrap
from typing import Any


def text(found: dict[str, Any], width: int = 120) -> str:
    """Returns a description, as ``flows.describe`` makes it, as lines for a terminal that is so wide."""
    tags = f"  tags: {', '.join(found['tags'])}" if found["tags"] else ""
    lines = [f"{found['version']}  {found['status']}{tags}"]
    if found["origin"]:
        lines += _wrapped(found["origin"], width)
    came = f"recipe {found['recipe']}, run {found['run_id']}, code {found['code_version']}, {found['created_at']}"
    lines += [*_wrapped(came, width), f"  digest {found['digest']}", "", "rows"]
    lines += [f"  {name:<14} {count:>10,}" for name, count in found["rows"].items()]
    for title in ("removed", "outcomes"):
        lines += ["", title] if found[title] else []
        for name, inner in found[title].items():
            lines += _wrapped(f"{name}: " + ", ".join(f"{n:,} {why}" for why, n in inner.items()), width)
    if found["pairs"]["prompts"]:
        lines += ["", "pairs", *(f"  {name:<20} {show(value)}" for name, value in found["pairs"].items())]
    lines += _measures(found.get("measures") or [])
    if found["policies"]:
        lines += ["", "policies (chosen / rejected)"]
    for row in found["policies"]:
        lines += _wrapped(f"{row['policy']}: {row['chosen']:,} / {row['rejected']:,}", width)
    if found["trees"]:
        told = found["trees"]
        lines += ["", "search trees", *(f"  {name.replace('_', ' '):<14} {count:>10,}" for name, count in told.items())]
    lines += ["", "gates"] if found["gates"] else []
    for row in found["gates"]:
        mark = "ok  " if row["success"] else row["severity"]
        lines.append(f"  {mark:<5} {row['name']:<18} found {row['observed']:g}, allowed {row['allowed']}")
    for title, rows in found["examples"].items():
        lines += ["", f"examples: {title}", *_examples(rows[:4], width)]
    return "\n".join(lines) + "\n"


def _measures(rows: list[dict[str, Any]]) -> list[str]:
    """Returns one line a measure: its name, its number, what it is of, and over how many rows."""
    if not rows:
        return []
    wide = max(len(row["measure"]) for row in rows)
    return ["", "measures (over how many rows)"] + [
        f"  {row['measure'].replace('_', ' '):<{wide}} {show(row['value']):>10}  {row['of']} ({row['n']:,})"
        for row in rows
    ]


def _examples(rows: list[dict[str, Any]], width: int) -> list[str]:
    lines = []
    for row in rows:
        if "texts" in row:
            lines += [f"  {row['row_id'][:12]}", _line(f"    prompt    {_flat(row['prompt'])}", width)]
            lines += [
                _line(f"    {part['name']}, {part['facts']}: {_flat(part['text'])}", width) for part in row["texts"]
            ]
            continue
        lines.append(f"  {row['pair_id'][:12]}  margin {show(row.get('margin'))}")
        lines += [_line(f"    {side:<9} {_flat(row[side])}", width) for side in ("prompt", "chosen", "rejected")]
    return lines


def show(value: Any) -> str:
    """Returns a number as it is read: four digits of it, thousands apart, a dash for none."""
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value:,}"


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line, max(40, width), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def _flat(text_: str) -> str:
    return " | ".join(part for part in text_.splitlines() if part.strip())


def _line(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
