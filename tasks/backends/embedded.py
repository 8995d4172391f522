"""The embedded policy: a tiny real language model that ships with Pairwright and needs no server, GPU or network.

It was trained by ``tasks/backends/arithmetic/train.py`` to work out arithmetic step by step, and is right about two
thirds of the time at temperature 1. ``embedded:FOLDER`` serves another Llama checkpoint in Hugging Face format.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import EndpointError
from schemas.exchange import Choice, Outcome, Reply, Request, Token

FOLDER = Path(__file__).parent / "arithmetic"
SLOTS = 256
"""Twice the rows of the batch: while half of the requests are at work, the others wait beside it, not in the driver."""
LINE = 1 << 28
"""Longest line the worker may send, in bytes."""

logger = logging.getLogger(__name__)


class Embedded:
    """Samples from a small checkpoint in a worker process.

    A sample depends on its request, seed and index alone; texts and log-probabilities are the same to the last bit
    whatever else is asked at the same time. Log-probabilities are those of the model before temperature and top_p.

    Args:
        folder: a Llama checkpoint in Hugging Face format; the one that ships with us when null.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.spec = "embedded" if folder is None else f"embedded:{folder}"
        self.slots = SLOTS
        self._folder = FOLDER if folder is None else Path(folder).expanduser()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tags = itertools.count()
        self._fingerprint: dict[str, str] = {}

    async def start(self) -> dict[str, str]:
        """Starts the worker and returns its fingerprint: model, engine, and hashes of weights and tokenizer.

        Raises:
            EndpointError: the folder holds no checkpoint that can be served.
        """
        async with self._starting:
            if self._process is None:
                process = await self._spawn()
                assert process.stdout is not None
                first = await process.stdout.readline()
                said: dict[str, Any] = orjson.loads(first) if first else {"failed": "the worker ended without a word"}
                if "failed" in said:
                    await _stop(process)
                    raise EndpointError(f"{self.spec}: cannot serve {self._folder}: {said['failed']}")
                self._process, self._fingerprint = process, said["ready"]
                self._reader = asyncio.create_task(self._listen(process))
        return dict(self._fingerprint)

    async def _spawn(self) -> asyncio.subprocess.Process:
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tasks.backends.embedded_worker", str(self._folder.absolute()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE,
            start_new_session=True,  # Ctrl-C is for the driver; the worker ends when its pipe closes
            env=os.environ | one | {"PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"},
        )  # fmt: skip

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = orjson.loads(line)
            waiting = self._pending.pop(said["id"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
        code = await process.wait()
        self._process = None
        pending, self._pending = self._pending, {}
        for waiting in pending.values():
            if not waiting.done():
                waiting.set_result({"error": f"the embedded policy's worker ended (exit status {code})"})

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        await self.start()
        process = self._process
        if process is None:
            return {"error": "the embedded policy's worker ended"}
        assert process.stdin is not None
        tag = next(self._tags)
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[tag] = waiting
        try:
            process.stdin.write(orjson.dumps({"id": tag, **message}) + b"\n")
            with contextlib.suppress(ConnectionError):  # the worker is gone: _listen answers
                await process.stdin.drain()
            return await waiting
        finally:
            self._pending.pop(tag, None)

    async def answer(self, request: Request) -> Reply:
        """Answers one request; a worker that died is started again by the next one."""
        seed = secrets.randbits(63) if request.seed is None else request.seed
        asked = {
            "kind": request.kind, "messages": request.messages, "text": request.text, "prefix": request.prefix,
            "n": request.n, "first": request.first, "temperature": request.temperature, "top_p": request.top_p,
            "max_tokens": request.max_tokens, "stop": request.stop, "seed": seed, "logprobs": request.logprobs,
            "top_logprobs": request.top_logprobs, "extra": request.extra, "tools": request.tools,
        }  # fmt: skip
        loop = asyncio.get_running_loop()
        began = loop.time()
        said = await self._ask({"ask": asked})
        if "error" in said:
            return Reply(error=said["error"])
        return Reply(
            choices=tuple(_choice(choice) for choice in said["choices"]),
            prompt_tokens=said["prompt_tokens"],
            latency_s=said.get("seconds", loop.time() - began),
            fingerprint=f"{self._fingerprint['model']}@{self._fingerprint['revision']}",
        )

    async def score(self, text: str) -> tuple[Token, ...]:
        """Returns each token of a text but the first, with its log-probability given those before it.

        Raises:
            ValueError: the text is empty or longer than the model's context.
        """
        said = await self._ask({"score": text})
        if "error" in said:
            raise ValueError(said["error"])
        return tuple(Token(piece, logprob) for piece, logprob in said["tokens"])

    async def close(self) -> None:
        """Ends the worker; what it was working on is answered with an error."""
        process, reader = self._process, self._reader
        if process is not None:
            await _stop(process)
        if reader is not None:
            await reader
        self._reader = None


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 5.0)
    except TimeoutError:
        logger.warning("the embedded policy's worker did not end by itself and was killed")
        process.kill()
        await process.wait()


def _choice(said: dict[str, Any]) -> Choice:
    reason, text = said["finish_reason"], said["text"]
    outcome: Outcome = "truncated" if reason == "length" else "ok" if text or "value" in said else "empty"
    return Choice(
        index=said["index"], text=text, outcome=outcome, finish_reason=reason, logprob=said["logprob"],
        tokens=tuple(
            Token(piece, logprob, tuple((other, at) for other, at in top)) for piece, logprob, top in said["tokens"]
        ),
        completion_tokens=said["completion_tokens"], value=said.get("value"),
    )  # fmt: skip
