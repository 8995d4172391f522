"""What the documents say, held against the code and the disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("path", [path.relative_to(ROOT).as_posix() for path in generate.files()])
def test_a_generated_document_is_up_to_date(path):
    assert (ROOT / path).read_text(encoding="utf-8") == generate.files()[ROOT / path], "run ./dev docs"


def test_the_readme_is_at_most_250_lines():
    assert len(README.splitlines()) <= 250


def test_everything_in_the_readmes_tree_is_on_the_disk():
    folder = Path()
    names = [line.split("  ")[0] if not line.startswith("  ") else line for line in generate.tree().splitlines()[1:-1]]
    for name in names:
        if not name.startswith("  "):
            folder = ROOT / name.split()[0]
            assert folder.exists(), name
        else:
            assert (folder / name.split()[0]).exists(), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not broken


def test_a_decision_is_at_most_a_page_and_numbered_in_order():
    found = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:3] for path in found] == [f"{n:03}" for n in range(1, len(found) + 1)]
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 50 for path in found)
