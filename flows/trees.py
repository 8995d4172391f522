"""The search trees behind a version: which there are, one of them, and all in plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import orjson
import polars as pl

from schemas.errors import UsageError
from schemas.messages import text_of
from storage.store import Store
from storage.versions import Version
from tasks.reports import search_page, tree_page

MANY = 1000
"""Trees that plots are drawn over, the first ones by id: their ids are hashes, so they are any."""
LISTED = 50
"""Trees a page of the list."""
TABLES = ("preferences", "steps", "rankings", "examples")


def searched(store: Store) -> Callable[[Mapping[str, Any]], bool]:
    """Returns a test of a row of the versions: whether its run grew trees."""
    runs = store.read("runs", columns=["run_id", "counts"]).collect().iter_rows()
    grew = {name for name, counts in runs if (orjson.loads(counts or "{}").get("rows") or {}).get("nodes")}
    return lambda row: row["run_id"] in grew


def ids(store: Store, version: Version) -> pl.Series:
    """Returns the ids of the trees that a version's rows were made of, and of those its run grew, sorted."""
    grown = store.read("nodes", columns=["tree_id", "run_id"]).filter(pl.col("run_id") == version.run_id)
    found = [grown.select("tree_id").unique().collect()["tree_id"]]
    for name in TABLES:
        if name in version.tables:
            rows = store.read(name, version=version.name).select(
                tree_id=pl.col("meta").str.json_path_match("$.tree_id")
            )
            found.append(rows.drop_nulls().unique().collect()["tree_id"])
    return pl.concat(found).unique().sort()


def nodes(store: Store, trees: pl.Series, columns: list[str] | None = None) -> pl.DataFrame:
    """Returns the rows of these trees, all their columns or some."""
    return store.read("nodes", columns=columns).filter(pl.col("tree_id").is_in(trees.implode())).collect()


def listed(store: Store, dataset: str, start: int = 0) -> str:
    """Returns the page with plots over a version's trees and a list of them."""
    version = store.resolve(dataset)
    known = ids(store, version)
    if not len(known):
        raise UsageError(f"{version.name} was made without a search: there are no trees behind it")
    shown = known.slice(start, LISTED)
    found = nodes(store, known.head(MANY) if start < MANY else shown)
    own = found if start + LISTED <= MANY else nodes(store, shown)
    of = f'<p class="note">over {min(len(known), MANY):,} of {len(known):,} trees</p>' if len(known) > MANY else ""
    steps = [
        f'<a href="/trees?{urlencode({"of": version.name, "start": place})}">{word}</a>'
        for word, place in (("previous", start - LISTED), ("next", start + LISTED)) if 0 <= place < len(known)
    ]  # fmt: skip
    body = (
        f'<p><a href="/">all versions</a> · <a href="/report?{urlencode({"of": version.name})}">report</a></p>'
        f"<h1>Trees of {escape(version.name)}</h1>{of}{search_page.plots(found)}<h2>One by one</h2>"
        f"{_table(store, version, own, shown)}<p>{' · '.join(steps)}</p>"
    )
    return tree_page.whole(f"Trees of {version.name}", body)


def _table(store: Store, version: Version, found: pl.DataFrame, shown: pl.Series) -> str:
    texts, lines = _prompts(store, found), []
    made = _made(store, version, shown)
    for tree_id, rows in (
        found.filter(pl.col("tree_id").is_in(shown.implode())).sort("tree_id").group_by("tree_id", maintain_order=True)
    ):
        told = search_page.numbers(rows)
        link = f'<a href="/tree?{urlencode({"of": version.name, "id": str(tree_id[0])})}">'
        cells = (f"{told['steps']:,}", f"{told['right_ends']} of {told['ends']}", f"{made[str(tree_id[0])]:,}")
        numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
        lines.append(f"<tr><td>{link}{escape(texts[rows['prompt_id'][0]][:90])}</a></td>{numbers}</tr>")
    heads = '<th scope="col">problem</th>' + "".join(
        f'<th scope="col" class="n">{word}</th>' for word in ("steps", "right ends", "rows")
    )
    return f'<div class="wide"><table><tr>{heads}</tr>{"".join(lines)}</table></div>'


def _made(store: Store, version: Version, trees: pl.Series) -> dict[str, int]:
    """Returns tree id -> how many rows (pairs, lists, rows of steps) a version has of it."""
    made = dict.fromkeys(trees, 0)
    for name in TABLES:
        if name in version.tables:
            rows = store.read(name, version=version.name).select(
                tree_id=pl.col("meta").str.json_path_match("$.tree_id")
            )
            own = rows.filter(pl.col("tree_id").is_in(trees.implode())).group_by("tree_id").len().collect()
            made |= {tree_id: made[tree_id] + count for tree_id, count in own.iter_rows()}
    return made


def _prompts(store: Store, found: pl.DataFrame) -> dict[str, str]:
    rows = store.read("prompts", prompt_ids=found["prompt_id"].unique()).select("prompt_id", "messages").collect()
    return {name: text_of(messages) for name, messages in rows.iter_rows()}


def one(store: Store, tree_id: str, dataset: str = "") -> str:
    """Returns the page of one tree, with what a version (null: none) made of it."""
    found = store.read("nodes").filter(pl.col("tree_id") == tree_id).collect()
    if not found.height:
        raise UsageError(f"there is no tree {tree_id!r}")
    version = store.resolve(dataset) if dataset else None
    links, made = ['<a href="/">all versions</a>'], ""
    if version is not None:
        links.append(f'<a href="/trees?{urlencode({"of": version.name})}">all trees</a>')
        made = f"of {version.name}"
    texts = _prompts(store, found)
    return tree_page.tree_page(
        found, *_rows(store, version, found), prompt=texts.get(found["prompt_id"][0], ""), made=made,
        back=f"<p>{' · '.join(links)}</p>",
    )  # fmt: skip


def _rows(store: Store, version: Version | None, found: pl.DataFrame) -> list[pl.DataFrame | None]:
    """Returns the pairs and steps that a version has of a tree's prompt."""
    own = pl.col("prompt_id") == found["prompt_id"][0]
    return [
        store.read(name, version=version.name).filter(own).collect()
        if version is not None and name in version.tables else None
        for name in ("preferences", "steps")
    ]  # fmt: skip


def section(store: Store, dataset: str, drawn: int = 3) -> str:
    """Returns what a version's report shows of its searches: plots, and the trees with the most pairs or labels.

    Empty for a version made without a search.
    """
    version = store.resolve(dataset)
    known = ids(store, version)
    if not len(known):
        return ""
    found = nodes(store, known.head(MANY))
    texts = _prompts(store, found)
    parts = [search_page.plots(found)]
    for tree_id in _telling(store, version, found)[:drawn]:
        rows = found.filter(pl.col("tree_id") == tree_id)
        picture = tree_page.section(rows, *_rows(store, version, rows), level=4)
        parts.append(f"<h3>{escape(texts[rows['prompt_id'][0]])}</h3>{picture}")
    return "".join(parts)


def _telling(store: Store, version: Version, found: pl.DataFrame) -> list[str]:
    """Returns the ids of trees, those with the most rows in the version first, then the widest."""
    sizes = dict(found.group_by("tree_id").len().iter_rows())
    made = _made(store, version, pl.Series(list(sizes)))
    return sorted(sizes, key=lambda name: (-made[name], -sizes[name], name))


def described(store: Store, version: Version) -> dict[str, Any] | None:
    """Returns the numbers of a version's trees, null where it was made without a search."""
    known = ids(store, version)
    return search_page.numbers(nodes(store, known, list(search_page.NUMBERS))) if len(known) else None
