"""Plots of a dataset's page as SVG text: columns of a histogram, and bars in a row. No script, no outside file.

Source: Cleveland and McGill 1984 (position on a common scale is read best).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, _LEFT, _FOOT = 360, 170, 44, 34


def columns(found: Mapping[str, Any], *, label: str, mark: float | None = None, title: str) -> str:
    """Returns a histogram: edges (or single values) across, counts upwards.

    Args:
        found: ``counts`` with ``edges`` or ``values``. label: under the axis. mark: where a dashed line stands.
        title: what a reader who sees no picture is told.
    """
    counts = found["counts"]
    top = max(counts, default=0) or 1
    span, tall = WIDTH - _LEFT - 8, HEIGHT - _FOOT - 10
    width = span / max(1, len(counts))
    wide = min(max(width - 1, 0.6), 48)
    parts = [opened(WIDTH, HEIGHT, title)]
    for share in (0, 0.5, 1):
        y = HEIGHT - _FOOT - share * tall
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - 8}" y2="{y:.1f}" class="grid"/>')
        parts.append(_text(_LEFT - 5, y + 3.5, short(share * top), "end"))
    for place, count in enumerate(counts):
        height = tall * count / top
        x, y = _LEFT + place * width, HEIGHT - _FOOT - height
        where = _range(found, place)
        parts.append(
            f'<rect x="{x + (width - wide) / 2:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{height:.1f}" class="bar">'
            f"<title>{escape(where)}: {count:,}</title></rect>"
        )
    parts += _ticks(found, span, width)
    if mark is not None and "edges" in found and found["edges"][0] <= mark <= found["edges"][-1]:
        x = _LEFT + span * (mark - found["edges"][0]) / (found["edges"][-1] - found["edges"][0])
        parts.append(f'<line x1="{x:.1f}" y1="6" x2="{x:.1f}" y2="{HEIGHT - _FOOT}" class="mark"/>')
    parts.append(_text(_LEFT + span / 2, HEIGHT - 4, label, "middle"))
    return "".join([*parts, "</svg>"])


def _range(found: Mapping[str, Any], place: int) -> str:
    if "values" in found:
        return f"{found['values'][place]:g}"
    return f"{found['edges'][place]:.3g} to {found['edges'][place + 1]:.3g}"


def _ticks(found: Mapping[str, Any], span: float, width: float) -> list[str]:
    if "values" in found:
        step = max(1, len(found["values"]) // 8)
        places = range(0, len(found["values"]), step)
        return [_text(_LEFT + (i + 0.5) * width, HEIGHT - 20, f"{found['values'][i]:.3g}", "middle") for i in places]
    low, high = found["edges"][0], found["edges"][-1]
    return [
        _text(_LEFT + share * span, HEIGHT - 20, f"{low + share * (high - low):.3g}", anchor)
        for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    ]


def rows(bars: Sequence[tuple[str, Sequence[tuple[str, float]]]], *, title: str, unit: str = "") -> str:
    """Returns one bar a row, made of named parts that stand one after the other; the number stands behind it.

    Args:
        bars: name -> (part's class, amount), e.g. ``[("chosen", 5.0), ("rejected", 3.0)]``.
    """
    left, row, most_parts = 132, 24, max((len(parts) for _, parts in bars), default=1)
    height = row * len(bars) + 8
    most = max((sum(amount for _, amount in parts) for _, parts in bars), default=0) or 1
    span = WIDTH - left - 22 - 40 * min(most_parts, 3)
    out = [opened(WIDTH, height, title)]
    for place, (name, parts) in enumerate(bars):
        y, x = row * place + 6, float(left)
        shown = cut(name)
        out.append(
            f'<text x="{left - 6}" y="{y + 13}" text-anchor="end"><title>{escape(name)}</title>{escape(shown)}</text>'
        )
        for kind, amount in parts:
            wide = span * amount / most
            out.append(
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="16" class="bar {escape(kind)}">'
                f"<title>{escape(name)}, {escape(kind)}: {amount:,.6g}</title></rect>"
            )
            x += wide
        told = " + ".join(f"{unit}{short(amount)}" for _, amount in parts)
        out.append(f'<text x="{x + 5:.1f}" y="{y + 12.5}" class="small">{told}</text>')
    return "".join([*out, "</svg>"])


def dots(rates: Sequence[tuple[str, Mapping[str, Any]]], *, mark: float | None = None, title: str) -> str:
    """Returns one share with its interval a row, from 0 to 100 %; a dashed line stands at ``mark``."""
    left, row = 132, 24
    height = row * len(rates) + 24
    span = WIDTH - left - 16
    out = [opened(WIDTH, height, title)]
    for share in (0, 0.5, 1):
        x = left + span * share
        kind = "mark" if share == mark else "grid"
        out.append(f'<line x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{height - 18}" class="{kind}"/>')
        out.append(_text(x, height - 5, f"{100 * share:.0f} %", "middle"))
    for place, (name, found) in enumerate(rates):
        y = row * place + 14
        shown = cut(name)
        out.append(
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end"><title>{escape(name)}</title>{escape(shown)}</text>'
        )
        if found["value"] is None:
            out.append(_text(left + 4, y + 4, "nothing to count", "start"))
            continue
        low, high, at = (left + span * found[key] for key in ("low", "high", "value"))
        out.append(f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" class="span"/>')
        told = f"{name}: {100 * found['value']:.1f} %, n={found['n']:,}"
        out.append(f'<circle cx="{at:.1f}" cy="{y}" r="4.5" class="dot"><title>{escape(told)}</title></circle>')
    return "".join([*out, "</svg>"])


def opened(width: int, height: int, title: str) -> str:
    """Returns the start of a picture that tells what it shows."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
        f'style="max-width:{round(1.45 * width)}px"><title>{escape(title)}</title>'
    )


def short(value: float) -> str:
    """Returns a number in few letters.

    >>> short(12345), short(0.25), short(3)
    ('12.3k', '0.25', '3')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g}{letter}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"


def cut(name: str, most: int = 20) -> str:
    """Returns a name that fits beside a bar; of an address its end is kept, which tells models apart.

    >>> cut("openai:http://127.0.0.1:8000/v1:small"), cut("a name of many letters")
    ('…0.0.1:8000/v1:small', 'a name of many lett…')
    """
    if len(name) <= most:
        return name
    return "…" + name[1 - most :] if "://" in name else name[: most - 1] + "…"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="small">{escape(text)}</text>'
