"""Takes the pictures of the pages that the docs show, in a real Chromium: ``python -m docs.pictures``."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from flows import api
from flows.browse import serve
from tests.support.chromium import Tab, browser, program
from tests.support.showcase import build

FOLDER = Path(__file__).parent / "pictures"
DESKTOP, PHONE = 1100, 390
MOST = 150_000
"""Bytes of a picture."""


def main() -> int:
    """Makes a lake, opens its pages and writes the pictures; returns the exit code."""
    if program() is None:
        sys.stderr.write("no Chromium here\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        lake = Path(scratch) / "lake"
        build(lake)
        report = api.write_report("preference-strength", Path(scratch) / "report.html", root=lake).as_uri()
        pair = api.sql("select pair_id from preferences where recipe like 'pref%' order by 1", root=lake)["pair_id"][0]
        tree = searched(lake)
        with browser(Path(scratch) / "browser") as tab, serve(str(lake)) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            home, of = f"http://127.0.0.1:{server.server_port}", quote("preference-strength@v1")
            take(tab, report, "report", height=1130)
            take(tab, report, "report-judges", start="#judges", height=760)
            take(tab, report, "report-pairs", start="#read", height=640)
            take(tab, report, "report-phone", width=PHONE, height=844)
            take(tab, report, "report-pairs-phone", width=PHONE, start="#read", height=844)
            take(tab, f"{home}/pairs?of={of}&order=weakest", "browse-pairs", height=700)
            take(tab, f"{home}/judgments?outcome=unparsable", "browse-judgments", height=700)
            take(tab, f"{home}/pair?id={pair}", "browse-lineage", start="h2", height=760)
            take(tab, f"{home}/tree?id={tree}&of={quote('step-dpo@v1')}", "browse-tree", height=1110)
            take(tab, f"{home}/trees?of={quote('step-dpo@v1')}", "browse-trees", height=900)
            server.shutdown()
            thread.join()
    return 0


def searched(lake: Path) -> str:
    """Adds a version of step pairs to the lake and returns the id of the tree with the most steps behind it."""
    sums = {"27 - 13 - 36 + 41": "19", "39 + 27 - 8 * 7": "10", "18 + 11 * 1 - 8": "21", "22 + 9 - 7 * 5": "-4"}
    rows = [json.dumps({"prompt": f"What is {each}?", "reference": answer}) for each, answer in sums.items()]
    (lake / "sums.jsonl").write_text("\n".join(rows))
    api.run("step-dpo", root=lake, prompts=lake / "sums.jsonl", policy="embedded")
    widest = """
        select tree_id, count(*) as n from nodes where tree_id in (select tree_id from nodes join
        preferences_at('step-dpo@v1') on node_id = chosen_id) group by 1 order by n desc, 1 limit 1"""
    return str(api.sql(widest, root=lake)["tree_id"][0])


def take(tab: Tab, url: str, name: str, *, width: int = DESKTOP, height: int, start: str | None = None) -> None:
    """Writes a picture of a page from an element on, in few enough colours to be small."""
    from PIL import Image

    tab.open(url, width=width)
    top = tab.evaluate(f"document.querySelector({start!r}).getBoundingClientRect().top") if start else 0
    taken = Image.open(BytesIO(tab.picture(top=max(0, top - 8) if start else 0, height=height)))
    file = FOLDER / f"{name}.png"
    taken.convert("RGB").quantize(96, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size < MOST, f"{file}: {file.stat().st_size:,} bytes"
    sys.stdout.write(f"{file.name}: {taken.width} x {taken.height}, {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    sys.exit(main())
