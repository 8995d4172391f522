"""``pairwright audit-dataset``: how far preference data that somebody else made can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.commands.common import json_option, map_option, print_json, skip_option


@click.command("audit-dataset")
@click.argument("path", type=click.Path(path_type=Path))
@map_option("Which column is prompt, chosen, rejected; may be given again.")
@click.option("--against", type=click.Path(path_type=Path), help="A list of benchmark items to look for.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many rows.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with plots and pairs.")
@skip_option
@json_option
def audit_dataset(
    path: Path, mapping: str, against: Path | None, limit: int | None, html: Path | None, skip_bad: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Describe the published preference data in PATH: figures, defects, checks; nothing is generated.

    PATH is a data file, a folder of them, or hf:ORG/NAME, with prompt, chosen and rejected, or with two answers and a
    label, under their usual names. Data with several annotators are described for each; their pages are named after
    them.
    """
    from flows.foreign import audit_dataset as audit
    from storage.files import atomic_file
    from tasks.importers.pairs import FIELDS
    from tasks.load import parse_map
    from tasks.reports.version_page import version_page

    found = audit(path, mapping=parse_map(mapping, FIELDS), against=against, limit=limit, skip_bad=skip_bad)
    for line in found.pop("notes"):
        click.echo(line, err=True)
    for name, labelled in found["labels"].items() if html is not None else ():
        assert html is not None
        page = html if len(found["labels"]) == 1 else html.with_stem(f"{html.stem}-{name}")
        with atomic_file(page) as draft:
            shown = {"version": found["version"], "file": found["file"], "labels": name, **labelled}
            draft.write_text(version_page(shown), encoding="utf-8")
        click.echo(f"page: {page}", err=True)
    print_json(found) if as_json else click.echo(_text(found))


def _text(found: dict[str, Any]) -> str:
    from tasks.reports._html import rate

    lines = [f"{found['file']}: {found['rows']:,} rows"]
    for name, labelled in found["labels"].items():
        figures = labelled["figures"]
        choice = figures["length_choice"]
        lines += [
            f"{name}: {figures['pairs']:,} pairs of {figures['prompts']:,} prompts",
            f"  longer is chosen           {rate(choice['all'])}",
            f"  … if 1.5 times as long     {rate(choice['ratio_1.5'])}",
            f"  equal lengths              {choice['equal']:,}",
        ]
        for block, reasons in labelled["defects"].items():
            lines += [f"  {block}: {count:,} {reason}" for reason, count in reasons.items()]
        for check in labelled["gates"]:
            if not check["success"]:
                lines.append(f"  ! {check['says']}: found {check['observed']:.4g}, allowed {check['allowed']}")
    return "\n".join(lines)
