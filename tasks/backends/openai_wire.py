"""OpenAI's JSON: a request's body, and the typed choices of what came back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.exchange import Choice, Outcome, Request, Token

_OUTCOMES: dict[str, Outcome] = {
    "length": "truncated", "max_tokens": "truncated", "content_filter": "filtered", "safety": "filtered",
    "error": "error", "abort": "error",
}  # fmt: skip
Json = Mapping[str, Any]


class WireError(ValueError):
    """What came back is not an answer in OpenAI's form; the message says what it is instead."""


@dataclass(slots=True)
class Habits:
    """What an endpoint was found not to do."""

    one_at_a_time: bool = False
    limit_field: str = "max_tokens"


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens of a call, as the endpoint counts them; zero where it does not say."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    known: bool = False


def route(request: Request) -> str:
    """Returns the path below the base URL."""
    return "/completions" if request.kind == "complete" else "/chat/completions"


def body(request: Request, model: str, habits: Habits) -> bytes:
    """Returns the JSON that asks for samples ``first`` … ``first + n - 1``; what ``extra`` holds goes in as it is."""
    asked: dict[str, Any] = {
        "model": model, "temperature": request.temperature, "top_p": request.top_p,
        habits.limit_field: request.max_tokens,
    }  # fmt: skip
    if request.n > 1:
        asked["n"] = request.n
    if request.seed is not None:
        # engines seed sample i of a call with seed + i, so sample i has one seed however the samples are asked for
        asked["seed"] = (request.seed + request.first) & 0x7FFFFFFF
    if request.stop:
        asked["stop"] = list(request.stop)
    if request.kind == "complete":
        asked["prompt"] = (request.text or "") + (request.prefix or "")
        if request.logprobs:
            asked["logprobs"] = request.top_logprobs
    else:
        _chat(request, asked)
    if request.schema is not None:
        shape = {"name": "answer", "schema": request.schema, "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": shape}
    asked.update(request.extra)
    return orjson.dumps(asked, option=orjson.OPT_SERIALIZE_NUMPY)


def _chat(request: Request, asked: dict[str, Any]) -> None:
    messages = list(request.messages)
    if request.prefix is not None:
        messages.append({"role": "assistant", "content": request.prefix})
        asked["continue_final_message"], asked["add_generation_prompt"] = True, False
    asked["messages"] = messages
    if request.tools:
        asked["tools"] = list(request.tools)
    if request.logprobs:
        asked["logprobs"] = True
        if request.top_logprobs:
            asked["top_logprobs"] = request.top_logprobs


def parse(content: bytes) -> Json:
    """Returns the JSON object of an answer.

    Raises:
        WireError: it is none.
    """
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        data = _lenient(content)
    if not isinstance(data, dict):
        raise WireError(f"expected a JSON object, got {type(data).__name__}: {shown(content)}")
    return data


def _lenient(content: bytes) -> Any:
    """Reads what Python servers write although it is no JSON: NaN, Infinity, lone surrogates."""
    start = content[:256].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WireError(f"an HTML page instead of JSON: {shown(content)}")
    if start.startswith(b"data:"):
        raise WireError(f"an event stream instead of JSON: {shown(content)}")
    try:
        text = content.decode(errors="replace")
        data = json.loads(text)
        return orjson.loads(json.dumps(_clean(data)).encode())
    except (ValueError, RecursionError) as error:
        raise WireError(f"broken JSON ({error}): {shown(content)}") from error


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(content: bytes) -> str:
    """Returns the start of a body on one line, for a message."""
    text = " ".join(content[:400].decode(errors="replace").split())
    return repr(text[:160] + "…" if len(text) > 160 else text) if text else "nothing"


def usage(data: Json) -> Usage:
    """Returns the token counts of an answer."""
    given = data.get("usage")
    if not isinstance(given, dict):
        return Usage()
    details = given.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else given.get("prompt_cache_hit_tokens")
    return Usage(_count(given.get("prompt_tokens")), _count(cached), _count(given.get("completion_tokens")), True)


def _count(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) and value > 0 else 0


