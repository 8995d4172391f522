"""The catalogue of recipes, written from the recipes themselves and from catalogue.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.recipe import Recipe
from tasks import recipes, registry

FILE = Path(__file__).with_name("catalogue.yaml")
KINDS = {"signals": "Signals", "checks": "Checks", "formats": "Formats"}


@cache
def told() -> dict[str, Any]:
    """Returns what catalogue.yaml says."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def page() -> str:
    """Returns the page: a table to find a recipe, a part for each, and what serves the literature's other names."""
    rows = "".join(f"| [`{name}`](#{name}) | {_cell(recipes.load(name).about)} |\n" for name in recipes.known())
    out = [
        "# Recipes\n\n`pairwright recipe show NAME` prints one; [commands.md](commands.md) says how to run it.",
        " What the literature has beside recipes stands at the end: [signals](#signals), [checks](#checks),",
        " [formats](#formats), and [which trainer loads which export](#exports).\n\n",
        f"| recipe | what it makes |\n| --- | --- |\n{rows}\n",
    ]
    out += [_recipe(recipes.load(name)) for name in recipes.known()]
    return "".join([*out, *(_served(kind) for kind in KINDS), _exports()])


def _recipe(recipe: Recipe) -> str:
    blocks = " → ".join(f"{spec.verb} `{spec.name}`" for spec in recipe.blocks)
    lines = [
        f"\n## {recipe.name}\n\n{_idea(recipe)}\n",
        f"- **Source:** {recipe.source}",
        f"- **Blocks:** {blocks}",
        f"- **Needs:** {', '.join(_needs(recipe))}",
        f"- **Makes:** {', '.join(_makes(recipe))}",
        f"- **Exports:** {', '.join(_loaded(name) for name in exports(recipe))}",
    ]
    avoided = told()["avoids"].get(recipe.name)
    return "\n".join([*lines, *([f"- **Avoids:** {avoided}"] if avoided else [])]) + "\n"


def _idea(recipe: Recipe) -> str:
    return " ".join(f"{recipe.about} {recipe.paper_defaults or ''}".split())


def _needs(recipe: Recipe) -> Iterator[str]:
    if not recipe.of("prompts"):
        yield "prompts"
    fields = {
        need for verb in ("sample", "judge", "search") for spec in recipe.of(verb)
        for need in registry.find(verb, spec.name).mark.needs
    }  # fmt: skip
    given = any(spec.name == "given" for spec in recipe.of("sample"))
    asked = [spec for spec in recipe.of("search") if spec.name != "recorded_steps"]
    fields |= {"reference"} if given or asked else set()
    said = {"reference": "reference answers", "tests": "tests"}
    yield from (said.get(field, field) for field in sorted(fields))
    params = {
        name for verb in ("sample", "judge", "search") for spec in recipe.of(verb)
        for name, field in registry.find(verb, spec.name).params.model_fields.items()
        if field.is_required() or name in spec.params
    }  # fmt: skip
    recorded = len(asked) < len(recipe.of("search")) or any(spec.name == "recorded" for spec in recipe.of("sample"))
    yield from ["recorded completions"] if recorded else ["a policy"] if "policy" in params else []
    if any(registry.find("judge", spec.name).mark.asks for spec in recipe.of("judge")):
        yield "a judge"
    if "reference_model" in params:
        yield "a second model"


def made(recipe: Recipe) -> list[str]:
    """Returns the tables that the recipe's selectors make, in their order."""
    return list(dict.fromkeys(registry.find("select", spec.name).mark.makes for spec in recipe.of("select")))


def _makes(recipe: Recipe) -> list[str]:
    said = {"preferences": "pairs", "rankings": "lists", "examples": "single answers", "steps": "solutions by step"}
    return [f"{said[table]} (`{table}`)" for table in made(recipe)] or ["a search tree (`nodes`)"]


def exports(recipe: Recipe) -> list[str]:
    """Returns the exports of a recipe's rows, those that show what is special to it first."""
    tables, known = made(recipe), registry.family("export")
    special = [name for spec in recipe.blocks for name in told()["shows"].get(f"{spec.verb} {spec.name}", [])]
    steps = any(registry.find("select", spec.name).tables[0] == "nodes" for spec in recipe.of("select"))
    special += ["step_dpo"] if steps and "preferences" in tables else []
    plain = [name for table in tables for name in told()["takes"][table]]
    return [name for name in dict.fromkeys([*special, *plain]) if known[name].tables[0] in tables]


def _loaded(name: str) -> str:
    loader = told()["loaders"].get(name)
    return f"`{name}`" + (f" ({loader})" if loader else "")


def _served(kind: str) -> str:
    rows = (
        (f"`{name}`", entry["of"], ", ".join(_by(each) for each in entry["by"]), entry.get("note", ""))
        for name, entry in sorted(told()[kind].items())
    )
    return f"\n## {KINDS[kind]}\n\n" + _table(("name", "what it is", "what serves it here", "note"), rows)


def _by(text: str) -> str:
    verb, _, name = text.partition(" ")
    return f"{verb} `{name}`"


def _exports() -> str:
    rows = (
        (f"`{name}`", ", ".join(block.tables[:1]), told()["loaders"].get(name, "any reader of Parquet"), block.about)
        for name, block in registry.family("export").items()
    )
    return "\n## Exports\n\n" + _table(("export", "of", "who loads it", "what it is"), rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headers, ("---",) * len(headers), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
