"""What is to be said of the files that are read: broken rows set aside, columns not used, turns left out."""

from __future__ import annotations

from pathlib import Path

import orjson

from schemas.errors import DataError
from storage.files import atomic_file


class Intake:
    """Collects notes on what is read; a file may be read several times, and every note counts once.

    Args:
        aside: file for the rows that cannot be read, as JSON lines; without one the first of them is raised.
    """

    def __init__(self, aside: Path | None = None) -> None:
        self.aside = aside
        self._broken: dict[tuple[str, int], dict[str, object]] = {}
        self._notes: dict[str, None] = {}
        self._stripped: dict[str, set[int]] = {}

    def refuse(self, error: DataError) -> None:
        """Sets a row aside.

        Raises:
            DataError: that error, where no row is named or nothing is to be set aside.
        """
        if self.aside is None or error.row is None:
            raise error
        row: dict[str, object] = {"file": error.file, "row": error.row, "field": error.field, "reason": error.reason}
        self._broken.setdefault((str(error.file), error.row), row)

    def note(self, text: str) -> None:
        """Keeps a line to be shown."""
        self._notes[text] = None

    def strip(self, file: str, row: int) -> None:
        """Counts a prompt whose last turn, the assistant's, was left out."""
        self._stripped.setdefault(file, set()).add(row)

    @property
    def lines(self) -> list[str]:
        """What to show a person, one line each."""
        lines = list(self._notes)
        for file, rows in self._stripped.items():
            lines.append(
                f"{file}: the assistant's last turn was left out of {len(rows):,} prompts (first: row {min(rows)})"
            )
        if self._broken:
            lines.append(f"{len(self._broken):,} rows set aside in {self.aside}")
        return lines

    def write(self) -> None:
        """Writes the rows set aside, if a file for them was named; none makes an empty file."""
        if self.aside is not None:
            with atomic_file(self.aside) as draft:
                draft.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in self._broken.values()))
