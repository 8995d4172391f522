"""Requests of a search: continuations of a prefix, and what a model thinks of one; answers become completion rows.

Source: prefix continuation: Math-Shepherd (arXiv:2312.08935, section 3.2); self-evaluation by the probability of the
option "correct": MCTS-DPO (arXiv:2405.00451, appendix).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

from schemas.exchange import Choice, Reply, Request
from schemas.ids import canonical, content_id, key_of, seed_for
from schemas.messages import assistant, from_rows

Row = dict[str, Any]

EVIDENCE = ("ok", "truncated", "empty")
"""Outcomes of an answer that says something about the policy; the others are no evidence at all."""

_JUDGE_STEP = (  # what is always alike first, what differs between siblings last: an engine reads only that anew
    "A question and a solution that is not finished stand below. Is the last step of the solution correct?\n"
    "(A) correct\n(B) wrong\nAnswer with the letter alone.\n\nQuestion:\n{question}\n\nSolution so far:\n{solution}"
)


@dataclass
class Policy:
    """Who is asked, and how. Every answer met is kept as a completions row.

    Args:
        prompt: row of the prompts table. spec: who answers.
        max_tokens: of a whole answer; what a prefix holds already is not taken off. step_tokens: of one step.
        seed: of the search; a prefix's own is made of it, the prompt and the prefix, so that no order matters.
        system: system message, in place of the prompt's own.
    """

    prompt: Mapping[str, Any]
    spec: str
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 1024
    step_tokens: int = 256
    seed: int = 0
    system: str | None = None
    logprobs: bool = False
    keep: bool = True
    completions: list[Row] = field(default_factory=list)
    samples: int = 0
    calls: int = 0

    def __post_init__(self) -> None:
        messages = from_rows(self.prompt["messages"])
        if self.system is not None:
            kept = [message for message in messages if message["role"] not in ("system", "developer")]
            messages = [{"role": "system", "content": self.system}, *kept]
        self.messages = messages
        self.key = key_of(self.prompt)

    def whole(
        self, prefix: str, n: int, first: int = 0, *, temperature: float | None = None, role: str = "rollout"
    ) -> Request:
        """Returns the request for samples ``first`` … of the rest of an answer."""
        return self._request(prefix, n, first, (), self.max_tokens, temperature, role)

    def step(
        self, prefix: str, n: int, first: int, stop: tuple[str, ...], *, temperature: float | None = None
    ) -> Request:
        """Returns the request for samples of the next step; with log-probabilities, which also tell what ended it."""
        return self._request(prefix, n, first, stop, self.step_tokens, temperature, "step", logprobs=True)

    def _request(
        self, prefix: str, n: int, first: int, stop: tuple[str, ...], max_tokens: int, temperature: float | None,
        role: str, logprobs: bool = False,
    ) -> Request:  # fmt: skip
        self.calls += 1
        self.samples += n
        heat = self.temperature if temperature is None else temperature
        return Request(
            model=self.spec, messages=self.messages, prefix=prefix or None, n=n, first=first, temperature=heat,
            top_p=self.top_p, max_tokens=max_tokens, stop=stop, logprobs=logprobs or self.logprobs,
            seed=seed_for(self.seed, self.key, role, prefix),
        )  # fmt: skip

    def opinion(self, prefix: str) -> Request:
        """Returns the request that asks the policy whether the last step is correct; see ``confidence``."""
        self.calls += 1
        self.samples += 1
        question = "\n\n".join(str(message.get("content") or "") for message in self.messages)
        text = _JUDGE_STEP.replace("{question}", question, 1).replace("{solution}", prefix)
        return Request(
            model=self.spec, messages=[{"role": "user", "content": text}], temperature=0.0, max_tokens=4,
            logprobs=True, top_logprobs=5, seed=seed_for(self.seed, self.key, "opinion", prefix),
            template="opinion-2",
        )  # fmt: skip

    def met(self, request: Request, reply: Reply, choice: Choice, node: int | None, origin: str = "rollout") -> str:
        """Keeps an answer, and returns its whole text: the prefix and what continues it."""
        text = (request.prefix or "") + choice.text
        if self.keep:
            self.completions.append(self._row(request, reply, choice, text, node, origin))
        return text

    def _row(self, request: Request, reply: Reply, choice: Choice, text: str, node: int | None, origin: str) -> Row:
        messages = assistant(text)
        return {
            "sample_index": choice.index, "messages": messages, "content_id": content_id("completion", messages),
            "finish_reason": {"ok": choice.finish_reason, "truncated": "length"}.get(choice.outcome, choice.outcome),
            "sampling": canonical(
                {"temperature": request.temperature, "top_p": request.top_p, "max_tokens": request.max_tokens,
                 "stop": list(request.stop), "seed": self.seed, "system": self.system}
            ).decode(),
            "seed": request.seed, "prefix": request.prefix, "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": choice.completion_tokens, "logprob": choice.logprob,
            "tokens": [token.text for token in choice.tokens] if self.logprobs and choice.tokens else None,
            "token_logprobs": [token.logprob for token in choice.tokens] if self.logprobs and choice.tokens else None,
            "latency_s": reply.latency_s, "cost": reply.cost / max(len(reply.choices), 1), "node": node,
            "meta": {"origin": origin, "cached_tokens": reply.cached_tokens},
        }  # fmt: skip


def confidence(reply: Reply) -> float | None:
    """Returns the probability of (A) against (B) in an opinion, null where it says neither."""
    if reply.outcome not in ("ok", "truncated"):
        return None
    choice = reply.choices[0]
    for token in choice.tokens:
        mass = {"A": 0.0, "B": 0.0}
        for text, logprob in {(token.text, token.logprob), *token.top}:
            letter = text.strip().strip("()").upper()
            if letter in mass:
                mass[letter] += exp(logprob)
        if total := sum(mass.values()):
            return mass["A"] / total
    letters = [letter for letter in choice.text.upper() if letter in "AB"]
    return None if not letters else 1.0 if letters[0] == "A" else 0.0


def ended_by(choice: Choice, stop: Sequence[str]) -> bool:
    """Says whether a stop string ended the step, rather than the end of the answer."""
    if choice.outcome == "truncated" or not stop:
        return False
    written = "".join(token.text for token in choice.tokens)
    return any(one in written[max(len(choice.text) - 1, 0) :] for one in stop)
