"""Any OpenAI-compatible endpoint: vLLM, SGLang, hosted APIs.

A request that fails is a reply with an error, after every attempt that makes sense. Only what makes the whole run
pointless is raised: a refused key, an unknown model, a used-up quota, nobody listening.
"""

from __future__ import annotations

import asyncio
import logging
import random
import zlib
from dataclasses import replace

from schemas.errors import EndpointError
from schemas.exchange import Choice, Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_wire as wire
from tasks.backends.http import Response, TransportError
from tasks.backends.limits import Limits
from tasks.backends.openai_scores import EndpointScores
from tasks.backends.openai_spec import parse
from tasks.backends.replicas import Replica, Replicas

log = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
START_PAUSES_S = (0.2, 0.5, 1.0, 2.0)


class OpenAI:
    """Answers requests over HTTP (see ``base.Backend``).

    Args:
        spec: ``openai:URL[,URL…]:MODEL[?option=value&…]``; ``openai_spec.Endpoint`` lists the options.
        key: the API key, instead of the environment variable's.
    """

    def __init__(self, spec: str, *, key: str | None = None) -> None:
        self.options = options = parse(spec)
        self.spec = options.spec
        self.endpoint = options.urls[0]
        self._key = options.key() if key is None else key
        headers = {"User-Agent": "pairwright"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self.replicas = Replicas(options.urls, headers)
        self.limits = Limits(options.concurrency, options.start, options.rpm, options.tpm)
        self.scores = EndpointScores(options, headers, self.limits)
        self.habits = wire.Habits()
        self.pausing = 0
        self.attempts = 0
        self._answered = False
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"OpenAI({self.spec!r})"

    @property
    def slots(self) -> int:
        """How many requests it wants in flight; one that waits for its next attempt leaves its place to another."""
        slots = self.limits.slots
        return slots + min(self.pausing, slots // 4)

    async def start(self) -> dict[str, str]:
        """Returns what the endpoint says of itself, once one replica answers.

        Raises:
            EndpointError: none answers within a few seconds, or the key is refused.
        """
        first = self.replicas.all[0]
        for pause in (*START_PAUSES_S, None):
            results = await asyncio.gather(*(self._models(replica) for replica in self.replicas.all))
            up = [found for found in results if isinstance(found, dict)]
            if up:
                break
            if pause is None:
                raise EndpointError(f"{first.url} does not answer: {results[0]}. Is the server running?")
            await asyncio.sleep(pause)
        for replica, found in zip(self.replicas.all, results, strict=True):
            if not isinstance(found, dict):
                self.replicas.failed(replica, gone=True)
        return {"endpoint": self.options.address, "model": self.options.model, **up[0]}

    async def _models(self, replica: Replica) -> dict[str, str] | str:
        try:
            response = await replica.client.get("/models", 5.0)
        except TransportError as error:
            return str(error)
        if response.status in (401, 403):
            raise self._fatal(replica, response)
        if response.status >= 500:
            return f"HTTP {response.status}"
        return faults.card(response, self.options.model)

    async def answer(self, request: Request) -> Reply:
        """Answers one request: n choices, or a reply with an error.

        Where an endpoint gives fewer choices than asked for, the rest is asked for one by one; what cannot be had
        then is a choice with the outcome ``error``.

        Raises:
            EndpointError: going on is pointless.
        """
        if request.kind == "score":
            return await self.scores.answer(request)
        if request.kind not in ("chat", "complete"):
            return Reply(error=f"{self.spec} answers chat, complete and score requests, not {request.kind}")
        if request.n > 1 and self.habits.one_at_a_time:
            return await self._one_by_one(request, Reply())
        reply = await self._ask(request)
        if reply.error is None and len(reply.choices) < request.n:
            if not reply.choices or len(reply.choices) == 1:
                self.habits.one_at_a_time = True
            return await self._one_by_one(request, reply)
        return reply

    async def _one_by_one(self, request: Request, had: Reply) -> Reply:
        rest = range(request.first + len(had.choices), request.first + request.n)
        parts = [replace(request, first=index, n=1) for index in rest]
        replies = await asyncio.gather(*(self._ask(part) for part in parts))
        if not had.choices and all(reply.error for reply in replies):
            return replies[0]
        choices = list(had.choices)
        for part, reply in zip(parts, replies, strict=True):
            failed = Choice(part.first, "", "error", f"error: {reply.error}")
            choices.append(failed if reply.error else reply.choices[0])
        every = [had, *replies]
        return Reply(
            choices=tuple(choices), prompt_tokens=max(reply.prompt_tokens for reply in every),
            cached_tokens=sum(reply.cached_tokens for reply in every), cost=sum(reply.cost for reply in every),
            latency_s=max(reply.latency_s for reply in every),
            fingerprint=next((reply.fingerprint for reply in every if reply.fingerprint), ""),
        )  # fmt: skip

    async def _ask(self, request: Request) -> Reply:
        """Asks until there is an answer, a failure that stays, or the deadline."""
        loop, route = asyncio.get_running_loop(), wire.route(request)
        body = wire.body(request, self.options.model, self.habits)
        estimate, affinity = len(body) // 4, _affinity(request) if len(self.replicas.all) > 1 else 0
        tries, deadline, replica = 0, 0.0, None
        while True:
            await self.limits.enter(estimate)
            began = loop.time()
            deadline = deadline or began + self.options.deadline_s
            replica = self.replicas.pick(affinity, avoid=replica if tries else None)
            try:
                reply = await self._attempt(replica, request, route, body, began)
            finally:
                self.limits.leave()
            if isinstance(reply, Reply):
                return reply
            if reply.other_body:
                body = wire.body(request, self.options.model, self.habits)
                if request.n > 1 and self.habits.one_at_a_time:
                    return Reply()  # no choices: the caller asks one by one
                continue
            tries += reply.counts
            pause = self._pause(reply, tries, replica)
            if tries >= self.options.tries or loop.time() + pause > deadline:
                return self._given_up(reply, replica, tries, loop.time() + self.options.deadline_s - deadline)
            self.pausing += 1
            try:
                await asyncio.sleep(pause)
            finally:
                self.pausing -= 1

    async def _attempt(
        self, replica: Replica, request: Request, route: str, body: bytes, began: float
    ) -> Reply | faults.Fault:
        loop = asyncio.get_running_loop()
        replica.in_flight += 1
        self.attempts += 1
        try:
            response = await replica.client.post(route, body, self.options.timeout_s)
            now = loop.time()
            if response.status != 200:
                return self._refused(replica, response, now)
            reply = self._read(response, request, now - began)
        except TransportError as error:
            return self._lost(replica, error)
        except (wire.WireError, zlib.error) as error:
            self.replicas.failed(replica)
            return faults.Fault(f"{replica.url} answered {error}")
        finally:
            replica.in_flight -= 1
        self.replicas.succeeded(replica)
        self.limits.answered(now - began, self.options.timeout_s, now)
        if self.limits.tokens is not None:
            tokens = reply.prompt_tokens + sum(choice.completion_tokens for choice in reply.choices)
            self.limits.tokens.used(len(body) // 4, tokens)
        return reply

    def _read(self, response: Response, request: Request, latency_s: float) -> Reply:
        data = wire.parse(response.content)
        if "choices" not in data and (message := faults.message_of(data)):
            raise wire.WireError(f"an error with status 200: {self._redacted(message)}")
        used = wire.usage(data)
        choices = wire.choices(data, request, used.completion)
        self._answered = True
        if not used.known:
            self._warn("usage", "it does not say what a call used: tokens and cost are counted as 0")
        if request.logprobs and not any(choice.tokens for choice in choices):
            self._warn("logprobs", "log-probabilities were asked for and do not come")
        options = self.options
        cached_price = options.price_in if options.price_cached is None else options.price_cached
        paid = (used.prompt - used.cached) * options.price_in + used.cached * cached_price
        return Reply(
            tuple(choices), None, used.prompt, used.cached, (paid + used.completion * options.price_out) / 1e6,
            latency_s, 0, str(data.get("system_fingerprint") or data.get("model") or ""),
        )  # fmt: skip

    def _refused(self, replica: Replica, response: Response, now: float) -> Reply | faults.Fault:
        """Sorts an answer that is no 200: pointless, the request's own fault, or worth another attempt."""
        status, message = response.status, self._redacted(faults.message(response))
        if faults.is_fatal(status, message, answered=self._answered):
            raise self._fatal(replica, response)
        if status == 400 and faults.adapt(self.habits, message):
            return faults.Fault(message, counts=0, other_body=True)
        if status not in faults.RETRYABLE and status < 500:
            return Reply(error=f"{replica.url} refused the request: HTTP {status}: {message}")
        if status == 501:
            return Reply(error=f"{replica.url} cannot do that: HTTP 501: {message}")
        after_s = faults.retry_after(response)
        if status == 429:
            if self.limits.pace.refused(now):
                self.limits.pause(now, after_s if after_s is not None else 1.0)
                self._warn("pace", "it refuses calls as too many; going on at the rate it accepts")
        else:
            self.replicas.failed(replica)
        return faults.Fault(f"HTTP {status}: {message}", after_s=after_s, counts=int(status != 429))

    def _lost(self, replica: Replica, error: TransportError) -> faults.Fault:
        if error.stale:
            return faults.Fault(str(error), after_s=0.0)
        self.replicas.failed(replica, gone=error.failure == "connect")
        if error.failure == "timeout":
            self.limits.window.shrink(asyncio.get_running_loop().time(), self.options.timeout_s / 2)
        gone = error.failure == "connect"
        return faults.Fault(str(error), counts=0 if gone else 1, gone=gone)

    def _pause(self, fault: faults.Fault, tries: int, replica: Replica) -> float:
        if fault.after_s is not None:
            return fault.after_s * (1 + 0.2 * random.random()) + 0.05 * random.random()
        if fault.gone and self.replicas.others(replica):
            return 0.0
        return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** max(0, tries - 1)) * (0.5 + random.random())

    def _given_up(self, fault: faults.Fault, replica: Replica, tries: int, seconds: float) -> Reply:
        if fault.gone:
            raise EndpointError(
                f"{replica.url} has not answered for {seconds:.0f} s: {fault.what}. Is it still running?"
            )
        return Reply(error=f"{replica.url}: given up after {tries} failed attempts in {seconds:.0f} s: {fault.what}")

    def _fatal(self, replica: Replica, response: Response) -> EndpointError:
        name = self.options.key_env
        return EndpointError(
            faults.advice(
                response.status, self._redacted(faults.message(response)), replica.url, self.options.model,
                f"the key in {name}" if self._key else f"no key (set {name})", response.header("location"),
            )
        )  # fmt: skip

    def _redacted(self, text: str) -> str:
        return faults.redacted(text, self._key)

    def _warn(self, about: str, message: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s: %s", self.spec, message)

    async def close(self) -> None:
        """Lets go of its connections."""
        self.limits.close()
        await self.scores.close()
        await self.replicas.close()


def _affinity(request: Request) -> int:
    """Returns a number that calls with the same start share."""
    start = request.text if request.text is not None else next(iter(request.messages), {}).get("content")
    if request.messages and request.messages[0].get("role") == "system" and len(request.messages) > 1:
        start = request.messages[1].get("content")
    return hash(start) if isinstance(start, str) else 0
