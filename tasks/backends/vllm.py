"""A vLLM engine that we start, watch, start again and stop: ``vllm:FOLDER`` or ``vllm:NAME[@REVISION]``.

Everybody on this machine who asks for the same engine shares it. Requests go to its OpenAI routes; a crash costs a
restart and never an answer, because what was in flight is asked again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends.http import Client
from tasks.backends.openai import OpenAI
from tasks.backends.vllm_inside import Inside
from tasks.backends.vllm_launch import launch
from tasks.backends.vllm_lease import Lease, State
from tasks.backends.vllm_model import fingerprint
from tasks.backends.vllm_options import SERVED_AS, Target, fitted, parse
from tasks.backends.vllm_scores import Scores

log = logging.getLogger(__name__)


class VLLM:
    """Answers ``chat``, ``complete`` and ``score`` requests with a managed engine (see ``base.Backend``).

    A ``score`` request to a reward model is answered with its number; to a language model with the log-probability of
    the text (``vllm_scores``).

    Args:
        text: the SPEC with its options (``vllm_options.Options``).
    """

    def __init__(self, text: str) -> None:
        self.target: Target = parse(text)
        self.spec = self.target.spec
        self._inside = Inside(self.target) if self.target.options.inside else None
        self._lease: Lease | None = None
        self._fingerprint: dict[str, str] = {}
        self._http: OpenAI | None = None
        self._scores: Scores | None = None
        self._old: list[OpenAI | Scores] = []
        self._urls: list[str] = []
        self._context = 0
        self._asking: set[asyncio.Task[object]] = set()
        self._called_back: set[asyncio.Task[object]] = set()

    @property
    def slots(self) -> int:
        """Enough to keep every replica's batch full."""
        return self._http.slots if self._http else self.target.options.concurrency * self.target.options.replicas

    async def start(self) -> dict[str, str]:
        """Starts the engine, or finds it started, and returns its fingerprint.

        Raises:
            EndpointError: it does not start; the message holds the lines of its log that say why.
            UsageError: no interpreter has vLLM, or there are too few GPUs.
        """
        if self._inside is not None:
            return await self._inside.start()
        if self._lease is None:
            lease = Lease(await asyncio.to_thread(launch, self.target), self._changed)
            await lease.open()
            self._lease = lease
        state = await self._lease.ready()
        self._reach(state)
        assert self._http is not None
        self._context = int((await self._http.start()).get("max_model_len", 0))
        self._fingerprint = fingerprint(self.target, state.hashes, state.version, state.dtype)
        return dict(self._fingerprint)

    def _reach(self, state: State) -> None:
        """Makes clients for the replicas' URLs, where these are new."""
        if state.urls == self._urls:
            return
        self._old += [client for client in (self._http, self._scores) if client is not None]
        options, urls = self.target.options, ",".join(state.urls)
        most = options.concurrency * len(state.urls)
        self._http = OpenAI(
            f"openai:{urls}:{SERVED_AS}?concurrency={most}&start={most}&timeout_s={options.timeout_s}"
            f"&deadline_s={3 * options.timeout_s}",
            key="",  # the environment's key is for somebody else
        )
        self._http.away.start_s = 3.0 * options.timeout_s  # the lease knows sooner whether it comes back
        roots = [Client(url.removesuffix("/v1")) for url in state.urls]
        self._scores = Scores(roots, self.spec, options.timeout_s)
        self._urls = state.urls

    def _changed(self) -> None:
        """Calls back what is in flight when no replica is left to answer it."""
        if self._lease is None or (any(self._lease.state.ready) and not self._lease.failed):
            return
        asking, self._asking = self._asking, set()
        self._called_back |= asking
        for task in asking:
            task.cancel()

    async def answer(self, request: Request) -> Reply:
        """Answers one request; asks again what an engine that ended was working on.

        Raises:
            EndpointError: the engine does not stay, with the end of its log.
        """
        if self._inside is not None:
            return await self._inside.answer(request)
        if self._lease is None:
            await self.start()
        assert self._lease is not None
        lease = self._lease
        while True:
            self._reach(await lease.ready())
            crashes = lease.crashes
            try:
                reply = await self._ask(fitted(request, self._context))
            except EndpointError:
                if not await lease.disturbed(crashes):
                    raise
                continue
            if reply is not None and reply.error is None and all(c.outcome != "error" for c in reply.choices):
                return replace(reply, fingerprint=self._name)
            if reply is not None and not await lease.disturbed(crashes):
                return reply

    @property
    def _name(self) -> str:
        return f"{self._fingerprint.get('model', self.target.model)}@{self._fingerprint.get('revision', '')}"

    async def _ask(self, request: Request) -> Reply | None:
        """Returns the reply, or null when it was called back because no replica is left."""
        client = self._scores if request.kind == "score" else self._http
        task = asyncio.current_task()
        assert client is not None
        assert task is not None
        before = task.cancelling()
        self._asking.add(task)
        try:
            return await client.answer(request)
        except asyncio.CancelledError:
            if task not in self._called_back or task.uncancel() > before:
                raise
            return None
        finally:
            self._asking.discard(task)
            self._called_back.discard(task)

    async def close(self) -> None:
        """Lets go of the engine; the last one who holds it ends it."""
        if self._inside is not None:
            await self._inside.close()
        for client in (*self._old, self._http, self._scores):
            if client is not None:
                await client.close()
        self._http, self._scores, self._old, self._urls = None, None, [], []
        if self._lease is not None:
            await self._lease.close()
            self._lease = None
