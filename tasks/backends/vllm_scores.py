"""Numbers instead of texts: a reward model's score, and the log-probability that a language model gives to a text.

Source: log-probabilities of given text are what reference and implicit rewards are made of (Rafailov et al.,
arXiv:2305.18290, equation 5).

A ``score`` request holds either ``text`` (its log-probability, the first token has none), or ``messages`` that end with
the assistant's answer (its log-probability, that of its end included), or ``messages`` and a ``prefix`` (the
log-probability of an answer's start, not of its end). A reward model gives its number for the same.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from schemas.exchange import Choice, Reply, Request, Token
from tasks.backends import openai_faults as faults
from tasks.backends.http import Response, TransportError
from tasks.backends.openai_replies import usage
from tasks.backends.openai_wire import WireError, parse
from tasks.backends.vllm_options import SERVED_AS

PROMPTS = 4096
"""So many prompts' token ids are remembered: the completions of one prompt are scored soon after each other."""


class Door(Protocol):
    """A way into an engine: ``http.Client``, or the engine in this process."""

    async def post(self, route: str, body: bytes, timeout_s: float) -> Response:
        """Returns the answer to a JSON body."""
        ...

    async def get(self, route: str, timeout_s: float) -> Response:
        """Returns what is at a route."""
        ...

    async def close(self) -> None:
        """Lets go of it."""
        ...


class Refused(Exception):
    """The engine answered something else than what was asked for."""


class Scores:
    """Asks the replicas in turn.

    Args:
        clients: one a replica, at its root. spec: for messages. model: the name it is served under.
    """

    def __init__(self, clients: Sequence[Door], spec: str, timeout_s: float, model: str = SERVED_AS) -> None:
        self._clients = list(clients)
        self._turn = itertools.cycle(self._clients)
        self._spec, self._timeout_s, self._model = spec, timeout_s, model
        self._rewards: bool | None = None
        self._end: list[int] | None = None
        self._prompts: OrderedDict[bytes, list[int]] = OrderedDict()

    async def answer(self, request: Request) -> Reply:
        """Returns one choice whose ``value`` is the number, or an error."""
        began = asyncio.get_running_loop().time()
        try:
            if self._rewards is None:
                self._rewards = await self._is_reward_model()
            choice, used = await (self._reward(request) if self._rewards else self._logprob(request))
        except (TransportError, WireError, Refused, LookupError, TypeError) as error:
            return Reply(error=f"{self._spec}: no score: {error}")
        return Reply((choice,), None, used, latency_s=asyncio.get_running_loop().time() - began)

    async def _post(self, route: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        sent = orjson.dumps({"model": self._model, **body})
        for client in itertools.islice(self._turn, len(self._clients)):
            try:
                response = await client.post(route, sent, self._timeout_s)
            except TransportError as error:
                if error.stale or (error.failure == "connect" and client is not self._clients[-1]):
                    continue
                raise
            if response.status != 200:
                raise Refused(f"HTTP {response.status} at {route}: {faults.message(response)}")
            return parse(response.content)
        raise Refused("no replica can be reached")

    async def _is_reward_model(self) -> bool:
        """Whether the engine classifies; it has that route for a reward model only."""
        response = await next(self._turn).get("/openapi.json", self._timeout_s)
        return "/classify" in parse(response.content)["paths"]

    async def _reward(self, request: Request) -> tuple[Choice, int]:
        """Returns the raw number, as trained: no sigmoid, no softmax."""
        body: dict[str, Any] = {"use_activation": False}
        if request.messages:
            final = [{"role": "assistant", "content": request.prefix}] if request.prefix is not None else []
            body |= {"messages": [*request.messages, *final], "add_generation_prompt": False}
        else:
            body["input"] = request.text or ""
        data = await self._post("/classify", {**body, **request.extra})
        (row,) = data["data"]
        numbers = [float(number) for number in row["probs"]]
        if not all(map(math.isfinite, numbers)):
            raise Refused(f"the reward is {numbers}")
        value: Any = numbers[0] if len(numbers) == 1 else numbers
        return Choice(request.first, "", value=value), usage(data).prompt

    async def _logprob(self, request: Request) -> tuple[Choice, int]:
        if request.messages:
            before, ids = await self._ids(request)
        else:
            ids = await self._tokens({"prompt": request.text or ""})
            before = 1
        if len(ids) <= before:
            return Choice(request.first, "", "empty", logprob=0.0, value=0.0), len(ids)
        asked = {"prompt": ids, "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}
        data = await self._post("/v1/completions", asked)
        (choice,) = data["choices"]
        tokens = tuple(_token(entry, number) for entry, number in
                       zip(choice["prompt_logprobs"][before:], ids[before:], strict=True))  # fmt: skip
        total = math.fsum(token.logprob for token in tokens)
        if not math.isfinite(total):
            raise Refused("a token of the text has no probability at all")
        return Choice(request.first, "", logprob=total, tokens=tokens if request.logprobs else (), value=total), len(
            ids
        )

    async def _ids(self, request: Request) -> tuple[int, list[int]]:
        """Returns how many token ids are the prompt's, and all ids: the prompt's, the answer's, its end's.

        Prompt and answer are cut into tokens apart from each other, as they were when the answer was sampled.
        """
        messages, answer, ends = list(request.messages), request.prefix, request.prefix is None
        if ends:
            last = messages.pop()
            if last["role"] != "assistant" or not isinstance(last.get("content"), str):
                raise Refused("the messages do not end with the assistant's text, and there is no prefix")
            answer = last["content"]
        template = request.extra.get("chat_template_kwargs")
        prompt = await self._prompt({"messages": messages, **({"chat_template_kwargs": template} if template else {})})
        spoken = await self._tokens({"prompt": answer or "", "add_special_tokens": False}) if answer else []
        return len(prompt), [*prompt, *spoken, *(await self._ending() if ends else [])]

    async def _prompt(self, body: dict[str, Any]) -> list[int]:
        key = orjson.dumps(body)
        if (known := self._prompts.get(key)) is None:
            known = self._prompts[key] = await self._tokens(body)
            if len(self._prompts) > PROMPTS:
                self._prompts.popitem(last=False)
        return known

    async def _ending(self) -> list[int]:
        """Returns the token that the chat template puts after an answer; none where it puts nothing."""
        if self._end is None:
            talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
            whole = await self._tokens({"messages": talk, "add_generation_prompt": False})
            begun = await self._tokens(
                {"messages": talk, "add_generation_prompt": False, "continue_final_message": True}
            )
            self._end = whole[len(begun) : len(begun) + 1] if whole[: len(begun)] == begun else []
        return self._end

    async def _tokens(self, body: Mapping[str, Any]) -> list[int]:
        return list((await self._post("/tokenize", body))["tokens"])

    async def close(self) -> None:
        """Lets go of its connections."""
        for client in self._clients:
            await client.close()


def _token(entry: Mapping[str, Any], number: int) -> Token:
    found = entry[str(number)]
    return Token(found.get("decoded_token") or "", float(found["logprob"]))
