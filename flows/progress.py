"""What a person sees while a run goes on: one block of lines on stderr, drawn by rich."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group

    from flows.result import Counts
    from tasks.driver import Driver


@contextlib.contextmanager
def live(total: int, driver: Driver, counts: Counts) -> Iterator[None]:
    """Shows progress while it is open; prints nothing where stderr is no terminal.

    Args:
        total: prompts of the run. driver: its tally says what was asked. counts: what shards have made so far.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with Live(
        get_renderable=lambda: _draw(total, driver, counts), console=console, refresh_per_second=4, transient=True
    ):
        yield


def _draw(total: int, driver: Driver, counts: Counts) -> Group:
    from time import monotonic

    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    tally = driver.tally
    seconds = max(monotonic() - tally.started, 1e-6)
    done = driver.finished
    rate = done / seconds
    left = f"{(total - done) / rate:,.0f} s left" if done and done < total else ""
    head = Table.grid(padding=(0, 2))
    head.add_row("prompts", ProgressBar(total=total, completed=done, width=40), f"{done:,} / {total:,}", left)
    lines = [
        f"calls    {tally.asked:,} asked ({tally.answered / seconds:,.0f}/s), {_flying(driver)}, "
        f"{tally.from_ledger:,} from the ledger, {tally.failed:,} failed",
        f"tokens   {tally.completion_tokens:,} sampled ({tally.completion_tokens / seconds:,.0f}/s), "
        f"{tally.prompt_tokens:,} read   cost  ${tally.cost:,.4f}",
        f"so far   {counts.rows['completions']:,} completions, {counts.rows['judgments']:,} judgments committed",
    ]
    for judge, outcomes in sorted(counts.all_outcomes().items()):
        lines.append(f"{judge:<8} " + ", ".join(f"{count:,} {name}" for name, count in outcomes.items()))
    if driver.stopped is not None:
        lines.append("stopping: what is in flight lands first (Ctrl-C again to leave at once)")
    return Group(head, *(Text(line, overflow="ellipsis", no_wrap=True) for line in lines))


def _flying(driver: Driver) -> str:
    """Returns how many calls wait, are in flight and wait to be made again, with what went wrong last."""
    states = {id(state): state for b in driver.backends.values() if (state := getattr(b, "away", None)) is not None}
    retrying = sum(state.waiting for state in states.values())
    flying = f"{driver.tally.waiting:,} waiting, {max(0, driver.tally.in_flight - retrying):,} in flight"
    if not retrying:
        return flying
    last = next(state.what for state in states.values() if state.waiting)
    return f"{flying}, {retrying:,} retrying (last: {last[:80]})"


@contextlib.contextmanager
def working(doing: str, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """Shows what is being done while it is open; what it gives changes that. Silent where stderr is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda _: None
        return
    with console.status(doing) as status:
        yield status.update


def note(message: str) -> None:
    """Writes one line to stderr."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
