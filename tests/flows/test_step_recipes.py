"""Every recipe that searches runs end to end on the embedded policy: nodes are facts, rows lead back to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks import recipes
from tasks.sources.arithmetic import arithmetic

SEARCHES = [name for name in recipes.known() if recipes.load(name).of("search")]

ASK_MORE = {"longdpo", "tree-preferences"}
"""Their critics' prompts are longer than the embedded model's context: such a call fails, and is no label."""


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    """Returns a file of three held-back problems."""
    file = tmp_path / "problems.jsonl"
    rows = arithmetic(n=3, split="test").select("messages", "reference").iter_rows()
    lines = (json.dumps({"prompt": messages[0]["content"], "reference": answer}) + "\n" for messages, answer in rows)
    file.write_text("".join(lines))
    return file


@pytest.mark.parametrize("name", SEARCHES)
def test_a_recipe_that_searches_keeps_its_trees_and_buys_nothing_twice(command, problems, name):
    words = ["run", name, "--prompts", problems, "--policy", "embedded", "--judge", "embedded", "--json"]
    ran = command(*words)
    assert ran.code in (0, 1), ran.err  # 1: a gate refused so small a set
    assert ran.json["calls"]["failed"] == 0 or name in ASK_MORE
    assert ran.json["rows"]["nodes"] > 0
    trees = command(
        "sql",
        "select count(*) filter (parent_id is null) as roots, count(distinct tree_id) as trees from nodes",
        "--json",
    )
    assert trees.json[0]["roots"] == trees.json[0]["trees"]
    lost = (
        "select count(*) as n from nodes a where parent_id is not null and parent_id not in (select node_id from nodes)"
    )
    assert command("sql", lost, "--json").json == [{"n": 0}]
    again = command(*words)
    assert again.json["calls"]["asked"] == ran.json["calls"]["failed"]
    assert again.json["digest"] == ran.json["digest"]
