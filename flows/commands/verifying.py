"""``pairwright verify``: whether what is there is what was made."""

from __future__ import annotations

import click

from flows.commands.common import json_option, print_json, root_option


@click.command()
@click.argument("version", required=False)
@root_option
@json_option
def verify(version: str | None, root: str, as_json: bool) -> None:
    """Check the lake, or that VERSION is what it was and is made again from the ledger.

    Without VERSION every file, key and digest of the lake is checked. With it, the version's run is repeated from the
    answers in the ledger, asking nothing, and the rows are compared by their digest.
    """
    from schemas.errors import StoreError
    from storage.store import Store

    if version is None:
        wrong = Store.open(root, create=False).verify()
        if as_json:
            print_json({"wrong": wrong})
        if wrong:
            raise StoreError("; ".join(wrong[:10]))
        if not as_json:
            click.echo("the lake is whole")
        return
    from flows.verify import verify as rebuild

    found = rebuild(root, version)
    if as_json:
        print_json(found)
    if found["identical"]:
        if not as_json:
            source = "" if found["made_by"] == found["version"] else f" to what made {found['made_by']}"
            click.echo(f"{found['version']}: identical{source}, {found['rows']:,} rows, digest {found['digest']}")
        return
    missing = f"; {found['missing_calls']:,} calls are not in the ledger" if found["missing_calls"] else ""
    raise StoreError(
        "; ".join(found["wrong"])
        or f"{found['version']} is not what its run makes now: {found['rows']:,} rows with digest {found['digest']}, "
        f"rebuilt {found['rebuilt_rows']:,} with {found['rebuilt']}{missing}"
    )
