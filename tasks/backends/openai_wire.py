"""OpenAI's JSON: a request's body, and the object that came back (``openai_replies`` reads its choices)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson

from schemas.exchange import Request
from tasks.backends.openai_habits import Habits

Json = Mapping[str, Any]


class WireError(ValueError):
    """What came back is not an answer in OpenAI's form; the message says what it is instead."""


def route(request: Request) -> str:
    """Returns the path below the base URL."""
    return "/completions" if request.kind == "complete" else "/chat/completions"


def body(request: Request, model: str, habits: Habits) -> bytes:
    """Returns the JSON that asks for samples ``first`` … ``first + n - 1``; what ``extra`` holds goes in as it is.

    What the endpoint is known to refuse is left out, and what its SPEC adds is put in.
    """
    asked: dict[str, Any] = {
        "model": model, "temperature": request.temperature, "top_p": request.top_p,
        "max_tokens": request.max_tokens,
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
    habits.fit(asked)
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
        text = content.decode(json.detect_encoding(content), errors="replace").removeprefix("\ufeff")
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
    text = printable(content[:400].decode(errors="replace"))
    return repr(text[:160] + "…" if len(text) > 160 else text) if text else "nothing"


def printable(text: str) -> str:
    """Returns a text on one line, without characters that show nothing."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
