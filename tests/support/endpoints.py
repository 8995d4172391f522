"""A scripted endpoint on a real socket, and a backend for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.engine import Canned, Engine, canned
from schemas.exchange import Reply, Request
from tasks.backends.openai import OpenAI

ASK = Request("m", ({"role": "user", "content": "What is 2 + 2?"},))


def said(text: str | None = "4", finish: str | None = "stop", usage: Any = True, **message: Any) -> dict[str, Any]:
    """An answer as servers give it."""
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
    body = {
        "object": "chat.completion", "model": "m-2024",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text} | message}],
    }  # fmt: skip
    return body | ({"usage": counts if usage is True else usage} if usage is not None else {})


@contextlib.asynccontextmanager
async def endpoint(*script: Canned | dict[str, Any] | None, options: str = "", **engine: Any) -> AsyncIterator[Any]:
    """An engine that gives the scripted answers, and a backend for it."""
    server = Engine(**{"prefill_ms": 1.0, "tpot_ms": 0.0, **engine})
    server.script.extend(canned(item) if isinstance(item, dict) else item for item in script)
    async with server.serve() as url:
        backend = OpenAI(f"openai:{url}:m?{options}")
        try:
            yield backend, server
        finally:
            await backend.close()


def ask(*script: Canned | dict[str, Any] | None, request: Request = ASK, options: str = "tries=2") -> Reply:
    """Returns the reply to one request."""

    async def run() -> Reply:
        async with endpoint(*script, options=options) as (backend, _):
            reply: Reply = await backend.answer(request)
            return reply

    return asyncio.run(run())
