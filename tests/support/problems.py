"""Problems that the embedded policy was not trained on, as a file that ``--prompts`` takes."""

from __future__ import annotations

import json
from pathlib import Path

from tasks.sources.arithmetic import arithmetic


def held_back(folder: Path, count: int) -> Path:
    """Returns a file of so many held-back problems with their answers."""
    file = folder / "problems.jsonl"
    rows = arithmetic(n=count, split="test").select("messages", "reference").iter_rows()
    lines = (json.dumps({"prompt": messages[0]["content"], "reference": answer}) + "\n" for messages, answer in rows)
    file.write_text("".join(lines))
    return file
