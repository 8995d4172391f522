"""What one bought call is in the ledger, and back."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from numbers import Integral, Real
from typing import Any, NamedTuple, get_args

import orjson

from schemas.exchange import Choice, Outcome, Reply, Request, Token


class UnfitError(ValueError):
    """An answer that no database can hold as it is."""


class Call(NamedTuple):
    """One row of ``calls``: what was asked, and every answer that came for it.

    Args:
        key: BLAKE2b-128 of the canonical question. first, n: which samples of it were asked for.
        at: microseconds since 1970. question: its canonical JSON. choices: theirs. raw: the answer as it came.
        outcomes: the choices' outcomes, one word each, so that counting them decodes nothing.
    """

    key: bytes
    first: int
    n: int
    at: int
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: float
    latency_s: float
    fingerprint: str
    outcomes: str
    choices: bytes
    question: bytes
    raw: bytes | None


class Drop(NamedTuple):
    """What is kept of an answer that was taken out of the ledger.

    Args:
        at: microseconds since 1970. sample: which one; null for all of the row. answers: how many. cost: theirs.
    """

    at: int
    key: bytes
    sample: int | None
    model: str
    answers: int
    cost: float
    because: str


class Stored(NamedTuple):
    """One answer that is there already, with its call's usage; ``cost`` is the answer's share of the call's."""

    choice: Choice
    prompt_tokens: int
    cached_tokens: int
    cost: float
    latency_s: float
    fingerprint: str


def key_of(question: bytes) -> bytes:
    """Returns the key of a question: BLAKE2b-128 of its canonical JSON. A sample's key is this and its index."""
    return blake2b(question, digest_size=16).digest()


def to_call(request: Request, question: bytes, key: bytes, reply: Reply, raw: bytes | None, at: int) -> Call | None:
    """Returns the row of a reply, or null where no answer in it is one to keep (``error`` may be asked again).

    Counts that no usage can be (negative, beyond 2**53, not a number) are kept as 0: the answer was paid for.

    Raises:
        UnfitError: an answer holds what is no answer, such as a number for its text.
    """
    kept = [choice for choice in reply.choices if choice.outcome != "error"]
    if reply.error is not None or not kept:
        return None
    for choice in kept:
        if wrong := wrong_types(choice):
            raise UnfitError(wrong)
    return Call(
        key, request.first, request.n, at, request.model, _count(reply.prompt_tokens), _count(reply.cached_tokens),
        sum(_count(choice.completion_tokens) for choice in kept), _amount(reply.cost), _amount(reply.latency_s),
        _unicode(reply.fingerprint), " ".join([choice.outcome for choice in kept]), encode(kept), question, raw,
    )  # fmt: skip


def wrong_types(choice: Choice) -> str | None:
    """Returns what in an answer is not of its type, in words, or null."""
    for name, kinds in _KINDS.items():
        value = getattr(choice, name)
        if type(value) not in kinds and (isinstance(value, bool) or not isinstance(value, kinds)):
            return f"{name} is {_named(value)}, expected {_NAMES[kinds[-1]]}"
    if choice.outcome not in _OUTCOMES:
        return f"outcome is {choice.outcome!r}, expected {', '.join(_OUTCOMES)}"
    for token in choice.tokens:
        if type(token.text) is not str:
            return f"a token is {_named(token.text)}, expected a text"
        if type(token.logprob) is not float and (type(token.logprob) is bool or not isinstance(token.logprob, Real)):
            return f"the log-probability of a token is {_named(token.logprob)}, expected a number"
    return None


_NAMES = {str: "a text", Integral: "a number", Real: "a number", bool: "true or false", list: "a list",
          tuple: "a list", dict: "an object"}  # fmt: skip
_KINDS: dict[str, tuple[Any, ...]] = {
    "text": (str,), "outcome": (str,), "finish_reason": (str,), "index": (int, Integral),
    "completion_tokens": (int, Integral), "logprob": (type(None), float, Real), "tool_calls": (type(None), str),
    "tokens": (tuple,),
}  # fmt: skip
_OUTCOMES = get_args(Outcome)


def _named(value: Any) -> str:
    return "null" if value is None else next(
        (name for kind, name in reversed(_NAMES.items()) if isinstance(value, kind)), type(value).__name__
    )  # fmt: skip


def _count(value: Any) -> int:
    usual = isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) <= 2**53
    return int(value) if usual else 0


def _amount(value: Any) -> float:
    usual = isinstance(value, Real) and not isinstance(value, bool) and -1e300 < float(value) < 1e300
    return float(value) if usual else 0.0


