"""What every backend is: one method that answers one request.

A backend keeps what it needs between calls (connections, a loaded model) and never raises for a request that failed:
that is a ``Reply`` with an ``error``. It raises ``EndpointError`` only when going on is pointless (wrong key, unknown
model, nobody listening after all retries).
"""

from __future__ import annotations

from typing import Protocol

from schemas.exchange import Reply, Request


class Backend(Protocol):
    """Answers requests.

    Attributes:
        spec: what the recipe calls it (``embedded``, ``openai:URL:NAME``), without options that change no answer.
    """

    spec: str

    @property
    def slots(self) -> int:
        """How many requests it wants in flight now; the driver keeps that many there and no more."""
        ...

    async def start(self) -> dict[str, str]:
        """Gets ready, and returns its fingerprint: model, revision, tokenizer, checkpoint, whatever tells it apart.

        Raises:
            EndpointError: nobody answers, the key is refused, the model is unknown.
        """
        ...

    async def answer(self, request: Request) -> Reply:
        """Answers one request: ``n`` choices with the indices ``first`` …, or a reply with an error."""
        ...

    async def close(self) -> None:
        """Lets go of everything it holds."""
        ...
