"""Writes what can be said from the code itself: blocks, commands, tables, the recipe schema, and two README sections.

./dev docs writes them; ./dev docs --check (and a test) says which are out of date.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import click

from docs import catalogue
from flows.cli import COMMANDS, SETTINGS
from schemas.blocks import FAMILIES
from schemas.tables import TABLES
from tasks import recipes, registry
from tasks.completion import recipe_schema

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("schemas", "storage", "tasks", "flows")
HEAD = "<!-- Written by ./dev docs; do not edit. -->\n\n"
OTHERS = {
    "recipes": "one YAML a published construction",
    "benchmarks": "a local engine simulator, and what we measured with it",
    "notebooks": "five to read: first pairs, judges, strength and length, SQL and lineage, search trees",
    "docs": "recipes, blocks, commands, tables, every file (all generated), and decisions",
    "tests": "mirrors this tree",
    "prefect.yaml": "what runs when, on which work pool",
    "constraints.txt": "versions that work together",
    "dev": "the task runner; ./dev lists its tasks",
    ".ci/run": "what CI runs: the same tasks",
}
"""What stands in the README's tree below the packages, whose remarks are their modules' docstrings."""


def files() -> dict[Path, Callable[[], str]]:
    """Returns every generated file with what makes the text it should have."""
    return {
        ROOT / "docs/blocks.md": blocks,
        ROOT / "docs/commands.md": commands,
        ROOT / "docs/recipes.md": every_recipe,
        ROOT / "docs/tables.md": tables,
        ROOT / "docs/tree.md": every_file,
        ROOT / "docs/recipe.schema.json": lambda: json.dumps(recipe_schema(), indent=1, ensure_ascii=False) + "\n",
        ROOT / "README.md": lambda: readme((ROOT / "README.md").read_text(encoding="utf-8")),
    }


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a Markdown table."""
    lines = [list(headers)]
    lines += [["---"] * len(lines[0]), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def blocks() -> str:
    """Returns the page of all blocks, by verb."""
    out = [HEAD, "# Blocks\n\n", "What a recipe may name, by verb. `pairwright block show VERB NAME` says more.\n"]
    for verb, folder in FAMILIES.items():
        found = registry.family(verb)
        if found:
            out += [f"\n## {verb} (`tasks/{folder}/`)\n\n"]
            rows = ((f"`{b.name}`", b.about, b.use, _parameters(b), b.source) for b in found.values())
            out.append(table(("block", "what it does", "when, and when not", "parameters", "source"), rows))
    return "".join(out)


def _parameters(block: registry.Block) -> str:
    fields = block.params.model_fields.items()
    return ", ".join(f"`{name}`" if f.is_required() else f"`{name}={f.default!r}`" for name, f in fields) or "none"


def commands() -> str:
    """Returns the page of all commands, as --help shows them."""
    out = [HEAD, "# Commands\n\nEvery command that looks at a lake takes `--root DIR` (`./lake` by default).\n"]
    for name, (where, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        out += _command(f"pairwright {name}", command, 2)
    return "".join(out)


def _command(name: str, command: click.Command, level: int) -> list[str]:
    context = click.Context(command, info_name=name, terminal_width=100, **{**SETTINGS, "max_content_width": 100})
    with context:
        text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    out = [f"\n{'#' * level} {name}\n\n```\n{text}\n```\n"]
    for child, inner in (command.commands if isinstance(command, click.Group) else {}).items():
        out += _command(f"{name} {child}", inner, level + 1)
    return out


def tables() -> str:
    """Returns the page of all tables with their columns."""
    out = [HEAD, "# Tables\n\nAll data is rows of these. Facts are shared and only added to; dataset tables hold one "
           "snapshot a version; logs say what was done. A column in bold is part of the key.\n"]  # fmt: skip
    for name, found in TABLES.items():
        out += [f"\n## {name} ({found.kind})\n\n"]
        rows = (
            (
                f"**{field.name}**" if field.name in found.key else field.name,
                f"`{_type(field.type)}`",
                "" if field.nullable else "yes",
                ", ".join(found.allowed.get(field.name, ())),
            )
            for field in found.schema
        )
        out.append(table(("column", "type", "required", "allowed"), rows))
    return "".join(out)


def _type(kind: object) -> str:
    text = str(kind)
    return "list of messages" if "role: string" in text else text.replace("<item: ", "<").replace("<element: ", "<")


def readme(text: str) -> str:
    """Returns the README with its generated sections written anew."""
    for name, section in (("recipes", recipe_table()), ("tree", tree())):
        start, end = f"<!-- {name}: written by ./dev docs -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(start)
        if not found or end not in rest:
            raise SystemExit(f"README.md lost the marks of its section {name!r}: {start.strip()} … {end}")
        text = before + start + section + end + rest.partition(end)[2]
    return text


def every_recipe() -> str:
    """Returns the page of all recipes, and of what serves the other names of the literature."""
    return HEAD + catalogue.page()


def recipe_table() -> str:
    """Returns the table of recipes by how their answers are judged."""
    rules, models, searched, rest = (
        "checked by rules",
        "judged by models",
        "searched, step by step",
        "from what is there",
    )
    kinds: dict[str, list[str]] = {kind: [] for kind in (rules, models, searched, rest)}
    for name in recipes.known():
        recipe = recipes.load(name)
        asks = [registry.find("judge", spec.name).mark.asks for spec in recipe.of("judge")]
        kind = searched if recipe.of("search") else models if any(asks) else rules if asks else rest
        kinds[kind].append(f"`{name}`")
    return table(("how", "recipes"), ((kind, ", ".join(names)) for kind, names in kinds.items() if names))


def tree() -> str:
    """Returns the tree of folders with a remark each; ``every_file`` has the files."""
    lines = []
    for package in PACKAGES:
        lines.append(_line(f"{package}/", ROOT / package / "__init__.py"))
        lines += [_line(f"  {path.parent.name}/", path) for path in sorted((ROOT / package).glob("*/__init__.py"))]
    for name, remark in OTHERS.items():
        if (ROOT / name).is_file() or any((ROOT / name).glob("*")):
            lines.append(f"{name + '/' if (ROOT / name).is_dir() else name:<20}{remark}")
    return "```\n" + "\n".join(lines) + "\n```\n"


def every_file() -> str:
    """Returns the page of all modules, with the first line of what each says of itself."""
    out = [HEAD, "# The tree, file by file\n\nImports go one way: flows, tasks, storage, schemas.\n"]
    for package in PACKAGES:
        for folder in (ROOT / package, *(path.parent for path in sorted((ROOT / package).glob("*/__init__.py")))):
            files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            out.append(f"\n## {folder.relative_to(ROOT)}/\n\n{_remark(folder / '__init__.py')}.\n\n")
            out.append(table(("file", "what it is"), ((f"`{path.name}`", _remark(path)) for path in files)))
    return "".join(out)


def _line(name: str, path: Path) -> str:
    return f"{name:<20}{_remark(path).split('. ')[0]}"


def _remark(path: Path) -> str:
    doc = inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    return doc.split("\n", 1)[0].rstrip(".").replace("``", "`")


def main() -> None:
    """Writes the files, or with --check says which are out of date and exits with 1."""
    made = {path: make() for path, make in files().items()}
    stale = {path: text for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        name = path.relative_to(ROOT)
        sys.stderr.write(f"{name}: out of date; ./dev docs\n" if "--check" in sys.argv else f"{name}: written anew\n")
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    sys.exit(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    main()
