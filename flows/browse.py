"""``pairwright browse``: versions, pairs, trees, lineage as pages on this machine, made when they are asked for."""

from __future__ import annotations

import logging
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl

from flows import judged, trees
from flows.describe import describe, readable
from schemas.errors import PairwrightError
from storage.lineage import lineage
from storage.store import Store
from tasks.reports.browse_pages import FILTERS, ORDERS, page, pair_page, pairs_page, versions_page
from tasks.reports.version_page import version_page

log = logging.getLogger(__name__)
SIZE = 20
"""Pairs a page."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'"


def serve(root: str, *, port: int = 0) -> ThreadingHTTPServer:
    """Returns a server on the loopback address, not yet serving; it only reads.

    Args:
        port: 0 takes a free one.
    """
    Store.open(root, create=False)
    handler = type("Handler", (_Handler,), {"root": root})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def answer(root: str, path: str, asked: dict[str, str]) -> str | None:
    """Returns the page at a path, null where there is none."""
    store = Store.open(root, create=False)
    if path == "/":
        searched = trees.searched(store)
        return versions_page([row | {"searched": searched(row)} for row in store.versions().reverse().to_dicts()])
    if path == "/report":
        dataset = asked.get("of", "")
        return version_page(describe(store, dataset), searches=trees.section(store, dataset))
    if path == "/pairs":
        return _pairs(store, asked)
    if path == "/pair":
        found = lineage(store, asked.get("id", ""))
        return pair_page(readable(found["pair"]), found)
    if path == "/judgments":
        return judged.listed(store, asked)
    if path == "/trees":
        return trees.listed(store, asked.get("of", ""), max(0, int(asked.get("start") or 0)))
    if path == "/tree":
        return trees.one(store, asked.get("id", ""), asked.get("of", ""))
    return None


def _pairs(store: Store, asked: dict[str, str]) -> str:
    version = store.resolve(asked.get("of", ""))
    column, descending = ORDERS.get(asked.get("order", ""), ("pair_id", False))
    wanted = store.read("preferences", version=version.name).filter(_condition(asked))
    wanted = wanted.sort(column, "pair_id", descending=[descending, False], nulls_last=True)
    total = wanted.select(pl.len()).collect(engine="streaming").item()
    start = max(0, int(asked.get("start") or 0))
    rows = [readable(row) for row in wanted.slice(start, SIZE).collect().iter_rows(named=True)]
    shown = {field: asked.get(field, "") for field in ("order", *(field for field, _, _ in FILTERS))}
    return pairs_page(version.name, shown, rows, total, start, SIZE)


def _condition(asked: dict[str, str]) -> pl.Expr:
    found = pl.lit(True)
    if asked.get("text"):
        said = [pl.col(side).list.eval(pl.element().struct.field("content")).list.join(" ") for side in _SIDES]
        text = pl.concat_str(said, separator=" ", ignore_nulls=True).str.to_lowercase()
        for word in asked["text"].lower().split():
            found &= text.str.contains(word, literal=True)
    if asked.get("least"):
        found &= pl.col("margin") >= float(asked["least"])
    if asked.get("most"):
        found &= pl.col("margin") <= float(asked["most"])
    if asked.get("split"):
        found &= pl.col("split") == asked["split"]
    if asked.get("policy"):
        found &= (pl.col("chosen_policy") == asked["policy"]) | (pl.col("rejected_policy") == asked["policy"])
    return found


_SIDES = ("prompt", "chosen", "rejected")


class _Handler(BaseHTTPRequestHandler):
    root = ""

    def do_GET(self) -> None:
        """Answers with a page; what cannot be shown says why."""
        parts = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        status = 200
        if host not in (
            "127.0.0.1",
            "localhost",
        ):  # another site's name that leads here: its scripts shall read nothing
            status, text = 403, page("Not for this name", "<p>Open it as 127.0.0.1.</p>", home=False)
        else:
            try:
                found = answer(self.root, parts.path, asked)
                text = found if found is not None else page("Not here", "<p>There is no such page.</p>")
                status = 200 if found is not None else 404
            except (PairwrightError, ValueError) as error:
                status, text = 400, page("Cannot be shown", f"<p>{escape(str(error))}</p>")
        data = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(data))),
                            ("Content-Security-Policy", POLICY), ("Cache-Control", "no-store")):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs a request."""
        log.info(format, *args)
