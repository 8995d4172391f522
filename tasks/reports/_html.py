"""The look of a dataset's page, and its smallest parts.

Source: WCAG 2.2, success criteria 1.4.3 (contrast), 1.4.10 (reflow), 2.1.1 (keyboard).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tasks.reports._plots import short

STYLE = """
:root{color-scheme:light dark;--ink:#1b2130;--soft:#566074;--line:#cfd5e0;--back:#fff;--card:#f5f7fa;--bar:#2f62c0;
--bar2:#b8543a;--good:#1d6b3a;--warn:#9a3412;--ins:#d6f0dd;--del:#fbdcd5}
@media(prefers-color-scheme:dark){:root{--ink:#e7eaf1;--soft:#a6afc0;--line:#39414f;--back:#13161d;--card:#1b202a;
--bar:#7aa7ff;--bar2:#f0977c;--good:#8ed8a8;--warn:#ffb38a;--ins:#1d4a2d;--del:#5c2a1f}}
*{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:68rem;font:16px/1.5 system-ui,sans-serif}
body{color:var(--ink);background:var(--back)}h1{font-size:1.5rem;margin:.2rem 0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .5rem;border-top:1px solid var(--line);padding-top:.8rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.4rem 0}a{color:var(--bar)}.note,figcaption{color:var(--soft);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.8rem 0}nav a{padding:.15rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.2rem,1fr));gap:.6rem;margin:1rem 0}
.tiles div{background:var(--card);border-radius:.5rem;padding:.5rem .7rem}.tiles dt{color:var(--soft);font-size:.8rem}
.tiles dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1rem 1.6rem}
figure{margin:0}svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--ink)}
svg .small{font-size:10px;fill:var(--soft)}.grid{stroke:var(--line)}.mark{stroke:var(--ink);stroke-dasharray:3 3}
.span{stroke:var(--bar);stroke-width:2}.dot{fill:var(--bar)}.bar{fill:var(--bar)}.bar.rejected,.bar.removed,.bar.contradicted{fill:var(--bar2)}.bar.other,.bar.incomplete{fill:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:60%}
th,td{padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td+td{overflow-wrap:anywhere}td.n,th.n{text-align:right;white-space:nowrap}.ok{color:var(--good)}.bad{color:var(--warn);font-weight:600}
article{background:var(--card);border-radius:.5rem;padding:.7rem .9rem;margin:.8rem 0}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:.3rem 1.2rem}
.sides>*{min-width:0}.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}
.long{max-height:26rem;overflow:auto}
h4,.name{font-size:.85rem;font-weight:600;margin:.4rem 0 0;color:var(--soft)}
ins{background:var(--ins);text-decoration:none}
del{background:var(--del);text-decoration:none}pre{background:var(--card);padding:.7rem;overflow:auto;font-size:.85rem}
:focus-visible{outline:3px solid var(--bar);outline-offset:2px}
"""


def figure(picture: str, caption: str) -> str:
    """Returns a picture or table with its caption."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], body: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Returns a table whose last columns are numbers, so many."""

    def row(cells: Sequence[str], tag: str) -> str:
        edge, scope = len(cells) - numbers, ' scope="col"' if tag == "th" else ""
        made = (
            f"<{tag}{scope}{' class=n' if i >= edge else ''}>{escape(cell)}</{tag}>" for i, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    return wide(f"{row(head, 'th') if head else ''}{''.join(row(cells, 'td') for cells in body)}")


def wide(rows: str) -> str:
    """Returns the rows as a table that scrolls by itself, also by keys, where a screen is too narrow for it."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="table"><table>{rows}</table></div>'


def rate(found: Mapping[str, Any]) -> str:
    """Returns a share with its interval, as ``65.6 % (63.2-67.8, n=1,629)``."""
    if found["value"] is None:
        return "–"
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f}-{100 * found['high']:.1f}, n={found['n']:,})"


def value(found: Any) -> str:
    """Returns a number or text as it stands in a page; a dash for null."""
    if found is None:
        return "–"
    return escape(found if isinstance(found, str) else short(found) if isinstance(found, float) else f"{found:,}")
