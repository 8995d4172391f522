"""The pages in a real Chromium: at desktop and phone width, light and dark, by keys, and without a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import polars as pl
import pytest

from flows import api
from flows.browse import serve
from flows.foreign import audit_dataset
from tasks.reports.version_page import version_page
from tests.support.chromium import Tab, browser, program
from tests.support.showcase import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program() is None, reason="NOT TESTED: pages in a browser need Chromium"),
]
SCREENS = [
    pytest.param(width, dark, id=f"{width}{'-dark' if dark else ''}") for width in (1280, 390) for dark in (0, 1)
]
DRAWN = """[...document.querySelectorAll('svg')].filter(svg => {
  const box = svg.getBoundingClientRect(), marks = [...svg.querySelectorAll('rect,circle,path,line')];
  return box.width < 80 || box.height < 15 || !marks.some(mark => mark.getBoundingClientRect().width > 1);
}).map(svg => svg.outerHTML.slice(0, 200))"""
REACHABLE = """[...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,summary,[tabindex="0"]')]
  .filter(e => e.getBoundingClientRect().width).length"""
FOCUSED = """(() => { const e = document.activeElement; if (!e || e === document.body) return null;
  window.seen = window.seen || new Map(); if (!window.seen.has(e)) window.seen.set(e, window.seen.size);
  const style = getComputedStyle(e);
  return [window.seen.get(e), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0]; })()"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("showcase") / "lake"
    build(root)
    return root


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of every kind of page, by name."""
    folder = tmp_path_factory.mktemp("pages")
    found = {
        f"report of {name}": api.write_report(name, folder / f"{name}.html", root=lake).as_uri()
        for name in ("quickstart", "preference-strength", "math-shepherd")
    }
    found["audit of foreign data"] = foreign(folder).as_uri()
    pair = api.sql("select pair_id from preferences order by 1 limit 1", root=lake).item()
    tree = api.sql("select tree_id from nodes order by 1 limit 1", root=lake).item()
    with serve(str(lake)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        home = f"http://127.0.0.1:{server.server_port}"
        found |= {
            "versions": f"{home}/", "pairs": f"{home}/pairs?of=preference-strength%40v1",
            "pair": f"{home}/pair?id={pair}",
            "served report": f"{home}/report?of=quickstart%40v1", "judgments": f"{home}/judgments",
            "trees": f"{home}/trees?of=math-shepherd%40v1",
            "tree": f"{home}/tree?{urlencode({'id': tree, 'of': 'math-shepherd@v1'})}",
            "what cannot be shown": f"{home}/pairs?of=nothing",
        }  # fmt: skip
        yield found
        server.shutdown()
        thread.join()


def foreign(folder: Path) -> Path:
    rows = [
        {"prompt": f"Why {i}?", "chosen": "word " * (i % 9 + 1), "rejected": "term " * (i % 5 + 1)} for i in range(60)
    ]
    file = folder / "pairs.parquet"
    pl.DataFrame(rows).write_parquet(file)
    found = audit_dataset(file)
    page = folder / "foreign.html"
    page.write_text(version_page({"version": found["version"], "file": found["file"], **found["labels"]["pairs"]}))
    return page


KINDS = [
    "report of quickstart", "report of preference-strength", "report of math-shepherd", "audit of foreign data",
    "versions", "pairs", "pair", "served report", "judgments", "trees", "tree", "what cannot be shown",
]  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), SCREENS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_drawn_whole_fits_and_can_be_read_by_everybody(tab, pages, kind, width, dark):
    tab.open(pages[kind], width=width, dark=bool(dark))
    complaints = [line for line in tab.complaints if "400 (Bad Request)" not in line]
    assert complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(DRAWN) == []
    assert tab.violations() == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_field_and_scrolled_box_is_reached_by_tab_and_shows_that_it_is(tab, pages, kind):
    tab.open(pages[kind], width=1280)
    wanted, found = tab.evaluate(REACHABLE), set()
    for _ in range(wanted + 1):
        tab.press("Tab")
        if focused := tab.evaluate(FOCUSED):
            assert focused[1], f"nothing shows that element {focused[0]} has the focus"
            found.add(focused[0])
    assert len(found) == wanted


@pytest.mark.parametrize("kind", ["report of preference-strength", "pairs", "judgments", "pair"])
def test_the_text_is_there_without_a_script(tab, pages, kind):
    tab.open(pages[kind], width=390, scripts=False)
    text = tab.call("DOM.getOuterHTML", nodeId=tab.call("DOM.getDocument")["root"]["nodeId"])["outerHTML"]
    tab.open(pages[kind], width=390)
    assert "<script" not in text
    assert text == tab.call("DOM.getOuterHTML", nodeId=tab.call("DOM.getDocument")["root"]["nodeId"])["outerHTML"]


def test_a_search_is_made_by_keys_alone(tab, pages):
    tab.open(pages["judgments"])
    everything = tab.evaluate("document.querySelector('main p').textContent")
    tab.evaluate("document.querySelector('input[name=text]').focus()")
    tab.call("Input.insertText", text="balance")
    tab.events = []
    tab.press("Enter")
    for _ in range(200):
        if "text=balance" in tab.evaluate("location.href") and tab.evaluate("document.readyState") == "complete":
            break
    found = json.loads(tab.evaluate("JSON.stringify([...document.querySelectorAll('main p')].map(p => p.textContent))"))
    assert found[0] != everything
    assert tab.evaluate("document.querySelectorAll('article').length") == 20
