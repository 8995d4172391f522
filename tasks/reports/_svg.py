"""Small plots as SVG text: bars with intervals, and a curve against the diagonal. No script, no outside file.

Source: Cleveland and McGill 1984 (position on a common scale is read best); Guo et al. 2017, arXiv:1706.04599, figure 1
(reliability diagram).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tasks.reports._statistics import Bin, Rate

WIDTH, _LEFT, _ROW = 360, 150, 26


def bars(
    rows: Sequence[tuple[str, Rate]], *, low: float = 0.0, high: float = 1.0, mark: float | None = None, title: str = ""
) -> str:
    """Returns one dot with its interval a row, on one scale; a line stands at ``mark``. Rows without a value say so.

    Args:
        title: what a reader who sees no picture is told.
    """
    height = _ROW * len(rows) + 22
    parts = [_open(WIDTH, height, title)]
    scale = (WIDTH - _LEFT - 14) / (high - low)
    for tick in (low, (low + high) / 2, high):
        x = _LEFT + (tick - low) * scale
        parts.append(f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height - 18}" class="grid"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 5}" text-anchor="middle" class="small">{100 * tick:.0f}</text>')
    if mark is not None:
        x = _LEFT + (mark - low) * scale
        parts.append(f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height - 18}" class="mark"/>')
    for place, (name, rate) in enumerate(rows):
        y = _ROW * place + 18
        label = name if len(name) <= 24 else name[:23] + "…"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end"><title>{escape(name)}</title>{escape(label)}</text>'
        )
        if rate.value is None:
            parts.append(f'<text x="{_LEFT + 4}" y="{y + 4}" class="small">nothing to count</text>')
            continue
        ends = [min(max(end, low), high) for end in (rate.low, rate.high) if end is not None]
        points = [_LEFT + (value - low) * scale for value in (*ends, min(max(rate.value, low), high))]
        if len(points) == 3:
            parts.append(f'<line x1="{points[0]:.1f}" y1="{y}" x2="{points[1]:.1f}" y2="{y}" class="span"/>')
        title = escape(f"{name}: {rate}")
        parts.append(f'<circle cx="{points[-1]:.1f}" cy="{y}" r="4.5" class="dot"><title>{title}</title></circle>')
    return "".join([*parts, "</svg>"])


def curve(bins: Sequence[Bin], *, low: float = 0.5, title: str = "") -> str:
    """Returns a reliability diagram: claimed probability across, what came true upwards, the diagonal dashed."""
    size, edge = 260, 34

    def at(x: float, y: float) -> tuple[float, float]:
        span = (size - edge - 10) / (1 - low)
        return edge + (max(x, low) - low) * span, size - edge - (max(y, low) - low) * span

    (x0, y0), (x1, y1) = at(low, low), at(1, 1)
    parts = [_open(size, size, title), f'<rect x="{x0}" y="{y1}" width="{x1 - x0}" height="{y0 - y1}" class="frame"/>']
    parts.append(f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" class="mark"/>')
    for tick in (low, (low + 1) / 2, 1.0):
        x, y = at(tick, tick)
        parts.append(
            f'<text x="{x:.1f}" y="{size - edge + 15}" text-anchor="middle" class="small">{100 * tick:.0f}</text>'
        )
        parts.append(f'<text x="{edge - 5}" y="{y + 4:.1f}" text-anchor="end" class="small">{100 * tick:.0f}</text>')
    parts.append(f'<text x="{(x0 + x1) / 2}" y="{size - 4}" text-anchor="middle" class="small">claimed %</text>')
    for point in bins:
        rate = point.found
        if rate.value is None or rate.low is None or rate.high is None:
            continue
        x, y = at(point.claimed, rate.value)
        ends = at(0, rate.low)[1], at(0, rate.high)[1]
        parts.append(f'<line x1="{x:.1f}" y1="{ends[0]:.1f}" x2="{x:.1f}" y2="{ends[1]:.1f}" class="span"/>')
        title = escape(f"claimed {100 * point.claimed:.1f} %, found {rate}")
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="dot"><title>{title}</title></circle>')
    return "".join([*parts, "</svg>"])


def falling(points: Sequence[tuple[float, Rate]], *, low: float = 0.5) -> str:
    """Returns a line from all pairs at the left to the strongest tenth at the right, with its intervals."""
    width, height, edge = WIDTH, 200, 34

    def at(share: float, value: float) -> tuple[float, float]:
        across, up = (1 - share) / 0.9, (max(value, low) - low) / (1 - low)
        return edge + 10 + across * (width - edge - 30), height - edge - up * (height - edge - 12)

    parts = [_open(width, height)]
    for tick in (low, (low + 1) / 2, 1.0):
        (left, y), (right, _) = at(1.0, tick), at(0.1, tick)
        parts.append(f'<line x1="{left - 10:.1f}" y1="{y:.1f}" x2="{right + 10:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{edge - 5}" y="{y + 4:.1f}" text-anchor="end" class="small">{100 * tick:.0f}</text>')
    for share in (1.0, 0.75, 0.5, 0.25, 0.1):
        x, y = at(share, low)
        parts.append(f'<text x="{x:.1f}" y="{y + 15:.1f}" text-anchor="middle" class="small">{100 * share:.0f}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle" class="small">strongest % kept</text>')
    known = [(share, rate, rate.value) for share, rate in points if rate.value is not None]
    line = " ".join("{:.1f},{:.1f}".format(*at(share, value)) for share, _, value in known)
    parts.append(f'<polyline points="{line}" class="line"/>')
    for share, rate, value in known:
        x, y = at(share, value)
        if rate.low is not None and rate.high is not None:
            ends = at(share, rate.low)[1], at(share, rate.high)[1]
            parts.append(f'<line x1="{x:.1f}" y1="{ends[0]:.1f}" x2="{x:.1f}" y2="{ends[1]:.1f}" class="span"/>')
        title = escape(f"strongest {100 * share:.0f} %: {rate}")
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="dot"><title>{title}</title></circle>')
    return "".join([*parts, "</svg>"])


def _open(width: int, height: int, title: str = "") -> str:
    label = f' aria-label="{escape(title)}"' if title else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img"{label} style="max-width:{round(1.4 * width)}px">'
