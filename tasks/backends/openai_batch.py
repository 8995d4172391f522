"""A provider's Batch API as a way to answer: half the price, hours instead of seconds.

Requests are collected into a file, the file becomes a job, the job is polled, its results are handed out. A job stays
at the provider when we are killed: the next run finds it there by its name, and asks for nothing that is in it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import orjson

from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_wire as wire
from tasks.backends.http import Response
from tasks.backends.openai import OpenAI
from tasks.backends.openai_jobs import Jobs

log = logging.getLogger(__name__)
RUNNING = ("validating", "in_progress", "finalizing")
REMEMBERED_S = 7 * 86_400
"""A job older than that is not looked for: providers drop results after a month, and a run resumes sooner."""


@dataclass(slots=True)
class Item:
    """One request in a job, and who waits for its answer."""

    name: str
    request: Request
    body: bytes
    future: asyncio.Future[Reply]
    tries: int = 0


class OpenAIBatch(OpenAI):
    """Answers requests through jobs (see ``OpenAI``; the SPEC has ``?batch=`` and so on)."""

    def __init__(self, spec: str, *, key: str | None = None) -> None:
        super().__init__(spec, key=key)
        self.jobs = Jobs(self.replicas.all[0], self._fatal)
        self._open: dict[str, list[Item]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._known: dict[str, str] = {}
        self._followed: dict[str, dict[str, Item]] = {}
        self._items: dict[str, Item] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def slots(self) -> int:
        """How many requests it wants in flight: a job's worth."""
        return self.options.batch

    async def start(self) -> dict[str, str]:
        """Returns what the endpoint says of itself, and finds the jobs that an earlier run left there.

        Raises:
            EndpointError: nobody answers, or the key is refused.
        """
        card = await super().start()
        async for job in self._left():
            content = await self.jobs.content(job["input_file_id"])
            for line in content.splitlines():
                self._known.setdefault(orjson.loads(line)["custom_id"], job["id"])
        return card

    async def _left(self) -> AsyncIterator[dict[str, Any]]:
        """Yields our jobs for this model that may hold answers, newest first."""
        async for job in self.jobs.all():
            if job.get("created_at", 0) < time.time() - REMEMBERED_S:
                return
            ours = (job.get("metadata") or {}).get("spec") == self.spec
            if ours and job["status"] in (*RUNNING, "completed", "expired"):
                yield job

    async def _ask(self, request: Request) -> Reply:
        route, body = wire.route(request), wire.body(request, self.options.model, self.habits)
        # the index is not in the body when there is no seed, and two samples are two answers
        name = blake2b(route.encode() + body + b"%d" % request.first, digest_size=16).hexdigest()
        item = self._items.get(name)
        if item is None:
            item = self._items[name] = Item(name, request, body, asyncio.get_running_loop().create_future())
            left_in = self._known.pop(name, None)
            if left_in is None:
                self._put(route, item)
            else:
                self._follow_left(left_in, item)
        try:
            return await asyncio.shield(item.future)
        finally:
            if item.future.done():
                self._items.pop(name, None)

    def _put(self, route: str, item: Item) -> None:
        """Adds a request to the job being collected; a full one, or one that waited long enough, is sent."""
        waiting = self._open.setdefault(route, [])
        waiting.append(item)
        if route in self._timers:
            self._timers.pop(route).cancel()
        if len(waiting) >= self.options.batch:
            self._send(route)
        else:
            loop = asyncio.get_running_loop()
            self._timers[route] = loop.call_later(self.options.batch_wait_s, self._send, route)

    def _send(self, route: str) -> None:
        self._timers.pop(route, None)
        items = {item.name: item for item in self._open.pop(route)}
        self._run(self._submit(route, items), items)

    def _follow_left(self, job: str, item: Item) -> None:
        """Waits for an answer in a job of an earlier run; all that join before its end share one follower."""
        items = self._followed.get(job)
        if items is None:
            items = self._followed[job] = {}
            log.info("%s: taking up job %s of an earlier run", self.spec, job)
            self._run(self._follow(job, wire.route(item.request), items), items)
        items[item.name] = item

    def _run(self, work: Any, items: dict[str, Item]) -> None:
        async def guarded() -> None:
            try:
                await work
            except EndpointError as error:
                for item in items.values():
                    if not item.future.done():
                        item.future.set_exception(error)
                        item.future.exception()  # its asker may have gone

        task = asyncio.create_task(guarded(), name="batch job")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self, route: str, items: dict[str, Item]) -> None:
        url = f"/v1{route}"
        lines = b"\n".join(
            b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}' % (name.encode(), url.encode(), item.body)
            for name, item in items.items()
        )
        job = await self.jobs.create(lines, url, {"spec": self.spec[:512]})
        log.info("%s: job %s with %d requests", self.spec, job, len(items))
        self.attempts += 1
        await self._follow(job, route, items)

    async def _follow(self, name: str, route: str, items: dict[str, Item]) -> None:
        """Polls a job until it ends, then hands out its results; what it has no answer for goes into another."""
        pause = min(1.0, self.options.batch_poll_s)
        while (job := await self.jobs.get(name))["status"] in (*RUNNING, "cancelling"):
            await asyncio.sleep(pause)
            pause = min(self.options.batch_poll_s, 1.5 * pause)
        self._followed.pop(name, None)
        results = [line async for line in self.jobs.lines(job.get("output_file_id"))]
        results += [line async for line in self.jobs.lines(job.get("error_file_id"))]
        for line in results:
            item = items.pop(str(line.get("custom_id")), None)
            if item is not None:
                self._settle(route, item, line)
        said = [faults.message_of(error) for error in (job.get("errors") or {}).get("data") or ()]
        why = " / ".join([f"job {name} is {job['status']}", *said[:1]])
        for item in items.values():
            self._again(route, item, why, final=job["status"] in ("failed", "cancelled"))

    def _settle(self, route: str, item: Item, line: dict[str, Any]) -> None:
        given = line.get("response")
        response = given if isinstance(given, dict) else {}
        status, body = response.get("status_code"), response.get("body")
        status = status if type(status) is int else 0
        try:
            if status == 200:
                reply = self.reader.read(Response(200, [], orjson.dumps(body)), item.request, 0.0)
                _resolve(item, replace(reply, cost=reply.cost * self.options.batch_price))
                return
            message = faults.message_of(body) or faults.message_of({"error": line.get("error")}) or f"HTTP {status}"
            if status in faults.TEACHING and self._otherwise(route, item, message, faults.param_of(body)):
                return
        except wire.WireError as error:
            message = str(error)
        final = 400 <= status < 500 and status not in faults.RETRYABLE
        self._again(route, item, self.reader.redacted(message), final=final)

    def _otherwise(self, route: str, item: Item, message: str, param: str) -> bool:
        """Puts a refused request into the next job in the form that is wanted; returns whether there is one."""
        self.habits.learn(message, param, orjson.loads(item.body))
        if item.request.n > 1 and self.habits.one_at_a_time:
            _resolve(item, Reply())  # no choices: the caller asks one by one
            return True
        body = wire.body(item.request, self.options.model, self.habits)
        if self.habits.lacks(item.request):
            _resolve(item, self.reader.lacking())
        elif body == item.body:
            return False
        elif not item.future.done():
            item.body = body
            self._put(route, item)
        return True

    def _again(self, route: str, item: Item, why: str, *, final: bool) -> None:
        item.tries += 1
        if final or item.tries >= self.options.tries:
            _resolve(item, Reply(error=f"{self.endpoint}: not answered in {item.tries} jobs: {why}"))
        elif not item.future.done():
            self._put(route, item)

    async def close(self) -> None:
        """Lets go of its connections; jobs go on at the provider, and the next run takes them up."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for item in self._items.values():
            item.future.cancel()
        await super().close()


def _resolve(item: Item, reply: Reply) -> None:
    if not item.future.done():
        item.future.set_result(reply)
