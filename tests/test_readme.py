"""What the documents say, held against the code and the disk."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from docs import generate
from flows.cli import cli
from tasks import registry

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("path", [path.relative_to(ROOT).as_posix() for path in generate.files()])
def test_a_generated_document_is_up_to_date(path):
    assert (ROOT / path).read_text(encoding="utf-8") == generate.files()[ROOT / path](), "run ./dev docs"


def test_the_readme_is_at_most_250_lines():
    assert len(README.splitlines()) <= 250


def test_everything_in_the_readmes_tree_is_on_the_disk_and_every_folder_of_code_is_in_it():
    drawn = README.partition("<!-- tree")[2].partition("```\n")[2].partition("```")[0]
    folder, found = Path(), set()
    for line in drawn.splitlines():
        name = line.split()[0]
        path = (folder if line.startswith("  ") else ROOT) / name
        folder = folder if line.startswith("  ") else path
        assert path.exists(), line
        assert line.split(maxsplit=1)[1]
        found.add(path)
    assert {path.parent for path in ROOT.glob("*/__init__.py")} | {
        path.parent for path in ROOT.glob("*/*/__init__.py")
    } <= found


def _commands() -> list[list[str]]:
    """Returns every call of pairwright in the README's shell blocks, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("pairwright ")]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_a_command_in_the_readme_has_the_arguments_and_options_it_shows(words):
    name, *rest = words
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, rest)


def test_the_example_in_contributing_works_as_a_users_own_block_and_passes_its_test(tmp_path, monkeypatch):
    code = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 2
    (tmp_path / "no_apology.py").write_text(code[0])
    monkeypatch.syspath_prepend(tmp_path)

    block = registry.find("judge", "no_apology:no_apology")
    names: dict[str, Any] = {"no_apology": block.function}
    exec(code[1], names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]

    test()
    assert (block.source, block.tables) == ("made here, as an example.", ("prompt", "completions"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not broken


def test_a_decision_is_at_most_a_page_and_numbered_in_order():
    found = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:3] for path in found] == [f"{n:03}" for n in range(1, len(found) + 1)]
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 50 for path in found)
