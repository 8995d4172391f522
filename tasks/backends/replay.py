"""Backend ``replay``: completions one already has answer in the place of a model.

Nothing is bought, so nothing goes through the ledger: the file is the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.exchange import Choice, Reply, Request
from schemas.ids import canonical, content_id
from schemas.messages import to_rows


class Replay:
    """Answers a prompt with its recorded completions, in the file's order.

    Args:
        spec: ``replay:FILE``. completions: content id of the prompt's messages -> its recorded completions, each with
            text and optionally policy, label, score, logprob, on_policy_age, first_error, cuts, prompt_id, and its
            messages where they are more than one text.
    """

    records = True

    def __init__(self, spec: str, completions: Mapping[str, Sequence[Mapping[str, Any]]], fingerprint: str) -> None:
        self.spec, self._completions, self._fingerprint = spec, completions, fingerprint

    @property
    def slots(self) -> int:
        """Any number: nothing waits."""
        return 1024

    async def start(self) -> dict[str, str]:
        """Returns the fingerprint: the content hash of the file."""
        return {"model": self.spec, "sha": self._fingerprint}

    async def answer(self, request: Request) -> Reply:
        """Returns all recorded completions of the prompt, however many are asked for; nothing to who asks for more."""
        return self.told(request)

    def told(self, request: Request) -> Reply:
        """Returns what ``answer`` does, at once."""
        recorded = self._completions.get(key(request.messages), ())
        if asker := request.extra.get("prompt_id"):  # two prompts may say the same and differ in reference or group
            recorded = [row for row in recorded if row.get("prompt_id", asker) == asker]
        if request.first:  # all came with the first answer
            recorded = ()
        choices = tuple(
            Choice(
                index=index,
                text=row["text"],
                outcome="ok" if row["text"].strip() or row.get("messages") else "empty",
                logprob=row.get("logprob"),
                value=_brought(row),
            )
            for index, row in enumerate(recorded)
        )
        return Reply(choices=choices, error=None if choices else "no recorded completion for this prompt")

    async def close(self) -> None:
        """Nothing to let go of."""


def _brought(row: Mapping[str, Any]) -> dict[str, Any]:
    brought = {name: row[name] for name in ("policy", "label", "on_policy_age") if row.get(name) is not None}
    meta = {name: row[name] for name in ("first_error", "cuts") if name in row}
    if row.get("score") is not None:
        meta["score"] = float(row["score"])
    if row.get("messages"):
        brought |= {"messages": row["messages"], "content_id": content_id("completion", row["messages"])}
    if meta:
        brought["meta"] = canonical(meta).decode()
    return brought


def key(messages: Sequence[Mapping[str, Any]]) -> str:
    """Returns the content id under which a prompt's completions are filed."""
    return content_id("replay", to_rows([dict(message) for message in messages]))
