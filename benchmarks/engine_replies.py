"""What the simulated engine says: texts, verdicts, log-probabilities and the draw of faults, by content."""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Any
from zlib import crc32

import orjson

if TYPE_CHECKING:
    from benchmarks.engine import Engine

_WORDS = Random(11).choices(["ba", "te", "no", "lur", "mid", "sa", "ock", "ein", "ro", "pli", "quo", "un"], k=60_000)
_POOL = "".join(word if i % 3 else f" {word}" for i, word in enumerate(_WORDS)) * 4
_NORMAL = NormalDist()
CHARS_PER_TOKEN = 5


def fault_of(engine: Engine) -> str:
    """Returns which fault this attempt meets, or nothing."""
    options, drawn = engine.options, engine.random.random()
    for name in ("429", "500", "drop", "slow"):
        share = getattr(options, f"fault_{name}")
        if drawn < share:
            return name
        drawn -= share
    return ""


def length(code: bytes, mean: int, sigma: float) -> int:
    """Returns how many tokens a sequence is, log-normal with that mean."""
    if not sigma:
        return mean
    z = _NORMAL.inv_cdf((int.from_bytes(code[:4], "big") + 0.5) / 2**32)
    return max(1, min(8000, int(mean * 2.718281828 ** (sigma * z - sigma * sigma / 2))))


def sequences(engine: Engine, request: dict[str, Any], chat: bool, asked: int) -> list[tuple[bytes, int]]:
    """Returns what decides each of the n sequences, and how many tokens it is.

    With a seed the same body gives the same answer; without one a repeat gives another.
    """
    options = engine.options
    content = orjson.dumps(request["messages"] if chat else request["prompt"])
    nonce = b"" if request.get("seed") is not None else asked.to_bytes(4, "big")
    mean = options.judge_out_tokens if "judge" in request["model"] else options.out_tokens
    cap = request.get("max_tokens") or request.get("max_completion_tokens") or 1 << 30
    made = []
    for number in range(request.get("n") or 1):
        code = blake2b(content + b"%d:%d" % (number, request.get("seed") or 0) + nonce, digest_size=16).digest()
        made.append((code, min(cap, length(code, mean, options.sigma))))
    return made


def whole(
    engine: Engine, request: dict[str, Any], key: bytes, chat: bool, parts: list[tuple[bytes, int]]
) -> dict[str, Any]:
    """Returns the JSON of an answer."""
    asked = request["messages"] if chat else request["prompt"]
    usage = {
        "prompt_tokens": len(orjson.dumps(asked)) // CHARS_PER_TOKEN,
        "completion_tokens": sum(tokens for _, tokens in parts),
    }
    scored = engine.options.scores and chat and request.get("prompt_logprobs") is not None
    given = {"prompt_logprobs": prompt_logprobs(request)} if scored else {}
    return {
        "id": f"sim-{key.hex()}", "object": "chat.completion" if chat else "text_completion",
        "model": request["model"], "system_fingerprint": "sim-1", "usage": usage,
        "choices": [choice(engine, request, chat, index, *part) for index, part in enumerate(parts)], **given,
    }  # fmt: skip


def choice(engine: Engine, request: dict[str, Any], chat: bool, index: int, code: bytes, tokens: int) -> dict[str, Any]:
    """Returns one choice of an answer."""
    number = int.from_bytes(code[:8], "big")
    text = engine.speak(request) if engine.speak else _text(engine, request["model"], number, tokens)
    cap = request.get("max_tokens") or request.get("max_completion_tokens")
    made: dict[str, Any] = {"index": index, "finish_reason": "length" if cap and tokens >= cap else "stop"}
    if chat:
        made["message"] = {"role": "assistant", "content": text}
        if request.get("logprobs"):
            made["logprobs"] = {"content": [
                {"token": token, "logprob": logprob, "top_logprobs": [{"token": token, "logprob": logprob}]}
                for token, logprob in _logprobs(text, code)
            ]}  # fmt: skip
    else:
        made["text"] = text
        if request.get("logprobs") is not None:
            pairs = _logprobs(text, code)
            if request.get("echo") and engine.options.scores:
                pairs = [*given_logprobs(_pieces(request["prompt"])), *pairs[:tokens]]
                made["text"] = request["prompt"] + text[: tokens * CHARS_PER_TOKEN]
            made["logprobs"] = {"tokens": [t for t, _ in pairs], "token_logprobs": [p for _, p in pairs]}
    return made


def given_logprobs(pieces: list[str]) -> list[tuple[str, float | None]]:
    """Returns the pieces of given text, each with an eighth of its length below zero; the first has none."""
    return [(piece, -len(piece) / 8 if number else None) for number, piece in enumerate(pieces)]


def prompt_logprobs(request: dict[str, Any]) -> list[dict[str, dict[str, Any]] | None]:
    """Returns what vLLM lists for each token of a conversation: its id, and what there is to say of it."""
    pieces = []
    for message in request["messages"]:
        pieces += [f"<{message['role']}>", *_pieces(message["content"]), "<end>", "\n"]
    if request.get("continue_final_message"):
        pieces = pieces[:-2]
    elif request.get("add_generation_prompt", True):
        pieces.append("<assistant>")
    return [
        None if logprob is None else {str(crc32(piece.encode())): {"logprob": logprob, "decoded_token": piece}}
        for piece, logprob in given_logprobs(pieces)
    ]


def _pieces(text: str) -> list[str]:
    return [text[start : start + CHARS_PER_TOKEN] for start in range(0, len(text), CHARS_PER_TOKEN)]


def _text(engine: Engine, model: str, number: int, tokens: int) -> str:
    malformed = "judge" in model and engine.random.random() < engine.options.fault_malformed
    engine.count["fault_malformed"] += malformed
    if "judge-score" in model:
        start = number % 100_000
        why = _POOL[start : start + max(0, tokens - 10) * CHARS_PER_TOKEN]
        whole = orjson.dumps({"score": 1 + number % 10, "rationale": why}).decode()
        return whole[:-9] if malformed else whole
    if "judge-pair" in model:
        return "I cannot choose." if malformed else orjson.dumps({"winner": "AB"[number % 2]}).decode()
    start = number % (len(_POOL) - 40_000)
    return f"{number & 0xFFFFFFFF:08x} {_POOL[start : start + tokens * CHARS_PER_TOKEN]}"


def _logprobs(text: str, code: bytes) -> list[tuple[str, float | None]]:
    return [(piece, -(code[i % 16] / 64)) for i, piece in enumerate(_pieces(text))]


def words(number: int, size: int) -> str:
    """Returns that many characters of pseudo-words, the same for the same number."""
    start = number * 2_654_435_761 % (len(_POOL) - 40_000)
    return _POOL[start : start + size]