def choices(data: Json, request: Request, completion_tokens: int) -> list[Choice]:
    """Returns the typed choices of an answer, numbered from ``request.first``; at most ``request.n``.

    Raises:
        WireError: there are none, or one is not of OpenAI's form.
    """
    given = data.get("choices")
    if not isinstance(given, list) or not given:
        raise WireError(f"no choices in the answer: {shown(orjson.dumps(data))}")
    if not all(isinstance(item, dict) for item in given):
        raise WireError(f"a choice is not an object: {shown(orjson.dumps(given))}")
    if len({item.get("index") for item in given} & set(range(len(given)))) == len(given):
        given = sorted(given, key=lambda item: item["index"])
    read = _text_choice if request.kind == "complete" else _chat_choice
    made = [read(item, request.first + number) for number, item in enumerate(given[: request.n])]
    _share(made, completion_tokens)
    return [Choice(**fields) for fields in made]


def _chat_choice(item: Json, index: int) -> dict[str, Any]:
    message = item.get("message")
    if not isinstance(message, dict):
        raise WireError(f"a choice without a message: {shown(orjson.dumps(item))}")
    text, calls, refusal = _content(message.get("content")), message.get("tool_calls"), message.get("refusal")
    logprobs = item.get("logprobs")
    made = _choice(index, text or (refusal or ""), item, _chat_tokens(logprobs) if logprobs else ())
    if calls:
        made["tool_calls"] = orjson.dumps(calls).decode()
        if made["outcome"] == "empty":
            made["outcome"] = "ok"
    if refusal:
        made["outcome"] = "refused"
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    if reasoning:  # was paid for
        made["value"] = {"reasoning": reasoning}
    return made


def _text_choice(item: Json, index: int) -> dict[str, Any]:
    logprobs = item.get("logprobs")
    return _choice(index, _content(item.get("text")), item, _text_tokens(logprobs) if logprobs else ())


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    raise WireError(f"content is neither text nor parts: {type(content).__name__}")


def _choice(index: int, text: str, item: Json, tokens: tuple[Token, ...]) -> dict[str, Any]:
    reason = str(item.get("finish_reason") or "unknown")
    outcome = _OUTCOMES.get(reason) or ("ok" if text else "empty")
    logprob = math.fsum(token.logprob for token in tokens) if tokens else None
    return {
        "index": index, "text": text, "outcome": outcome, "finish_reason": reason, "tokens": tokens,
        "logprob": logprob if logprob is None or math.isfinite(logprob) else None,
    }  # fmt: skip


def _chat_tokens(logprobs: Any) -> tuple[Token, ...]:
    try:
        return tuple(
            Token(t["token"], t["logprob"], tuple((a["token"], a["logprob"]) for a in t.get("top_logprobs") or ()))
            for t in logprobs.get("content") or ()
            if t["logprob"] is not None
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise WireError(f"log-probabilities of an unknown form: {error!r}") from error


def _text_tokens(logprobs: Any) -> tuple[Token, ...]:
    """Returns the tokens of a text completion; the first of an echoed prompt has no log-probability and is left out."""
    try:
        tokens, values = logprobs.get("tokens") or (), logprobs.get("token_logprobs") or ()
        tops: Sequence[Mapping[str, float] | None] = logprobs.get("top_logprobs") or [None] * len(tokens)
        return tuple(
            Token(token, value, tuple((top or {}).items()))
            for token, value, top in zip(tokens, values, tops, strict=True)
            if value is not None
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise WireError(f"log-probabilities of an unknown form: {error!r}") from error


def _share(made: list[dict[str, Any]], completion_tokens: int) -> None:
    """Gives each choice its tokens: counted where they are listed, else its share of the call's by length."""
    if len(made) == 1:
        made[0]["completion_tokens"] = completion_tokens or len(made[0]["tokens"])
        return
    if all(item["tokens"] for item in made):
        for item in made:
            item["completion_tokens"] = len(item["tokens"])
        return
    total, done, given = sum(len(item["text"]) for item in made) or 1, 0, 0
    for item in made:
        done += len(item["text"])
        upto = completion_tokens * done // total
        item["completion_tokens"], given = upto - given, upto
