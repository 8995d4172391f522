"""``pairwright recipe`` and ``pairwright block``: what there is, with sources."""

from __future__ import annotations

import click

from flows.commands.common import json_option, print_json, table


@click.group()
def recipe() -> None:
    """List, show and check recipes."""


@recipe.command("list")
@json_option
def recipe_list(as_json: bool) -> None:
    """List every recipe with a line on what it does and its source."""
    from tasks import recipes

    found = [recipes.load(name) for name in recipes.known()]
    if as_json:
        print_json([{"name": r.name, "about": r.about, "source": r.source} for r in found])
        return
    table(["recipe", "what it does", "source"], [[r.name, r.about, r.source] for r in found])


@recipe.command("show")
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="BLOCK.PARAM=VALUE", help="Change one parameter.")
def recipe_show(name: str, settings: tuple[str, ...]) -> None:
    """Print a recipe as it would run: extended, with settings applied, checked."""
    from tasks import recipes

    click.echo(recipes.as_yaml(recipes.load(name, settings)), nl=False)


@recipe.command("check")
@click.argument("names", nargs=-1, required=True)
def recipe_check(names: tuple[str, ...]) -> None:
    """Check recipes by name or path: every block, every parameter."""
    from tasks import recipes

    for name in names:
        loaded = recipes.load(name)
        click.echo(f"{loaded.name}: {len(loaded.blocks)} blocks, all known; hash {loaded.hash}")


@recipe.command("schema")
def recipe_schema() -> None:
    """Print the JSON Schema of recipe files, for editors that complete them."""
    from tasks.completion import recipe_schema as schema

    print_json(schema())


@click.group()
def block() -> None:
    """List and show blocks."""


@block.command("list")
@click.option("--verb", help="Only the blocks of one verb, such as judge or select.")
@json_option
def block_list(verb: str | None, as_json: bool) -> None:
    """List every block with a line on what it does and its source."""
    from schemas.blocks import FAMILIES
    from schemas.errors import UsageError, nearest
    from tasks import registry

    if verb and verb not in FAMILIES:
        raise UsageError(f"no verb {verb!r}; {nearest(verb, FAMILIES)}")
    found = [b for v in ([verb] if verb else FAMILIES) for b in registry.family(v).values()]
    if as_json:
        print_json([{"verb": b.verb, "name": b.name, "about": b.about, "source": b.source} for b in found])
        return
    table(["verb", "block", "what it does", "source"], [[b.verb, b.name, b.about, b.source] for b in found])


@block.command("show")
@click.argument("verb")
@click.argument("name")
@json_option
def block_show(verb: str, name: str, as_json: bool) -> None:
    """Show one block: its documentation, the tables it reads, its parameters with types and defaults."""
    import inspect

    from schemas.blocks import FAMILIES
    from schemas.errors import UsageError, nearest
    from tasks import registry

    if verb not in FAMILIES:
        raise UsageError(f"no verb {verb!r}; {nearest(verb, FAMILIES)}")
    found = registry.find(verb, name)
    schema = found.params.model_json_schema()
    if as_json:
        print_json({"verb": verb, "name": name, "use": found.use, "source": found.source, "tables": found.tables,
                    "parameters": schema})  # fmt: skip
        return
    use = f"\n\n{found.use}" if found.use else ""
    click.echo(f"{verb}: {name}\n\n{inspect.getdoc(found.function)}{use}\n\nSource: {found.source}")
    click.echo(f"Reads:  {', '.join(found.tables) or 'nothing'}\n")
    rows = []
    for parameter, field in found.params.model_fields.items():
        default = "required" if field.is_required() else repr(field.default)
        kind = getattr(field.annotation, "__name__", None) or str(field.annotation)
        rows.append([parameter, kind if "[" not in str(field.annotation) else str(field.annotation), default])
    table(["parameter", "type", "default"], rows)
