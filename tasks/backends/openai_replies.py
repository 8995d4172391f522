"""What an OpenAI-compatible server answers, read into typed choices whatever its shape."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from schemas.exchange import Choice, Request, Token
from tasks.backends import finish_reasons, thoughts
from tasks.backends.openai_wire import Json, WireError, shown

MOST_TOKENS = 1_000_000_000
"""No call has more; a larger count is no count."""
UNLIKELIEST = -1e9
"""What lies below is taken for minus infinity, so that sums stay numbers."""


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens of a call, as the endpoint counts them; zero where it does not say. ``thoughts`` are among ``completion``.

    ``thoughts`` is null where the endpoint does not count them.
    """

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    known: bool = False
    thoughts: int | None = None


def usage(data: Json) -> Usage:
    """Returns the token counts of an answer, under the names of OpenAI, DeepSeek or Anthropic."""
    given = data.get("usage")
    if not isinstance(given, dict):
        return Usage()
    read, parts = _details(given, "prompt_tokens_details"), _details(given, "completion_tokens_details")
    prompt = _count(given, "prompt_tokens", "input_tokens")
    cached = _count(read, "cached_tokens") or _count(given, "prompt_cache_hit_tokens", "cache_read_input_tokens")
    made = _count(given, "completion_tokens", "output_tokens")
    completion = made or 0
    thinking = _count(parts, "reasoning_tokens")
    return Usage(
        prompt or 0, min(cached or 0, prompt or 0), completion, prompt is not None or made is not None,
        None if thinking is None else min(thinking, completion),
    )  # fmt: skip


def _details(given: Json, name: str) -> Json:
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def _count(given: Json, *names: str) -> int | None:
    """Returns the first of these that is a number of tokens: whole, not below zero, of a size that can be."""
    for name in names:
        value = given.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
            return int(value)
    return None


def choices(data: Json, request: Request, used: Usage) -> list[Choice]:
    """Returns the typed choices of an answer, numbered from ``request.first``; at most ``request.n``.

    One that cannot be read beside others that can is a choice with the outcome ``error``.

    Raises:
        WireError: there are none, or none can be read.
    """
    given = data.get("choices")
    if not isinstance(given, list) or not given:
        raise WireError(f"no choices in the answer: {shown(orjson.dumps(data))}")
    read = _text_choice if request.kind == "complete" else _chat_choice
    made, faults = list[Choice](), list[WireError]()
    for number, item in enumerate(_in_order(given)[: request.n]):
        index = request.first + number
        try:
            if not isinstance(item, dict):
                raise WireError(f"a choice is not an object: {shown(orjson.dumps(item))}")
            made.append(read(item, index, request))
        except WireError as fault:
            faults.append(fault)
            made.append(Choice(index, "", "error", f"error: {fault}"))
    if len(faults) == len(made):
        raise faults[0]
    return _counted(made, used)


def _in_order(given: list[Any]) -> list[Any]:
    """Returns the choices by their index where each has its own from 0 on, else as they came."""
    places = [item.get("index") if isinstance(item, dict) else None for item in given]
    if not all(type(place) is int for place in places) or sorted(places) != list(range(len(given))):
        return given
    return sorted(given, key=lambda item: int(item["index"]))


def _chat_choice(item: Json, index: int, request: Request) -> Choice:
    message = item.get("message")
    if not isinstance(message, dict):
        raise WireError(f"a choice without a message: {shown(orjson.dumps(item))}")
    text, thought, declined = _content(message.get("content"))
    refusal = message.get("refusal")
    refusal = refusal if isinstance(refusal, str) else declined
    apart = thoughts.spoken(message) or thought
    choice = _choice(index, text or refusal, apart, item, request, _chat_tokens)
    calls = _calls(message)
    if calls:
        outcome = "ok" if choice.outcome == "empty" else choice.outcome
        choice = replace(choice, tool_calls=orjson.dumps(calls).decode(), outcome=outcome)
    return replace(choice, outcome="refused") if refusal else choice


def _calls(message: Json) -> list[Any]:
    """Returns the tool calls of a message, an old ``function_call`` among them.

    Raises:
        WireError: they are not of OpenAI's form.
    """
    calls = message.get("tool_calls")
    if not calls and isinstance(message.get("function_call"), dict):
        calls = [{"type": "function", "function": message["function_call"]}]
    if not calls:
        return []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise WireError(f"tool calls of an unknown form: {shown(orjson.dumps(calls))}")
    return calls


def _text_choice(item: Json, index: int, request: Request) -> Choice:
    text, thought, _ = _content(item.get("text"))
    return _choice(index, text, thought, item, request, _text_tokens)


def _content(content: Any) -> tuple[str, str | None, str]:
    """Returns the text of a content, the thoughts among its parts, and what it refuses with."""
    if isinstance(content, str):
        return content, None, ""
    if content is None:
        return "", None, ""
    parts = [content] if isinstance(content, dict) else content
    if not isinstance(parts, list):
        raise WireError(f"content is neither text nor parts: {type(content).__name__}")
    texts, thinking, refusals = list[str](), list[str](), list[str]()
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            if thoughts.is_thought(part):
                thinking.append(thoughts.of_part(part) or "")
            elif isinstance(part.get("refusal"), str):
                refusals.append(part["refusal"])
            else:
                text = part.get("text")
                text = text.get("value") if isinstance(text, dict) else text
                texts.append(text if isinstance(text, str) else "")
    return "".join(texts), "\n\n".join(filter(None, thinking)) or None, "".join(refusals)


