"""Options and output that commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def root_option(function: F) -> F:
    """Adds ``--root``, the lake."""
    return click.option(
        "--root", envvar="PAIRWRIGHT_ROOT", default="./lake", show_default=True, metavar="DIR", help="The lake."
    )(function)


def json_option(function: F) -> F:
    """Adds ``--json``: the result as one document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document on stdout.")(
        function
    )


def skip_option(function: F) -> F:
    """Adds ``--skip-bad``: the file for rows that cannot be read."""
    return click.option(
        "--skip-bad", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Set rows that cannot be read aside in FILE, as JSON lines: file, row, field, reason.",
    )(function)  # fmt: skip


def map_option(about: str) -> Callable[[F], F]:
    """Adds ``--map``; several are one, so that a field may be mapped in each."""
    return click.option(
        "--map", "mapping", metavar="FIELD=COLUMN,…", multiple=True, help=about,
        callback=lambda _context, _option, given: ",".join(given),
    )  # fmt: skip


def print_json(value: Any) -> None:
    """Prints one JSON document to stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(headers: list[str], rows: list[list[Any]]) -> None:
    """Prints a table to stdout; where that is no terminal, a row is one line, however long."""
    from io import StringIO

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    shown = Table(*headers, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        shown.add_row(*("" if value is None else str(value) for value in row))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(shown)
        return
    text = StringIO()
    Console(file=text, width=100_000).print(shown)
    click.echo("\n".join(line.rstrip() for line in text.getvalue().strip("\n").splitlines()))
