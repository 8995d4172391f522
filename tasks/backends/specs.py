"""Reads SPECs and opens the backend each one names.

    embedded                                   the tiny model that ships with us; embedded:FOLDER another of its kind
    openai:http://127.0.0.1:8000/v1:NAME       any OpenAI-compatible endpoint; several URLs separated by commas
    vllm:PATH_OR_NAME                          a vLLM server that we start, watch and stop
    reward:PATH_OR_NAME                        a reward model, through transformers
    replay:FILE                                completions one already has
    sandbox                                    runs programs, cut off from everything

Options after ``?`` (``concurrency=64&timeout_s=120``) say how to ask, never what; they are not part of an answer's key.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from schemas.errors import UsageError, nearest
from tasks.backends.base import Backend

KINDS = ("embedded", "openai", "vllm", "reward", "replay", "sandbox")


class Spec(NamedTuple):
    """A SPEC, read.

    Attributes:
        text: without options: what is hashed and stored. written: that, as a lake of the first format has it.
        kind: one of ``KINDS``. rest: what follows the kind.
    """

    text: str
    kind: str
    rest: str
    options: dict[str, str]
    written: str


def parse(text: str) -> Spec:
    """Returns the parts of a SPEC.

    Raises:
        UsageError: an unknown kind, or a URL without a model.
    """
    body, _, query = text.partition("?")
    written = body
    kind, _, rest = body.partition(":")
    if kind not in KINDS:
        raise UsageError(f"{text!r} names no backend; {nearest(kind, KINDS)}")
    if kind in ("replay", "reward", "vllm") and not rest:
        raise UsageError(f"{text!r}: expected {kind}:{'FILE' if kind == 'replay' else 'MODEL'}")
    if kind == "openai":
        from tasks.backends.openai_spec import parse as read

        endpoint = read(text)
        body, written = endpoint.spec, endpoint.written
    return Spec(body, kind, rest, dict(parse_qsl(query, keep_blank_values=True)), written)


def open_backend(text: str, **given: Any) -> Backend:
    """Returns the backend a SPEC names, not started yet.

    Args:
        text: the SPEC.
        given: what only the caller knows (the recorded completions of ``replay``).
    """
    spec = parse(text)
    if spec.kind == "embedded":
        from tasks.backends.embedded import Embedded

        return Embedded(spec.rest or None)
    if spec.kind == "openai":
        if spec.options.get("batch", "0") != "0":
            from tasks.backends.openai_batch import OpenAIBatch

            return OpenAIBatch(text)
        from tasks.backends.openai import OpenAI

        return OpenAI(text)
    if spec.kind == "reward":
        from tasks.backends.reward import Reward

        return Reward(spec.rest, spec.options)
    if spec.kind == "replay":
        from tasks.backends.replay import Replay

        return Replay(spec.text, **given)
    if spec.kind == "sandbox":
        from tasks.backends.sandbox import Sandbox

        return Sandbox(spec.options)
    from tasks.backends.vllm import VLLM

    return VLLM(text)
