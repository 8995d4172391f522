"""``pairwright tag``, ``rollback``, ``promote``, ``vacuum``, ``migrate``, ``ledger``: keeps what there is."""

from __future__ import annotations

from pathlib import Path

import click

from flows.commands.common import json_option, print_json, root_option, table


@click.command()
@click.argument("version")
@click.argument("name")
@root_option
def tag(version: str, name: str, root: str) -> None:
    """Give VERSION (dataset@v2) the tag NAME.

    It is taken from the version that had it.
    """
    from storage.publish import tag as give
    from storage.store import Store

    found = give(Store.open(root, create=False), version, name)
    click.echo(f"{found.name} is now {found.dataset}@{name}")


@click.command()
@click.argument("version")
@root_option
def rollback(version: str, root: str) -> None:
    """Publish the content of VERSION again, as the newest version.

    Nothing is copied and nothing is lost.
    """
    from storage.publish import rollback as publish_again
    from storage.store import Store

    found = publish_again(Store.open(root, create=False), version, run_id="rollback")
    click.echo(f"{found.name} now has the content of {version}: {found.rows:,} rows")


@click.command()
@click.argument("version")
@click.option("--because", required=True, metavar="TEXT", help="Why; it is kept with the version.")
@root_option
def promote(version: str, because: str, root: str) -> None:
    """Publish VERSION, which a gate held back, all the same.

    The quarantined version stays, and the new one keeps what the gates said.
    """
    from storage.publish import promote as release
    from storage.store import Store

    found = release(Store.open(root, create=False), version, because=because)
    click.echo(f"{found.name} is published: {found.rows:,} rows of {version}")


@click.command()
@click.option("--keep-hours", type=float, default=24.0, show_default=True, help="Spare files younger than this.")
@click.option("--dry-run", is_flag=True, help="Only say which files would go.")
@root_option
def vacuum(keep_hours: float, dry_run: bool, root: str) -> None:
    """Delete data files that neither a version nor a table needs.

    Named versions always stay.
    """
    from storage.store import Store
    from storage.upkeep import vacuum as clean

    found = clean(Store.open(root, create=False), keep_hours=keep_hours, dry_run=dry_run)
    for path in found:
        click.echo(path)
    click.echo(f"{len(found)} files {'would be' if dry_run else 'were'} deleted", err=True)


@click.command()
@root_option
def migrate(root: str) -> None:
    """Bring the lake to today's format; answers, versions and audits stay.

    An audit counts for the judge of today where that reads every answer of the audit as the judge of then did.
    """
    import asyncio

    from flows.carried import migrate as bring

    for line in asyncio.run(bring(root)):
        click.echo(line)


@click.group()
def ledger() -> None:
    """Look into the answers that were bought: stats, verify, export, compact, drop."""


@ledger.command()
@root_option
@json_option
def stats(root: str, as_json: bool) -> None:
    """Show calls, answers, tokens and cost by model and outcome."""
    with _open(root) as answers:
        found = answers.stats()
    if as_json:
        print_json(found)
        return
    rows = [
        [model, f"{row['calls']:,}", f"{row['answers']:,}", ", ".join(f"{n:,} {o}" for o, n in row["outcomes"].items()),
         f"{row['prompt_tokens']:,}", f"{row['completion_tokens']:,}", f"{row['cost']:.4f}", f"{row['latency_s']:.2f}"]
        for model, row in found["models"].items()
    ]  # fmt: skip
    table(["model", "calls", "answers", "outcomes", "tokens read", "tokens sampled", "US dollars", "mean s"], rows)
    for model, errors in found["failures"].items():
        for error, count in errors.items():
            click.echo(f"{model}: {count:,} calls failed: {error}")
    for gone in found["dropped"]:
        click.echo(f"{gone['model']}: {gone['answers']:,} answers were dropped: {gone['because']}")


@ledger.command()
@root_option
def verify(root: str) -> None:
    """Check that the ledger is whole: every answer decodes, and its key is the hash of its question."""
    from schemas.errors import StoreError

    with _open(root) as answers:
        problems = answers.verify()
    if problems:
        raise StoreError("the ledger is damaged: " + "; ".join(problems[:10]))
    click.echo("the ledger is whole")


@ledger.command("export")
@click.argument("to", type=click.Path(path_type=Path))
@root_option
def ledger_export(to: Path, root: str) -> None:
    """Write every answer to TO, a Parquet or JSONL file."""
    with _open(root) as answers:
        count = answers.export(to)
    click.echo(f"{count:,} answers written to {to}")


@ledger.command()
@click.argument("key", required=False)
@click.option("--row", type=int, help="The number of its row, as `ledger verify` says it.")
@click.option("--sample", type=click.IntRange(min=0), help="Only this sample of the question; all by default.")
@click.option("--because", required=True, metavar="TEXT", help="Why; it is kept with what is known of the answer.")
@root_option
def drop(key: str | None, row: int | None, sample: int | None, because: str, root: str) -> None:
    """Take an answer out of the ledger: by the KEY of its question (or how it begins), or by --row.

    The next run that wants it buys it again. Rows that were made of it stay in the lake.
    """
    with _open(root) as answers:
        gone = answers.drop(because=because, key=key, row=row, sample=sample)
    click.echo(f"{gone.answers:,} answers of {gone.model} to {gone.key} are out, ${gone.cost:.4f}; the reason is kept")


@ledger.command()
@root_option
def compact(root: str) -> None:
    """Move the answers out of the ledger's database into Parquet files of the lake, where they take less room.

    They are found as before and never bought again; in SQL they are the view `calls`.
    """
    from storage.catalog import write_catalog
    from storage.store import Store

    with _open(root) as answers:
        moved = answers.compact()
    write_catalog(Store.open(root, create=False))
    click.echo(f"{moved:,} calls moved")


def _open(root: str):  # type: ignore[no-untyped-def]
    from flows.settings import Settings
    from schemas.errors import StoreError
    from storage.ledger import Ledger

    where = Settings().ledger or str(Path(root) / "ledger.sqlite")
    if "://" not in where and not Path(where).is_file():
        raise StoreError(f"there is no ledger at {where}; run a recipe first, or choose another --root")
    return Ledger.open(where)
