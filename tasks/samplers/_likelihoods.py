"""What other models make of answers that one model gave: their log-probabilities, a token each.

Source: DPO (arXiv:2305.18290, equation 5: reference log-probabilities); RTO (arXiv:2404.18922, section 4: two models'
log-probabilities of every token).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import orjson

from schemas.exchange import Reply, Request, Token
from schemas.ids import canonical
from schemas.messages import text_of

UNREADABLE = "\ufffd"


def compared(
    rows: Sequence[dict[str, Any]], question: Request, models: Mapping[str, str]
) -> Generator[list[Request], list[Reply], None]:
    """Asks each model for its log-probabilities of the whole answers, and notes them in the rows.

    ``<name>_token_logprobs`` goes into ``meta`` where the model cuts the answer into the very tokens it was sampled
    in (their number is the sample's); ``reference_logprob`` is the column of that name. What failed is left out.

    Args:
        rows: of completions that answer ``question``. models: name -> SPEC.
    """
    whole = [row for row in rows if row["finish_reason"] == "stop" and text_of(row["messages"])]
    texts = list(dict.fromkeys(text_of(row["messages"]) for row in whole))
    asked = [(text, name) for text in texts for name in models]
    if not asked:
        return
    replies = yield [_question(question, models[name], text) for text, name in asked]
    told = dict(zip(asked, replies, strict=True))
    for row in whole:
        notes = {}
        for name in models:
            reply = told[text_of(row["messages"]), name]
            choice = reply.choices[0] if reply.choices and reply.choices[0].outcome == "ok" else None
            if choice is None:
                continue
            if name == "reference":
                row["reference_logprob"] = choice.logprob
            matched = _matched(row["tokens"], choice.tokens)
            if matched is not None:
                notes[f"{name}_token_logprobs"] = matched
        if notes:
            row["meta"] = canonical({**orjson.loads(row.get("meta") or "{}"), **notes}).decode()


def _question(question: Request, model: str, text: str) -> Request:
    messages = [*question.messages, {"role": "assistant", "content": text}]
    return Request(model=model, kind="score", messages=messages, logprobs=True)


def _matched(sampled: Sequence[str] | None, scored: Sequence[Token]) -> list[float] | None:
    """Returns a log-probability for each sampled token, null where the two cut the text differently.

    The sample may lack the end token, which a score always has; a token that is no whole character has no text.
    """
    if not sampled or not len(sampled) <= len(scored) <= len(sampled) + 1:
        return None
    pairs = list(zip(sampled, scored, strict=False))
    if len(scored) == len(sampled):
        pairs.pop()  # the end token, which some name and some leave blank
    alike = all(one == two.text or UNREADABLE in one + two.text for one, two in pairs)
    return [token.logprob for token in scored[: len(sampled)]] if alike else None
