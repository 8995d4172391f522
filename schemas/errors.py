"""Every error Pairwright raises on purpose.

A bad *row* is data: a reply that failed or cannot be read becomes a row with its outcome and no score. A bad *run*
is an exception, and every one of them is a leaf of this tree:

    PairwrightError
    ├── UsageError          exit 2   the command, the recipe or the input is wrong
    │   ├── RecipeError              a recipe file: unknown block, misspelt parameter, missing judge
    │   ├── DataError                a data file or table: which file, which row, which field
    │   └── MissingExtraError        an optional library is not installed; the message has the install line
    ├── RefusedError        exit 1   a gate or an audit floor said no; the data went to quarantine
    ├── StoppedError        exit 3   a budget or Ctrl-C ended it; the same command goes on
    └── UnavailableError    exit 4   something outside failed
        ├── EndpointError            a model endpoint: down, wrong key, unknown model
        └── StoreError               the lake: disk full, read-only, locked by another run

Blocks raise plain ``ValueError``; the verb that called them adds block, recipe and row (see ``boundary``).
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Mapping


class PairwrightError(Exception):
    """The root of the tree. The message says what is wrong, where, and what to do."""

    exit_code = 2


class UsageError(PairwrightError):
    """The command, the recipe or the input is wrong; asking again the same way fails again."""


class RecipeError(UsageError):
    """A recipe cannot be run as it is written."""


class DataError(UsageError):
    """Rows that do not fit their table.

    Args:
        file, row, field: where it is; ``row`` counts from 1 as a person counts lines.

    Attributes:
        reason: the message without where it is.
    """

    def __init__(
        self, message: str, *, file: str | None = None, row: int | None = None, field: str | None = None
    ) -> None:
        parts = (file, None if row is None else f"row {row}", None if field is None else f"field {field!r}")
        where = ", ".join(part for part in parts if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.reason, self.file, self.row, self.field = message, file, row, field


class MissingExtraError(UsageError):
    """An optional library is needed; the message holds the install line."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"this needs {library}, which is not installed: pip install -e '.[{extra}]'")


class RowsError(ValueError):
    """Rows of a table that a block cannot take; ``reasons`` has each one's id and why."""

    def __init__(self, kind: str, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(sorted(reasons.items()))
        first, why = next(iter(self.reasons.items()))
        more = f" ({len(reasons) - 1:,} more rows are refused)" if len(reasons) > 1 else ""
        super().__init__(f"{kind} {first}: {why}{more}")


class RefusedError(PairwrightError):
    """A gate or an audit floor refused to publish."""

    exit_code = 1


class StoppedError(PairwrightError):
    """A budget or Ctrl-C ended the run; the same command goes on from there."""

    exit_code = 3


class UnavailableError(PairwrightError):
    """Something outside Pairwright failed; nothing that was answered is lost."""

    exit_code = 4


class EndpointError(UnavailableError):
    """A model endpoint does not answer, or refuses us."""


class StoreError(UnavailableError):
    """The lake or the ledger cannot be read or written."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Returns the words to add to a message about an unknown name.

    >>> nearest("best_vs_wrost", ["best_vs_worst", "all_pairs"])
    "did you mean 'best_vs_worst'? There are: all_pairs, best_vs_worst"
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    listing = f"There are: {', '.join(names)}" if names else "There are none"
    return f"did you mean {close[0]!r}? {listing}" if close else listing


@contextlib.contextmanager
def boundary(what: str) -> Iterator[None]:
    """Names a plain ``ValueError`` of a block: ``what`` is the block, the recipe and the row it was given."""
    try:
        yield
    except ValueError as error:
        raise RecipeError(f"{what}: {error}") from error