def _unicode(text: Any) -> str:
    return str(text).encode("utf-8", "replace").decode()


def encode(choices: list[Choice]) -> bytes:
    """Returns the JSON of choices; what has its default value is left out.

    Halves of characters, which JSON cannot hold and endpoints send where they cut one in two, become question marks.
    """
    plain = [_plain(choice) for choice in choices]
    try:
        return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return orjson.dumps(_whole_characters(plain), option=orjson.OPT_SERIALIZE_NUMPY)


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_characters(item) for item in value]
    return value


def _plain(choice: Choice) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "index": choice.index,
        "text": choice.text,
        "completion_tokens": _count(choice.completion_tokens),
    }
    if choice.outcome != "ok":
        plain["outcome"] = choice.outcome
    if choice.finish_reason != "stop":
        plain["finish_reason"] = choice.finish_reason
    if choice.logprob is not None:
        plain["logprob"] = choice.logprob
    if choice.tokens:
        plain["tokens"] = [
            (token.text, token.logprob, token.top) if token.top else (token.text, token.logprob)
            for token in choice.tokens
        ]
    if choice.tool_calls is not None:
        plain["tool_calls"] = choice.tool_calls
    if choice.value is not None:
        plain["value"] = choice.value
    return plain


def decode(data: bytes) -> list[Choice]:
    """Returns the choices of their JSON.

    Raises:
        ValueError: it is not what ``encode`` writes.
    """
    try:
        return [_choice(plain) for plain in orjson.loads(data)]
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"not the choices of a call: {error}") from error


def _choice(plain: dict[str, Any]) -> Choice:
    if "tokens" in plain:
        plain["tokens"] = tuple(_token(*token) for token in plain["tokens"])
    return Choice(**plain)


def _token(text: str, logprob: float | None, top: list[tuple[str, float | None]] | tuple[()] = ()) -> Token:
    return Token(text, _number(logprob), tuple((alternative, _number(value)) for alternative, value in top))


def _number(logprob: float | None) -> float:
    return float("-inf") if logprob is None else logprob  # JSON has no infinity


Usage = tuple[int, int, float, float, str, bytes]
"""What ``find`` reads of a row: prompt and cached tokens, cost, latency, fingerprint, choices."""


def stored(row: Usage) -> dict[int, Stored]:
    """Returns sample index -> answer of one row."""
    prompt_tokens, cached_tokens, cost, latency_s, fingerprint, data = row
    choices = decode(data)
    for choice in choices:
        if wrong := wrong_types(choice):
            raise ValueError(f"sample {choice.index!r}: {wrong}")
    share = cost / len(choices) if choices else 0.0
    return {c.index: Stored(c, prompt_tokens, cached_tokens, share, latency_s, fingerprint) for c in choices}


def usage(call: Call) -> Usage:
    """Returns of a call what ``find`` would read of its row."""
    return call.prompt_tokens, call.cached_tokens, call.cost, call.latency_s, call.fingerprint, call.choices


def settle(calls: Sequence[Call], there: dict[bytes, list[Usage]]) -> tuple[list[Call], dict[int, dict[int, Stored]]]:
    """Returns the calls to add, without samples that are there already, and the winners of those that lost some.

    Args:
        there: key -> rows in the ledger, oldest first. The first answer to a sample wins; everybody reads that one.

    Returns:
        The rows to insert; position in ``calls`` -> sample index -> the answer that counts.
    """
    added: list[Call] = []
    winners: dict[int, dict[int, Stored]] = {}
    for position, call in enumerate(calls):
        rows = there.setdefault(call.key, [])
        if rows:
            taken = first_wins(rows)
            own = stored(usage(call))
            if own.keys() & taken.keys():
                winners[position] = {**own, **{index: taken[index] for index in own.keys() & taken.keys()}}
                fresh = [own[index].choice for index in sorted(own.keys() - taken.keys())]
                if not fresh:
                    continue
                call = call._replace(
                    choices=encode(fresh), outcomes=" ".join(choice.outcome for choice in fresh),
                    completion_tokens=sum(choice.completion_tokens for choice in fresh),
                )  # fmt: skip
        rows.append(usage(call))
        added.append(call)
    return added, winners


def first_wins(rows: list[Usage]) -> dict[int, Stored]:
    """Returns sample index -> answer over the rows of one question, oldest first."""
    if len(rows) == 1:
        return stored(rows[0])
    answers: dict[int, Stored] = {}
    for row in reversed(rows):
        answers.update(stored(row))
    return answers
