"""``pairwright offenders``: the rows behind what a gate said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.commands.common import json_option, print_json, root_option, table


@click.command()
@click.argument("version")
@click.option("--check", metavar="NAME", help="Of this check, failed or not: length_win_rate, basics.length_win_rate.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Rows of a check, at most.")
@click.option("--data-docs", type=click.Path(path_type=Path), metavar="DIR",
              help="Write Great Expectations' pages of the checks into this folder.")  # fmt: skip
@root_option
@json_option
def offenders(version: str, check: str | None, limit: int, data_docs: Path | None, root: str, as_json: bool) -> None:
    """Show the rows behind what the gates said of VERSION, a version or a run.

    Without --check, those behind every check that failed. Quarantined versions are named like others, as in data@q1.
    """
    from flows.offenders import offenders as look
    from flows.offenders import write_docs
    from storage.store import Store

    found = look(Store.open(root, create=False), version, check=check, most=limit)
    if data_docs is not None:
        click.echo(f"pages: {write_docs(found, data_docs)}", err=True)
    if as_json:
        print_json(found)
        return
    failed = [row for row in found["checks"] if not row["success"]]
    click.echo(
        f"{found['version']}  {found['status']}: {len(found['checks']) - len(failed)} of {len(found['checks'])} checks "
        "passed"
    )
    known = {f"{row['gate']}.{row['name']}": row for row in found["checks"]}
    for label, rows in found["rows"].items():
        row = known[label]
        mark = "ok" if row["success"] else {"block": "blocks", "warn": "warns"}[row["severity"]]
        click.echo(f"\n{label} {mark}: {row['says']} (found {row['observed']:g}, allowed {row['allowed']})")
        if rows:
            table(list(rows[0]), [[_short(value) for value in each.values()] for each in rows])
        else:
            click.echo("no rows")


def _short(value: Any) -> Any:
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    if isinstance(text, float):
        return f"{text:.4g}"
    if not isinstance(text, str):
        return text
    line = " | ".join(part for part in text.splitlines() if part.strip())
    return line if len(line) <= 100 else line[:99] + "…"
