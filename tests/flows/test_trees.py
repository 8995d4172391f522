"""The trees behind a version, in the browser and in its report."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from flows import api, trees
from flows.browse import answer, serve
from schemas.errors import UsageError
from storage.store import Store
from tests.flows.test_pages import DRAWN
from tests.support.chromium import Tab, browser, program

SUMS = {"27 - 13 - 36 + 41": "19", "33 - 32 + 26 - 20": "7", "18 + 11 * 1 - 8": "21"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a lake with a version of pairs and one of labels made of trees, and one made without any."""
    folder = tmp_path_factory.mktemp("trees")
    file = folder / "sums.jsonl"
    file.write_text("".join(json.dumps({"prompt": f"What is {a}?", "reference": b}) + "\n" for a, b in SUMS.items()))
    for recipe, more in (("step-dpo", ()), ("math-shepherd", ("step_rollouts.n=4",)), ("tdpo", ("independent.n=4",))):
        api.run(recipe, root=folder / "lake", prompts=file, policy="embedded", settings=more)
    return folder / "lake"


def get(lake: Path, path: str, **asked: str) -> str:
    found = answer(str(lake), path, asked)
    assert found is not None
    return found


def links(text: str, path: str) -> list[str]:
    return [unescape(link) for link in re.findall(rf'href="({path}\?[^"]+)"', text)]


def test_versions_that_searched_lead_to_their_trees(lake):
    found = links(get(lake, "/"), "/trees")
    assert sorted(found) == ["/trees?of=math-shepherd%40v1", "/trees?of=step-dpo%40v1"]


def test_the_list_has_plots_and_a_line_for_each_tree(lake):
    text = get(lake, "/trees", of="step-dpo")
    assert len(links(text, "/tree")) == len(SUMS)
    assert text.count("<svg") >= 4
    rows = [int(n) for n in re.findall(r'<td class="n">(\d+)</td></tr>', text)]
    assert sum(rows) == api.sql("select count(*) as n from preferences_at('step-dpo@v1')", root=lake).item() > 0
    assert all(f"What is {each}?" in unescape(text) for each in SUMS)
    assert "distinct ends" in text


def test_a_tree_shows_the_pairs_that_the_version_took(lake):
    pairs = api.sql("select chosen_id, prompt_id from preferences_at('step-dpo@v1')", root=lake)
    tree = api.sql(f"select tree_id from nodes where node_id = '{pairs['chosen_id'][0]}'", root=lake).item()
    text = get(lake, "/tree", id=tree, of="step-dpo@v1")
    count = pairs.filter(prompt_id=pairs["prompt_id"][0]).height
    assert text.count("<article") == count
    assert "first error" in text
    alone = get(lake, "/tree", id=tree)
    assert "<article" not in alone


def test_a_pair_leads_to_its_tree(lake):
    pair = api.sql("select pair_id from preferences_at('step-dpo@v1') limit 1", root=lake).item()
    (link,) = links(get(lake, "/pair", id=pair), "/tree")
    asked = dict(part.split("=") for part in link.partition("?")[2].split("&"))
    assert 'class="tree"' in get(lake, "/tree", id=asked["id"], of=asked["of"].replace("%40", "@"))


def test_labels_of_a_stepwise_version_stand_in_its_trees(lake):
    link = links(get(lake, "/trees", of="math-shepherd"), "/tree")[0]
    text = get(lake, "/tree", id=link.rpartition("id=")[2], of="math-shepherd")
    assert re.search(r">label [01]<", text)
    assert re.search(r"right · label [01]", text.split("<details>")[1])


def test_a_report_has_the_trees_and_one_without_a_search_has_none(lake, tmp_path):
    with_trees = api.write_report("step-dpo", tmp_path / "a.html", root=lake).read_text()
    assert '<section id="searches">' in with_trees
    assert with_trees.count('class="tree"') == len(SUMS)
    assert len(set(re.findall(r' id="(.*?)"', with_trees))) == len(re.findall(r' id="(.*?)"', with_trees))
    assert "searches" not in api.write_report("tdpo", tmp_path / "b.html", root=lake).read_text()


def test_what_is_not_there_is_said(lake):
    with pytest.raises(UsageError, match="made without a search"):
        get(lake, "/trees", of="tdpo")
    with pytest.raises(UsageError, match="no tree 'nowhere'"):
        get(lake, "/tree", id="nowhere")


def test_trees_come_a_page_at_a_time(lake, monkeypatch):
    monkeypatch.setattr(trees, "LISTED", 2)
    first, second = get(lake, "/trees", of="step-dpo"), get(lake, "/trees", of="step-dpo", start="2")
    assert [len(links(text, "/tree")) for text in (first, second)] == [2, 1]
    assert not set(links(first, "/tree")) & set(links(second, "/tree"))
    assert 'start=2">next' in first
    assert 'start=0">previous' in second


def test_the_numbers_of_the_trees(lake):
    store = Store.open(str(lake), create=False)
    told = trees.described(store, store.resolve("step-dpo"))
    assert told is not None
    assert told["trees"] == len(SUMS)
    assert 0 < told["right_ends"] <= told["ends"] < told["steps"] < told["rollouts"]
    assert trees.described(store, store.resolve("tdpo")) is None


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.skipif(program() is None, reason="NOT TESTED: pages in a browser need Chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_trees_with_pairs_are_drawn_in_a_real_browser(lake, tab, width, tmp_path):
    report = api.write_report("step-dpo", tmp_path / "report.html", root=lake).as_uri()
    pair: Any = api.sql("select chosen_id from preferences_at('step-dpo@v1') limit 1", root=lake).item()
    tree = api.sql(f"select tree_id from nodes where node_id = '{pair}'", root=lake).item()
    with serve(str(lake)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        try:
            for url in (report, f"{home}/tree?id={tree}&of=step-dpo%40v1", f"{home}/trees?of=step-dpo%40v1"):
                tab.open(url, width=width)
                assert tab.complaints == []
                assert tab.evaluate("document.documentElement.scrollWidth") <= width
                tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
                assert tab.evaluate(DRAWN) == []
                assert tab.violations() == []
        finally:
            server.shutdown()
