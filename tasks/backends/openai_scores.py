"""The log-probability that an endpoint's model gives to a given text: requests of kind ``score`` over HTTP.

Source: log-probabilities of given text are what reference and implicit rewards are made of (Rafailov et al.,
arXiv:2305.18290, equation 5).

Three ways, the first that the endpoint has: a vLLM's own routes, which also serve reward models (``vllm_scores``);
for ``messages`` a chat completion with ``prompt_logprobs``; for ``text`` a completion that is echoed with its
log-probabilities. An endpoint that has none gets a reply with an error that says so: never a number.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from schemas.errors import EndpointError
from schemas.exchange import Choice, Reply, Request, Token
from tasks.backends import openai_faults as faults
from tasks.backends.http import Client, Response, TransportError
from tasks.backends.limits import Limits
from tasks.backends.openai_replies import usage
from tasks.backends.openai_spec import Endpoint
from tasks.backends.openai_wire import WireError, parse
from tasks.backends.vllm_scores import PROMPTS, Refused, Scores

Ids = list[int | None]
NOTHING = -9999.0
"""What engines write in the place of minus infinity, which JSON does not know."""
SPOKEN = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})


class UnableError(Refused):
    """The endpoint does not give log-probabilities of given text, whatever is asked."""


class Patient:
    """A way to one replica that waits for its turn, and asks again after what may pass.

    Attributes:
        gone: nobody listened there when it was last asked.
    """

    def __init__(self, client: Client, limits: Limits, options: Endpoint) -> None:
        self._client, self._limits, self._options = client, limits, options
        self.gone = False

    async def get(self, route: str, timeout_s: float) -> Response:
        """Returns what is at a route."""
        return await self._client.get(route, timeout_s)

    async def post(self, route: str, body: bytes, timeout_s: float) -> Response:
        """Returns the answer to a JSON body: the last of as many attempts as make sense.

        Where nobody listens and there are other replicas, these are to be asked at once.

        Raises:
            EndpointError: the key is refused.
            TransportError: no whole answer came.
        """
        for left in range(self._options.tries - 1, -1, -1):
            pause = 0.25 * 2 ** min(6, self._options.tries - 1 - left) * (0.5 + random.random())
            await self._limits.enter(len(body) // 4)
            try:
                response = await self._client.post(route, body, timeout_s)
            except TransportError as error:
                self.gone = error.failure == "connect"
                if not left or (self.gone and len(self._options.urls) > 1):
                    raise
            else:
                self.gone = False
                if response.status in (401, 402):
                    raise EndpointError(f"{self._client.url}: HTTP {response.status}: {faults.message(response)}")
                passing = response.status in faults.RETRYABLE or (response.status >= 500 and response.status != 501)
                if not left or not passing:
                    return response
                pause = faults.retry_after(response) or pause
            finally:
                self._limits.leave()
            await asyncio.sleep(pause)
        raise AssertionError  # the last attempt returned or raised

    async def close(self) -> None:
        """Lets go of its connections."""
        await self._client.close()


class EndpointScores:
    """Answers ``score`` requests at an endpoint, by the way it turns out to have.

    Args:
        headers: sent with every request. limits: shared with the endpoint's other calls.
    """

    def __init__(self, options: Endpoint, headers: dict[str, str], limits: Limits) -> None:
        self._options = options
        self._key = headers.get("Authorization", "").removeprefix("Bearer ")
        self._below = "/v1" if all(url.endswith("/v1") for url in options.urls) else ""
        roots = [url.removesuffix(self._below) for url in options.urls]
        self._doors = [Patient(Client(root, headers), limits, options) for root in roots]
        self._turn = 0
        self._finding = asyncio.Lock()
        self._engine: Scores | None = None
        self._found = False
        self._unable: dict[bool, str] = {}
        self._prompts: OrderedDict[bytes, Ids] = OrderedDict()
        self._tail: int | None = None

    async def answer(self, request: Request) -> Reply:
        """Returns one choice whose ``value`` is the number, or an error.

        Raises:
            EndpointError: going on is pointless.
        """
        try:
            reply = await self._answered(request)
        except EndpointError as error:
            raise EndpointError(faults.redacted(str(error), self._key)) from None
        return replace(reply, error=faults.redacted(reply.error, self._key)) if reply.error else reply

    async def _answered(self, request: Request) -> Reply:
        began, form = asyncio.get_running_loop().time(), bool(request.messages)
        async with self._finding:
            if not self._found:
                self._engine, self._found = await self._vllm(), True
        if self._engine is not None:
            reply = await self._engine.answer(request)
            self._there(reply.error)
            return reply if reply.error else replace(reply, cost=self._cost(reply.prompt_tokens))
        try:
            if form in self._unable:
                raise UnableError(self._unable[form])
            tokens, used = await (self._spoken(request) if form else self._echoed(request))
        except UnableError as error:
            self._unable[form] = str(error)
            return Reply(error=f"{self._options.spec} cannot score given text: {error}")
        except (TransportError, WireError, Refused, LookupError, TypeError, AttributeError) as error:
            self._there(str(error))
            return Reply(error=f"{self._options.spec}: no score: {error}")
        seconds = asyncio.get_running_loop().time() - began
        if not tokens:
            choice = Choice(request.first, "", "empty", logprob=0.0, value=0.0)
            return Reply((choice,), None, used, cost=self._cost(used), latency_s=seconds)
        total = math.fsum(token.logprob for token in tokens)
        if not math.isfinite(total) or any(token.logprob <= NOTHING for token in tokens):
            return Reply(error=f"{self._options.spec}: no score: a token of the text has no probability at all")
        choice = Choice(request.first, "", logprob=total, tokens=tokens if request.logprobs else (), value=total)
        return Reply((choice,), None, used, cost=self._cost(used), latency_s=seconds)

    def _there(self, error: str | None) -> None:
        """Raises EndpointError where every replica is gone."""
        if error and all(door.gone for door in self._doors):
            raise EndpointError(f"{self._options.urls[0]} does not answer: {error}. Is it still running?")

    def _cost(self, tokens: int) -> float:
        return (tokens * self._options.price_in + self._options.price_out) / 1e6

    async def _vllm(self) -> Scores | None:
        """Returns a vLLM's own routes, where all replicas are one and show them."""
        if not self._below:
            return None
        try:
            for door in self._doors:
                card = faults.card(await door.get("/v1/models", 5.0), self._options.model)
                paths = parse((await door.get("/openapi.json", 5.0)).content)["paths"]
                if card.get("owned_by") != "vllm" or not {"/tokenize", "/classify"} & set(paths):
                    return None
        except (TransportError, WireError, LookupError, TypeError):
            return None
        return Scores(self._doors, self._options.spec, self._options.timeout_s, model=self._options.model)

    async def _post(self, route: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = orjson.dumps({"model": self._options.model, "max_tokens": 1, "temperature": 0.0, **body})
        response = await self._sent(self._below + route, asked)
        if response.status in (404, 405, 501):
            raise UnableError(f"HTTP {response.status} at {route}: {faults.message(response)}")
        if response.status != 200:
            raise Refused(f"HTTP {response.status} at {route}: {faults.message(response)}")
        return parse(response.content)

    async def _sent(self, route: str, body: bytes) -> Response:
        """Returns the answer of the replica whose turn it is, or of the next one that is there."""
        self._turn += 1
        for number in range(len(self._doors)):
            door = self._doors[(self._turn + number) % len(self._doors)]
            try:
                return await door.post(route, body, self._options.timeout_s)
            except TransportError as error:
                if error.failure != "connect" or number == len(self._doors) - 1:
                    raise
        raise AssertionError  # the last one answered or raised

    async def _echoed(self, request: Request) -> tuple[tuple[Token, ...], int]:
        """Returns the tokens of a text from its second on, as a completion that repeats its prompt lists them."""
        text = request.text or ""
        data = await self._post("/completions", {"prompt": text, "echo": True, "logprobs": 1, **request.extra})
        (choice,) = data["choices"]
        listed = choice.get("logprobs")
        if not str(choice.get("text")).startswith(text) or not listed:
            raise UnableError("it does not echo a prompt with its log-probabilities")
        texts, values, offsets = listed["tokens"], listed["token_logprobs"], listed.get("text_offset")
        used = usage(data)
        if len(texts) != len(values) or not (used.known or offsets):
            raise Refused("its list of tokens does not say which of them are the prompt's")
        sampled = used.completion if used.known else sum(offset >= len(text) for offset in offsets)
        return _tokens(texts[1 : len(texts) - sampled], values[1 : len(values) - sampled]), used.prompt

    async def _spoken(self, request: Request) -> tuple[tuple[Token, ...], int]:
        """Returns the tokens of an answer, that of its end included where the answer ends."""
        messages, prefix = list(request.messages), request.prefix
        if prefix is None and (messages[-1]["role"] != "assistant" or not isinstance(messages[-1].get("content"), str)):
            raise Refused("the messages do not end with the assistant's text, and there is no prefix")
        before = messages if prefix is not None else messages[:-1]
        tail = await self._ending() if prefix is None else 0
        begun = [*before, {"role": "assistant", "content": prefix if prefix is not None else messages[-1]["content"]}]
        prompt = await self._prompt({"messages": before, **request.extra})
        whole, entries, used = await self._listed(
            {"messages": begun, "add_generation_prompt": False, "continue_final_message": not tail, **request.extra}
        )
        if whole[: len(prompt)] != prompt:
            raise Refused("the prompt is cut into other tokens once its answer follows")
        said = entries[len(prompt) : len(entries) - max(0, tail - 1)]
        return _tokens([entry.get("decoded_token") or "" for entry in said], [entry["logprob"] for entry in said]), used

    async def _prompt(self, body: dict[str, Any]) -> Ids:
        key = orjson.dumps(body)
        if (known := self._prompts.get(key)) is None:
            known = self._prompts[key] = (await self._listed(body))[0]
            if len(self._prompts) > PROMPTS:
                self._prompts.popitem(last=False)
        return known

    async def _ending(self) -> int:
        """Returns how many tokens the chat template puts after an answer."""
        if self._tail is None:
            whole, _, _ = await self._listed({"messages": SPOKEN, "add_generation_prompt": False})
            begun, _, _ = await self._listed(
                {"messages": SPOKEN, "add_generation_prompt": False, "continue_final_message": True}
            )
            self._tail = len(whole) - len(begun) if whole[: len(begun)] == begun else 0
        return self._tail

    async def _listed(self, body: Mapping[str, Any]) -> tuple[Ids, list[Mapping[str, Any]], int]:
        """Returns the ids of a conversation's tokens, what is said of each, and how many there are."""
        data = await self._post("/chat/completions", {"prompt_logprobs": 0, **body})
        listed = data.get("prompt_logprobs")
        if not isinstance(listed, list):
            raise UnableError("its chat completions come without prompt_logprobs")
        ids: Ids = [int(next(iter(entry))) if entry else None for entry in listed]
        return ids, [next(iter(entry.values())) if entry else {} for entry in listed], usage(data).prompt

    async def close(self) -> None:
        """Lets go of its connections."""
        for door in self._doors:
            await door.close()


def _tokens(texts: Sequence[str], values: Sequence[float | None]) -> tuple[Token, ...]:
    if any(value is None for value in values):
        raise Refused("a token of the text comes without its log-probability")
    return tuple(Token(text, float(value or 0.0)) for text, value in zip(texts, values, strict=True))
