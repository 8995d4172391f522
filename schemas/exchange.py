"""Requests, replies and exchanges: how a block asks without calling.

An exchange is a generator. It yields a list of requests, is sent the list of replies in the same order, and goes on
until it returns its rows. It knows nothing of networks, ledgers, retries or budgets: the driver does.

    def pairwise(prompt, completions, *, model):
        first, second = yield [ask(a, b), ask(b, a)]     # both orders, together
        return [read(first), read(second)]

A rule that needs no answer is a plain function that returns its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from schemas.ids import canonical

Kind = Literal["chat", "complete", "score", "run"]
"""``chat`` (messages in, text out), ``complete`` (raw text), ``score`` (a reward model), ``run`` (a sandbox)."""

Outcome = Literal["ok", "truncated", "refused", "filtered", "empty", "error", "unclear"]
"""What became of one answer. All but ``error`` were paid for and are kept; ``error`` may be asked again.

``unclear``: it ended for a reason that nobody here knows, so it must not be read as a whole answer.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a backend; ``n`` answers of it are wanted.

    Everything here can change the answer, so everything here is in the ledger's key.

    Args:
        model: the SPEC of the backend that answers (``embedded``, ``openai:URL:NAME``, …).
        messages: OpenAI messages (``chat``), else empty.
        text: raw prompt (``complete``), program (``run``) or null.
        prefix: start of the assistant's turn, to be continued; replies hold only what follows it.
        n, first: samples ``first`` … ``first + n - 1`` of this question; each is kept under a key of its own, so that
            asking for sixteen after eight buys eight.
        seed: of the question; a backend seeds sample i by (seed, i).
        max_tokens: completion tokens. stop: strings that end it, not part of the answer.
        logprobs: wants the log-probability of each sampled token. top_logprobs: and of that many alternatives.
        schema: JSON Schema the answer should follow, where the endpoint can enforce it.
        template: version of the judge's prompt template.
        extra: whatever else the endpoint is to be told (top_k, min_p, chat_template_kwargs, …), sent as it is.
        revision: what the backend runs under that SPEC, where it knows (the hash of its weights); the driver's to set.
    """

    model: str
    messages: Sequence[Mapping[str, Any]] = ()
    kind: Kind = "chat"
    text: str | None = None
    prefix: str | None = None
    n: int = 1
    first: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 1024
    stop: Sequence[str] = ()
    seed: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    template: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    revision: str = ""

    def question(self) -> bytes:
        """Returns the canonical JSON of all that can change an answer, without which samples of it are wanted."""
        return canonical(
            (
                "v1", self.kind, self.model, self.messages, self.text, self.prefix, self.temperature, self.top_p,
                self.max_tokens, self.stop, self.seed, self.logprobs, self.top_logprobs, self.schema, self.tools,
                self.template, self.extra, self.revision,
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One sampled token: its text, its log-probability (natural log, <= 0), and the alternatives' where asked."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Args:
        index: which sample of the question it is.
        outcome: ``ok``, or why it must not be read as an answer.
        logprob: sum over the sampled tokens, end token included, or null where not known.
        tokens: per-token log-probabilities where they were asked for and given.
        value: the number a ``score`` request asked for, or the JSON result of a ``run``; of an answer with thoughts
            ``reasoning`` (their text) and ``reasoning_tokens``, whichever is known.
    """

    index: int
    text: str
    outcome: Outcome = "ok"
    finish_reason: str = "stop"
    logprob: float | None = None
    tokens: tuple[Token, ...] = ()
    completion_tokens: int = 0
    tool_calls: str | None = None
    value: Any = None

    @property
    def reasoning(self) -> str | None:
        """The thoughts before the answer, which are no part of its text; null where there are none."""
        found = self.value.get("reasoning") if isinstance(self.value, dict) else None
        return found if found is None or isinstance(found, str) else canonical(found).decode()

    @property
    def answer_tokens(self) -> int:
        """The tokens of the answer without its thoughts; these are estimated by length where nobody counted them."""
        counted = self.value.get("reasoning_tokens") if isinstance(self.value, dict) else None
        thoughts = self.reasoning
        if counted is None and thoughts:
            counted = round(self.completion_tokens * len(thoughts) / (len(thoughts) + len(self.text)))
        return max(0, self.completion_tokens - counted) if isinstance(counted, int) else self.completion_tokens


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request.

    Args:
        choices: one a sample, ordered by index; empty when the call failed.
        error: why the call failed (null when it did not); a failed call has no choices and is not in the ledger.
        prompt_tokens, cached_tokens: of the call. cost: in US dollars. latency_s: of the call, queueing excluded.
        from_ledger: how many of the choices were there already.
        fingerprint: what the endpoint says it runs (model revision, system fingerprint).
        of_request: the error is this request's own (too long, flagged), and says nothing about the endpoint.
    """

    choices: tuple[Choice, ...] = ()
    error: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0
    latency_s: float = 0.0
    from_ledger: int = 0
    fingerprint: str = ""
    of_request: bool = False

    @property
    def outcome(self) -> Outcome:
        """The outcome of a one-sample reply; ``error`` when the call failed."""
        return self.choices[0].outcome if self.choices else "error"

    @property
    def text(self) -> str:
        """The text of a one-sample reply; empty when the call failed."""
        return self.choices[0].text if self.choices else ""


Exchange = Generator[list[Request], list[Reply], list[dict[str, Any]]]
"""What a sampler, judge or search returns: it yields requests, is sent replies, and returns rows of its table."""


class Grown(NamedTuple):
    """What a search returns for one prompt: its tree, parents before children, and the whole answers met on the way.

    Attributes:
        nodes: rows of the nodes table but for the ids: ``node`` and ``parent`` are numbers within this list (the
            root's parent is null); the verb makes ``node_id``, ``parent_id``, ``tree_id`` and ``prompt_id`` of them.
        completions: rows of the completions table, as a sampler returns them: the whole answer in ``messages``, the
            part it continued in ``prefix``, and ``node`` (the number of the node it continued from, or null).
    """

    nodes: list[dict[str, Any]]
    completions: list[dict[str, Any]]


Search = Generator[list[Request], list[Reply], Grown]
"""What a search returns: an exchange that grows a tree."""

Verdicts = Callable[[str, Sequence[str], Sequence[bool]], Generator[list[Request], list[Reply], list[float | None]]]
"""How a search has texts judged: ``scores = yield from verdicts("verifier", texts, cut)``.

The role (``verifier`` or ``critic``) names the judge the recipe gave it; ``cut`` says which texts their length limit
ended. One score a text, null where the judge gave no valid one: that is no evidence, never a zero.
"""
