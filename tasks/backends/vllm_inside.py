"""vLLM's AsyncLLM in this very process, for an environment that can hold both: ``vllm:MODEL?inside=1``.

Requests enter through the routes of vLLM's own server, called as functions: chat templates, structured output and
log-probabilities are the same as over HTTP, and there is no socket. Nobody shares it, and an engine that dies ends the
run; the same command goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_replies as replies
from tasks.backends import openai_wire as wire
from tasks.backends.http import Response, TransportError
from tasks.backends.openai_habits import Habits
from tasks.backends.vllm_launch import environment
from tasks.backends.vllm_model import fingerprint, of_folder
from tasks.backends.vllm_options import SERVED_AS, MissingEngineError, Target, arguments, fitted
from tasks.backends.vllm_scores import Scores

log = logging.getLogger(__name__)


class Inside:
    """Answers requests with an engine in this process (see ``base.Backend``)."""

    def __init__(self, target: Target) -> None:
        self.target, self.spec = target, target.spec
        self.slots = target.options.concurrency
        self._stack = contextlib.AsyncExitStack()
        self._door: App | None = None
        self._fingerprint: dict[str, str] = {}
        self._context = 0

    async def start(self) -> dict[str, str]:
        """Loads the model and returns its fingerprint.

        Raises:
            MissingEngineError: vLLM does not import here. EndpointError: the engine does not start.
        """
        if self._door is None:
            if importlib.util.find_spec("vllm") is None:
                raise MissingEngineError(self.spec)
            for name, value in {**environment(self.target, ""), "VLLM_LOGGING_STREAM": "ext://sys.stderr"}.items():
                os.environ.setdefault(name, value)
            engine, app = await self._engine()
            hashes = await asyncio.to_thread(of_folder, self.target.model) if self.target.local else None
            self._door = App(app)
            self._scores = Scores([self._door], self.spec, self.target.options.timeout_s)
            import vllm

            dtype = str(engine.model_config.dtype).removeprefix("torch.")
            self._context = int(engine.model_config.max_model_len)
            self._fingerprint = fingerprint(self.target, hashes, vllm.__version__, dtype)
        return dict(self._fingerprint)

    async def _engine(self) -> tuple[Any, Any]:
        """Returns the engine and the application with its routes."""
        from vllm.entrypoints.launchers.cli_args import make_arg_parser
        from vllm.entrypoints.openai.api_server import build_app, build_async_engine_client, init_app_state
        from vllm.utils.argparse_utils import FlexibleArgumentParser

        given = make_arg_parser(FlexibleArgumentParser()).parse_args(arguments(self.target))
        try:
            engine = await self._stack.enter_async_context(build_async_engine_client(given))
        except (RuntimeError, ValueError, OSError) as error:
            raise EndpointError(f"{self.spec}: the engine does not start: {error}") from error
        tasks = await engine.get_supported_tasks()
        app = build_app(given, tasks, engine.model_config)
        await init_app_state(engine, app.state, given, tasks)
        return engine, app

    async def answer(self, request: Request) -> Reply:
        """Answers one request.

        Raises:
            EndpointError: the engine has died.
        """
        await self.start()
        assert self._door is not None
        if request.kind == "score":
            return await self._scores.answer(request)
        if request.kind == "run":
            return Reply(error=f"{self.spec} runs no programs")
        began = asyncio.get_running_loop().time()
        try:
            body = wire.body(fitted(request, self._context), SERVED_AS, Habits())
            response = await self._door.post(f"/v1{wire.route(request)}", body, self.target.options.timeout_s)
            if response.status != 200:
                await self._alive()
                return Reply(error=f"{self.spec}: HTTP {response.status}: {faults.message(response)}")
            data = wire.parse(response.content)
            used = replies.usage(data)
            choices = tuple(replies.choices(data, request, used))
        except (TransportError, wire.WireError) as error:
            return Reply(error=f"{self.spec}: {error}")
        reply = Reply(choices, None, used.prompt, used.cached, 0.0, asyncio.get_running_loop().time() - began)
        return replace(reply, fingerprint=f"{self._fingerprint['model']}@{self._fingerprint['revision']}")

    async def _alive(self) -> None:
        assert self._door is not None
        if (await self._door.get("/health", 30.0)).status != 200:
            raise EndpointError(
                f"{self.spec}: the engine has died; every answer so far is kept, the same command goes on from here. "
                "As a server (without inside=1) it would be started again"
            )

    async def close(self) -> None:
        """Ends the engine."""
        self._door = None
        await self._stack.aclose()


class App:
    """An ASGI application as a ``Door``: requests are function calls."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def post(self, route: str, body: bytes, timeout_s: float) -> Response:
        """Returns the answer to a JSON body.

        Raises:
            TransportError: none within ``timeout_s``.
        """
        return await self._call("POST", route, body, timeout_s)

    async def get(self, route: str, timeout_s: float) -> Response:
        """Returns what is at a route."""
        return await self._call("GET", route, b"", timeout_s)

    async def close(self) -> None:
        """Holds nothing."""

    async def _call(self, method: str, route: str, body: bytes, timeout_s: float) -> Response:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": route, "raw_path": route.encode(), "root_path": "", "query_string": b"", "client": ("inside", 0),
            "server": ("inside", 0), "state": {}, "headers": [(b"content-type", b"application/json")],
        }  # fmt: skip
        given, got, status = [body], bytearray(), 500

        async def receive() -> dict[str, Any]:
            if given:
                return {"type": "http.request", "body": given.pop(), "more_body": False}
            await asyncio.Event().wait()  # the client never goes away
            raise AssertionError

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            got.extend(message.get("body", b""))

        call = asyncio.create_task(self._app(scope, receive, send))
        try:
            await asyncio.wait({call}, timeout=timeout_s)
        finally:
            if not call.done():
                call.cancel()  # the engine then drops the request
        if not call.done():
            raise TransportError("timeout", f"no whole answer within {timeout_s:g} s")
        if (error := call.exception()) is not None and not got:  # it answers 500 first, where it can, and raises then
            return Response(500, [], str(error).encode())
        return Response(status, [], bytes(got))
