"""``pairwright export``: a version, out of the lake, in the shape a trainer loads."""

from __future__ import annotations

from pathlib import Path

import click

from flows.commands.common import json_option, print_json, root_option


@click.command()
@click.argument("dataset")
@click.option("--format", "form", metavar="NAME",
              help="An export block, of `pairwright block list --verb export`; trl_dpo for pairs.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="PARAM=VALUE", help="Change one parameter of the format.")
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A folder to make.")
@click.option("--jsonl", is_flag=True, help="Write JSONL beside the Parquet file.")
@click.option("--replace", is_flag=True, help="Replace the folder if it is there.")
@click.option("--quarantined", is_flag=True, help="Allow a version that a gate refused.")
@click.option("--skip-bad", "skip", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Leave rows out that the format cannot hold, and list them in FILE with the reason.")  # fmt: skip
@root_option
@json_option
def export(
    dataset: str, form: str | None, settings: tuple[str, ...], to: Path, jsonl: bool, replace: bool, quarantined: bool,
    skip: Path | None, root: str, as_json: bool,
) -> None:  # fmt: skip
    """Write DATASET or DATASET@VERSION in the form a trainer loads.

    The same version gives the same bytes.
    """
    import yaml

    from schemas.errors import UsageError
    from storage.store import Store
    from tasks.publish import write

    try:
        changed = {setting.partition("=")[0]: yaml.safe_load(setting.partition("=")[2]) for setting in settings}
    except yaml.YAMLError as error:
        raise UsageError(f"--set {' '.join(settings)}: a value is not YAML") from error
    done = write(
        Store.open(root, create=False), dataset, form, to, jsonl=jsonl, replace=replace, quarantined=quarantined,
        settings=changed, skip=skip,
    )  # fmt: skip
    if as_json:
        print_json(done)
        return
    click.echo(f"{done['version']}: {done['rows']:,} rows in {done['format']} format")
    if skip:
        click.echo(f"  {done['skipped']:,} rows left out, listed in {skip}")
    for file in done["files"]:
        click.echo(f"  {to / file}")
    click.echo(f"\nIn Python:  datasets.load_dataset({str(to)!r}, split='train')")
