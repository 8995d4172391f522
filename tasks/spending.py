"""What a run may spend, and what it has spent: calls, tokens, US dollars, seconds."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from schemas.exchange import Reply, Request


@dataclass(slots=True)
class Budget:
    """What a run may spend; null means no limit. Requests already in flight land even when it is used up."""

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None

    def exceeded(self, tally: Tally) -> str | None:
        """Returns what is used up, in words, or null."""
        if self.calls is not None and tally.asked >= self.calls:
            return f"the budget of {self.calls:g} calls is used up"
        if self.tokens is not None and tally.tokens >= self.tokens:
            return f"the budget of {self.tokens:g} tokens is used up"
        if self.cost is not None and tally.cost >= self.cost:
            return f"the budget of ${self.cost:g} is used up"
        if self.seconds is not None and time.monotonic() - tally.started >= self.seconds:
            return f"the budget of {self.seconds:g} seconds is used up"
        return None


@dataclass(slots=True)
class Tally:
    """What the driver has done so far: what progress shows and the run records.

    Attributes:
        asked: calls sent to a backend. answered: of them, answered and kept. failed: of them, failed for good.
        from_ledger: samples that needed no call. cost: US dollars. waiting: requests with no slot yet.
        raised: block -> prompts on which it raised. first_raised: block -> the first prompt and what was raised on it.
        unjudged: judge of a search -> texts on which it raised, and all texts it was given.
    """

    asked: int = 0
    answered: int = 0
    failed: int = 0
    from_ledger: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    in_flight: int = 0
    waiting: int = 0
    started: float = field(default_factory=time.monotonic)
    by_model: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    first_raised: dict[str, str] = field(default_factory=dict)
    unjudged: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of this run's calls."""
        return self.prompt_tokens + self.completion_tokens

    def count(self, request: Request, reply: Reply) -> None:
        """Adds one finished call."""
        if reply.error is not None:
            self.failed += 1
            self.errors[reply.error[:200]] += 1
            return
        self.answered += 1
        self.prompt_tokens += reply.prompt_tokens
        self.cached_tokens += reply.cached_tokens
        self.completion_tokens += sum(choice.completion_tokens for choice in reply.choices)
        self.cost += reply.cost
        self.by_model[request.model] += 1
