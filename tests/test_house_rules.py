"""Rules of the house that no linter knows. A new block, command or recipe is covered by being present."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml

from flows.cli import COMMANDS
from schemas import blocks
from schemas.blocks import FAMILIES
from tasks import recipes, registry

ROOT = Path(__file__).parent.parent
PACKAGES = ("flows", "schemas", "storage", "tasks")
NOT_IN_A_RECIPE = {
    "a rule for prompts of one kind; who has such prompts names it in a recipe of their own": """
        citation exact function_call instructions json_schema language numeric regex""",
    "for a run of one's own: how much of the data is enough": "subset",
    "it checks steps against labels that people gave, with `pairwright audit`; published recipes roll out": """
        first_wrong_step""",
    "it needs an extra that the recipes here can do without": "presidio",
    "a choice beside what the published recipes take: for a recipe of one's own": """
        adaptive contradictory_pairs dynamic_beta guided language_is median stage_by""",
}
"""Reason -> the blocks that no recipe uses for it. Exports need none: one is chosen when a version is written."""
UNUSED = {name for names in NOT_IN_A_RECIPE.values() for name in names.split()}


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts() -> Iterator[tuple[str, str]]:
    for path in _tracked():
        if path.suffix in ("", ".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".sql", ".json", ".ipynb", ".cfg"):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _modules() -> list[Path]:
    found = [path for folder in FAMILIES.values() for path in sorted((ROOT / "tasks" / folder).glob("*.py"))]
    return [path for path in found if not path.name.startswith("_")]


MODULES = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in _modules()]


@pytest.mark.parametrize("path", MODULES)
def test_a_block_module_holds_one_function_of_its_name_and_says_its_source_and_its_use(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marks = {name for name, value in vars(blocks).items() if callable(value) and value.__module__ == blocks.__name__}
    marked = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if getattr(getattr(mark, "func", mark), "id", "") in marks
    ]
    assert marked == [path.stem]
    doc = ast.get_docstring(tree) or ""
    assert re.search(r"^Source: \S", doc, re.MULTILINE), "the module's docstring needs a line 'Source: …'"
    use = [" ".join(text.split()) for text in doc.split("\n\n") if text.startswith("Use it ")]
    assert len(use) == 1, "the module's docstring needs one paragraph 'Use it …. It is bad …'"
    assert re.search(r"\bbad\b", use[0]), "it says when to use the block, and not what it is bad at"


@pytest.mark.parametrize("path", MODULES)
def test_a_block_has_a_test_file(path):
    assert (ROOT / "tests" / "tasks" / path.parent.name / f"test_{path.stem}.py").is_file()


def test_every_block_is_used_by_a_recipe_or_says_why_not():
    used = {spec.name for name in recipes.known() for spec in recipes.load(name).blocks}
    blocks = {path.stem for path in _modules() if path.parent.name != "exports"}
    assert not sorted(blocks - used - UNUSED), "put them into a recipe, or into NOT_IN_A_RECIPE with the reason"
    assert not sorted(UNUSED & used), "they are used now: take them out of NOT_IN_A_RECIPE"
    assert not sorted(UNUSED - blocks), "they are gone: take them out of NOT_IN_A_RECIPE"


@pytest.mark.parametrize("path", MODULES)
def test_a_block_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 160


@pytest.mark.parametrize("verb", FAMILIES)
def test_every_module_of_a_family_is_found_by_the_registry(verb):
    stems = {path.stem for path in _modules() if path.parent.name == FAMILIES[verb]}
    family = registry.family(verb)
    ours = {name for name, block in family.items() if block.function.__module__.startswith("tasks.")}
    assert stems == ours
    assert all(block.about and block.source for block in family.values())


def test_the_packages_are_exactly_the_four():
    assert sorted(path.parent.name for path in ROOT.glob("*/__init__.py")) == list(PACKAGES)
    assert not list(ROOT.glob("tests/**/__init__.py"))


def test_no_file_is_longer_than_300_lines_and_no_test_file_than_400():
    lengths = {name: text.count("\n") for name, text in _texts() if name.endswith(".py")}
    assert not {name: n for name, n in lengths.items() if n > (400 if name.startswith("tests/") else 300)}


def test_no_file_names_a_machine_a_registry_or_unfinished_work():
    forbidden = {
        "an absolute path of somebody's machine": r"(?<![\w.~$}>/])/(?:home/\w|Users/\w|work/|opt/|mnt/|root/\.)",
        "a folder outside the project": r"\bshared/(?:data|design|notes|style)",
        "a package registry's host": r"\bpypi\.(?:org|python)|pythonhosted|registry\.npm|conda\.(?:anaconda|io)",
        "unfinished work": r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b",
    }
    found = [
        f"{name}:{text[: hit.start()].count(chr(10)) + 1}: {what}: {hit.group()}"
        for name, text in _texts()
        if name != "tests/test_house_rules.py"
        for what, pattern in forbidden.items()
        for hit in re.finditer(pattern, text)
    ]
    assert not found, "\n".join(found)


def test_what_is_pinned_names_neither_an_address_nor_a_hash():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.+]+(?: ; .+)?", line) for line in pinned)
    assert not [line for line in pinned if re.match(r"(torch|vllm|nvidia|ray|triton)[-=]", line)]


@pytest.mark.parametrize("name", recipes.known())
def test_a_recipe_loads_and_is_at_most_40_lines(name):
    path = recipes.known()[name]
    assert recipes.load(name).name == path.stem
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_help_shows_is_the_first_of_the_commands_own(name):
    where, line = COMMANDS[name]
    module, _, attribute = where.partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert (command.help or "").split("\n", 1)[0] == line
    assert inspect.getdoc(command.callback)


def test_help_imports_nothing_heavy():
    code = "import sys; from flows.cli import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(ran.stdout.splitlines()[-1].split())
    heavy = (
        "polars duckdb deltalake pyarrow numpy pandas pydantic prefect yaml rich great_expectations math_verify asyncio"
    )
    assert not loaded & set(heavy.split())


def test_no_file_in_flows_is_named_like_a_module_elsewhere():
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert not names & (set(sys.stdlib_module_names) | {"prefect", "polars", "duckdb", "click", "rich"})


def test_the_hooks_and_ci_call_the_same_tasks():
    tasks = set(re.findall(r"^    ([a-z]+)\) ", (ROOT / "dev").read_text(encoding="utf-8"), re.MULTILINE))
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    called = {hook["entry"].split()[1] for hook in hooks}
    ci = set(re.findall(r"\./dev ([a-z]+)", (ROOT / ".ci/run").read_text(encoding="utf-8")))
    assert called <= tasks
    assert {"lint", "types", "imports", "docs", "test", "slow"} <= ci <= tasks
    assert {"format", "lint", "types", "imports", "test", "slow", "docs", "check", "clean"} <= tasks
