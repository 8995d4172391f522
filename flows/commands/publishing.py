"""``pairwright publish``: a version, out into the world."""

from __future__ import annotations

import click

from flows.commands.common import json_option, print_json, root_option


@click.command()
@click.argument("dataset")
@click.option("--to", required=True, metavar="DIR|hub:ORG/NAME|s3://…", help="Where to.")
@click.option("--format", "formats", multiple=True, metavar="NAME", help="An export block, as a config; repeatable.")
@click.option("--public", is_flag=True, help="Make a new Hub repository public.")
@click.option("--license", metavar="ID", help="For the card, such as apache-2.0.")
@click.option("--no-report", is_flag=True, help="Leave out report.html.")
@click.option("--quarantined", is_flag=True, help="Allow a version that a gate refused.")
@root_option
@json_option
def publish(
    dataset: str, to: str, formats: tuple[str, ...], public: bool, license: str | None, no_report: bool,
    quarantined: bool, root: str, as_json: bool,
) -> None:  # fmt: skip
    """Publish DATASET or DATASET@VERSION to a folder, the Hugging Face Hub or S3, with card and report.

    The same command goes on after an interruption, and does nothing where all is done. On the Hub a version is one
    commit and one tag; credentials come from where huggingface_hub and AWS look for them.
    """
    from flows.describe import describe
    from flows.trees import section
    from storage.store import Store
    from tasks.hub import publish as put
    from tasks.reports.version_page import version_page

    store = Store.open(root, create=False)
    page = None if no_report else version_page(describe(store, dataset), searches=section(store, dataset))
    done = put(
        store, dataset, to, formats=formats, public=public, license=license, page=page,
        quarantined=quarantined,
    )  # fmt: skip
    if as_json:
        print_json(done)
        return
    click.echo(f"{done['version']} {'is now' if done['new'] else 'was already'} at {to}")
    for name, splits in done["configs"].items():
        click.echo(f"  {name}: " + ", ".join(f"{rows:,} {split}" for split, rows in splits.items()))
    where = to.removeprefix("hub:")
    click.echo(f"\nIn Python:  datasets.load_dataset({where!r}, {next(iter(done['configs']))!r})")
