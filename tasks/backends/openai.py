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

import orjson

from schemas.errors import EndpointError
from schemas.exchange import Choice, Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_wire as wire
from tasks.backends.http import Response, TransportError
from tasks.backends.limits import Limits
from tasks.backends.openai_away import Away
from tasks.backends.openai_reader import Reader
from tasks.backends.openai_scores import EndpointScores
from tasks.backends.openai_spec import parse
from tasks.backends.replicas import Replica, Replicas, affinity_of

log = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
START_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
LOOK_S = 4.0


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
        given = options.sent_headers
        secrets = (self._key, *(value for name, value in given.items() if options.headers[name] != value))
        headers.update(given)
        self.replicas = Replicas(options.urls, headers)
        self.limits = Limits(options.concurrency, options.start, options.rpm, options.tpm)
        self.scores = EndpointScores(options, headers, self.limits)
        self.reader = Reader(options, secrets)
        self.habits = self.reader.habits
        self.away = Away(self.spec, options.patience)
        self.attempts = 0

    def __repr__(self) -> str:
        return f"OpenAI({self.spec!r})"

    @property
    def learnt(self) -> list[str]:
        """What it was found to want otherwise, in words."""
        return list(self.reader.learnt.values())

    @property
    def slots(self) -> int:
        """How many requests it wants in flight; one that waits for its next attempt leaves its place to another."""
        slots = self.limits.slots
        return slots + min(self.away.waiting, slots // 4)

    def stop_waiting(self) -> None:
        """Ends what waits for the endpoint to come back, as failed calls: the run is over."""
        self.away.stop()
        self.limits.resume()

    async def start(self) -> dict[str, str]:
        """Returns what the endpoint says of itself, once one replica answers.

        Raises:
            EndpointError: none answers within a few seconds, or the key is refused.
        """
        first, loop = self.replicas.all[0], asyncio.get_running_loop()
        latest = loop.time() + self.away.start_s - LOOK_S
        for pause in (*START_PAUSES_S, None):
            results = await asyncio.gather(*(self._models(replica) for replica in self.replicas.all))
            up = [found for found in results if isinstance(found, dict)]
            if up:
                break
            if pause is None or loop.time() + pause > latest:
                raise EndpointError(f"{first.url} does not answer: {results[0]}. Is the server running?")
            await asyncio.sleep(pause)
        for replica, found in zip(self.replicas.all, results, strict=True):
            if not isinstance(found, dict):
                self.replicas.failed(replica, gone=True)
        return {"endpoint": self.options.identity or self.endpoint, "model": self.options.model, **up[0]}

    async def _models(self, replica: Replica) -> dict[str, str] | str:
        try:
            response = await replica.client.get("/models", LOOK_S)
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
        if self.habits.lacks(request):
            return self.reader.lacking()
        alone = request.n > 1 and self.habits.one_at_a_time
        reply = Reply() if alone else await self._ask(request)
        if reply.error is None and len(reply.choices) < request.n:
            if not reply.choices or len(reply.choices) == 1:
                self.habits.one_at_a_time = True
            return await self._one_by_one(request, reply)
        return reply

    async def _one_by_one(self, request: Request, had: Reply) -> Reply:
        rest = range(request.first + len(had.choices), request.first + request.n)
        parts = [replace(request, first=index, n=1) for index in rest]
        answers = await asyncio.gather(*(self._ask(part) for part in parts))
        if not had.choices and all(reply.error for reply in answers):
            return answers[0]
        choices = list(had.choices)
        for part, reply in zip(parts, answers, strict=True):
            failed = Choice(part.first, "", "error", f"error: {reply.error}")
            choices.append(failed if reply.error else reply.choices[0])
        every = [had, *answers]
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
        estimate, affinity = len(body) // 4, affinity_of(request) if len(self.replicas.all) > 1 else 0
        tries, waits, began, deadline, replica = 0, 0, 0.0, 0.0, None
        while True:
            await self.limits.enter(estimate)
            asked = loop.time()
            began, deadline = began or asked, deadline or asked + self.options.deadline_s
            replica = self.replicas.pick(affinity, avoid=replica if tries or waits else None)
            try:
                if self.away.stopped:
                    return Reply(error=f"{replica.url} was not asked again: the run has ended")
                result = await self._attempt(replica, request, route, body, asked)
            finally:
                self.limits.leave()
            if isinstance(result, Reply):
                return result
            if result.other_body:
                if self.habits.lacks(request):
                    return self.reader.lacking()
                if request.n > 1 and self.habits.one_at_a_time:
                    return Reply()  # no choices: the caller asks one by one
                body = wire.body(request, self.options.model, self.habits)
                continue
            now = loop.time()
            if self.away.excuses(result, asked):
                waits += 1
                pause = self._pause(result, waits, replica)
                self.away.bear(replica.url, result, now, pause)
                deadline += now - asked + pause  # the wait for an endpoint is none of the call's own time
            else:
                tries += result.counts
                pause = self._pause(result, tries, replica)
                late = result.outage and not self.away.answered and now + pause > began + self.away.start_s
                if late or tries >= self.options.tries or now + pause > deadline:
                    return self._given_up(result, replica, tries, now - began, late=late)
            await self.away.sleep(pause)

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
                return self._refused(replica, response, request, body, now)
            if (hidden := faults.hidden(response)) is not None:
                return self._refused(replica, hidden, request, body, now)
            reply = self.reader.read(response, request, now - began)
        except TransportError as error:
            return self._lost(replica, error)
        except (wire.WireError, zlib.error) as error:
            self.replicas.failed(replica)
            return faults.Fault(f"{replica.url} answered {self.reader.redacted(str(error))}")
        finally:
            replica.in_flight -= 1
        self.replicas.succeeded(replica)
        self.limits.answered(now - began, self.options.timeout_s, now)
        self.away.came(now)
        if self.limits.tokens is not None:
            tokens = reply.prompt_tokens + sum(choice.completion_tokens for choice in reply.choices)
            self.limits.tokens.used(len(body) // 4, tokens)
        return reply

    def _refused(
        self, replica: Replica, response: Response, request: Request, body: bytes, now: float
    ) -> Reply | faults.Fault:
        """Sorts an answer that is no 200: pointless, the request's own fault, or worth another attempt."""
        status, message = response.status, self.reader.redacted(faults.message(response))
        after_s = faults.retry_after(response, message) if status in (429, 503) else faults.retry_after(response)
        if status == 429 and after_s is not None and after_s > self.options.deadline_s:
            return self._out_of_quota(replica, message, after_s, now)
        if faults.is_fatal(status, message, answered=self.away.answered):
            raise self._fatal(replica, response)
        if status in faults.TEACHING:
            self.habits.learn(message, faults.param_of(faults.parsed(response)), orjson.loads(body))
            one = request.n > 1 and self.habits.one_at_a_time
            if one or wire.body(request, self.options.model, self.habits) != body:
                return faults.Fault(message, counts=0, other_body=True)
        if status not in faults.RETRYABLE and status < 500:
            error = f"{replica.url} refused the request: HTTP {status}: {message}"
            return Reply(error=error, of_request=faults.of_request(status, message))
        if status == 501:
            return Reply(error=f"{replica.url} cannot do that: HTTP 501: {message}")
        what = f"HTTP {status}: {message}"
        if status != 429:
            self.replicas.failed(replica)
            return faults.Fault(what, after_s=after_s, outage=status in faults.OUTAGES)
        if after_s is None and faults.is_daily(message):
            raise EndpointError(faults.out_of_quota(replica.url, what, None, self.away.patience_s))
        if self.limits.pace.refused(now):
            self.limits.pause(now, after_s if after_s is not None else 1.0)
            self.reader.learn("pace", "it refuses calls as too many; going on at the rate it accepts")
        return faults.Fault(what, after_s=after_s, counts=0, limited=True)

    def _out_of_quota(self, replica: Replica, message: str, after_s: float, now: float) -> faults.Fault:
        """Holds every call until there is quota again.

        Raises:
            EndpointError: that is later than patience lasts.
        """
        what = f"HTTP 429: {message}"
        if after_s > self.away.patience_s:
            raise EndpointError(faults.out_of_quota(replica.url, what, after_s, self.away.patience_s))
        self.limits.pause(now, after_s, most=after_s)
        return faults.Fault(what, after_s=after_s, counts=0, quota=True)

    def _lost(self, replica: Replica, error: TransportError) -> faults.Fault:
        if error.stale:
            return faults.Fault(str(error), after_s=0.0)
        gone = error.failure == "connect"
        self.replicas.failed(replica, gone=gone)
        if error.failure == "timeout":
            self.limits.window.shrink(asyncio.get_running_loop().time(), self.options.timeout_s / 2)
        return faults.Fault(str(error), counts=0 if gone else 1, gone=gone, outage=gone)

    def _pause(self, fault: faults.Fault, tries: int, replica: Replica) -> float:
        if fault.after_s is not None:
            return fault.after_s + min(5.0, 0.2 * fault.after_s) * random.random() + 0.05 * random.random()
        if fault.gone and self.replicas.others(replica):
            return 0.0
        return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** max(0, tries - 1)) * (0.5 + random.random())

    def _given_up(self, fault: faults.Fault, replica: Replica, tries: int, seconds: float, *, late: bool) -> Reply:
        if fault.gone or late:
            raise EndpointError(faults.silent(replica.url, f"{seconds:.0f} s", fault.what))
        return Reply(error=f"{replica.url}: given up after {tries} failed attempts in {seconds:.0f} s: {fault.what}")

    def _fatal(self, replica: Replica, response: Response) -> EndpointError:
        name = self.options.key_env
        return EndpointError(
            faults.advice(
                response.status, self.reader.redacted(faults.message(response)), replica.url, self.options.model,
                f"the key in {name}" if self._key else f"no key (set {name})", response.header("location"),
            )
        )  # fmt: skip

    async def close(self) -> None:
        """Lets go of its connections."""
        self.limits.close()
        await self.scores.close()
        await self.replicas.close()