def _choice(index: int, text: str, thought: str | None, item: Json, request: Request, tokens_of: Any) -> Choice:
    reason, outcome = finish_reasons.read(item.get("finish_reason"))
    tokens: tuple[Token, ...] = ()
    if request.logprobs and item.get("logprobs"):
        tokens = tokens_of(item["logprobs"])
    begun = any(tag in (request.prefix or "") for tag, _ in thoughts.TAGS)
    parts = thoughts.Parts(text) if begun else thoughts.split(text)
    told = "\n\n".join(part for part in (thought, parts.thoughts) if part)
    value: dict[str, Any] | None = {"reasoning": told} if told else None
    if tokens and (told or parts.answer != text):
        tokens, dropped = _of_answer(tokens, parts.answer)
        if value is not None and dropped is not None:
            value["reasoning_tokens"] = dropped
    if outcome == "ok" and not parts.answer:
        outcome = "empty"
    return Choice(index, parts.answer, outcome, reason, _sum(tokens), tokens, value=value)


def _of_answer(tokens: tuple[Token, ...], answer: str) -> tuple[tuple[Token, ...], int | None]:
    """Returns the tokens that spell an answer after its thoughts, and how many came before; none where unsure."""
    place = "".join(token.text for token in tokens).rfind(answer) if answer else -1
    if place < 0:
        return (), None if answer else len(tokens)
    passed = 0
    for number, token in enumerate(tokens):
        if passed >= place:
            return tokens[number:], number
        passed += len(token.text)
    return (), None


def _sum(tokens: tuple[Token, ...]) -> float | None:
    total = math.fsum(token.logprob for token in tokens) if tokens else None
    return total if total is not None and math.isfinite(total) else None


def _logprob(value: Any) -> float:
    """Returns a log-probability; null stands for minus infinity, which JSON does not know.

    Raises:
        WireError: it is none.
    """
    if value is None:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value > 0.01:
        raise WireError(f"a log-probability that is none: {str(value)[:40]}")
    return float(value) if value > UNLIKELIEST else -math.inf


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError(f"a token that is no text: {str(value)[:40]}")
    return value


def _chat_tokens(logprobs: Any) -> tuple[Token, ...]:
    if isinstance(logprobs, dict) and not logprobs.get("content") and "token_logprobs" in logprobs:
        return _text_tokens(logprobs)
    listed = logprobs.get("content") if isinstance(logprobs, dict) else logprobs
    try:
        return tuple(
            Token(
                _word(t["token"]), _logprob(t["logprob"]),
                tuple((_word(a["token"]), _logprob(a.get("logprob"))) for a in t.get("top_logprobs") or ()),
            )
            for t in listed or ()
            if t["logprob"] is not None
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise WireError(f"log-probabilities of an unknown form: {error!r}") from error


def _text_tokens(logprobs: Any) -> tuple[Token, ...]:
    """Returns the tokens of a text completion; the first of an echoed prompt has no log-probability and is left out."""
    try:
        tokens, values = logprobs.get("tokens") or (), logprobs.get("token_logprobs") or ()
        tops: Sequence[Mapping[str, float] | None] = logprobs.get("top_logprobs") or [None] * len(tokens)
        return tuple(
            Token(_word(token), _logprob(value), tuple((word, _logprob(top[word])) for word in top or ()))  # type: ignore[index]
            for token, value, top in zip(tokens, values, tops, strict=True)
            if value is not None
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise WireError(f"log-probabilities of an unknown form: {error!r}") from error


def _counted(made: list[Choice], used: Usage) -> list[Choice]:
    """Gives each choice its tokens: counted where they are listed, else its share of the call's by length."""
    if len(made) == 1:
        counts = [used.completion or _listed(made[0])]
    elif all(choice.tokens for choice in made):
        counts = [_listed(choice) for choice in made]
    else:
        counts = _shares(used.completion, [len(choice.text) + len(choice.reasoning or "") for choice in made])
    if used.thoughts is None:
        return [replace(choice, completion_tokens=count) for choice, count in zip(made, counts, strict=True)]
    thinking = _shares(used.thoughts, counts)
    return [
        replace(choice, completion_tokens=count, value=_thinking(choice, min(part, count)))
        for choice, count, part in zip(made, counts, thinking, strict=True)
    ]


def _listed(choice: Choice) -> int:
    """Returns how many tokens a choice lists, those of its thoughts included."""
    known = choice.value.get("reasoning_tokens") if isinstance(choice.value, dict) else None
    return len(choice.tokens) + (known or 0)


def _thinking(choice: Choice, tokens: int) -> dict[str, Any] | None:
    value: dict[str, Any] = choice.value or {}
    return {"reasoning_tokens": tokens, **value} if tokens or value else None


def _shares(total: int, sizes: list[int]) -> list[int]:
    """Splits a number by size, so that the parts add up to it."""
    whole, done, given, parts = sum(sizes) or 1, 0, 0, list[int]()
    for size in sizes:
        done += size
        upto = total * done // whole
        parts.append(upto - given)
        given = upto
    return parts
