"""Answers of one endpoint, read and priced, and what its answers teach about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from schemas.exchange import Choice, Reply, Request
from tasks.backends import openai_faults as faults
from tasks.backends import openai_replies as replies
from tasks.backends import openai_wire as wire
from tasks.backends.http import Response
from tasks.backends.openai_habits import Habits
from tasks.backends.openai_spec import Endpoint

log = logging.getLogger(__name__)
NO_LOGPROBS = "no log-probabilities"
SILENT = 3
"""So many answers in a row without the alternatives that were asked for, and nobody asks for them again."""


class Reader:
    """Reads what comes back.

    Args:
        secrets: what no message may hold.

    Attributes:
        habits: how the endpoint is to be asked. learnt: about -> what was found out, said once each.
    """

    def __init__(self, options: Endpoint, secrets: Sequence[str]) -> None:
        self.options, self._secrets = options, secrets
        self.learnt: dict[str, str] = {}
        self.habits = Habits(dropped=set(options.drop), added=options.add, tell=self.learn)
        self._silent = 0

    def read(self, response: Response, request: Request, latency_s: float) -> Reply:
        """Returns the reply in an answer with status 200.

        Raises:
            WireError: there is none in it.
            zlib.error: it is packed and damaged.
        """
        data = wire.parse(response.content)
        if "choices" not in data and (message := faults.message_of(data)):
            raise wire.WireError(f"an error with status 200: {message}")
        used = replies.usage(data)
        choices = replies.choices(data, request, used)
        if not used.known:
            self.learn("usage", "it does not say what a call used: tokens and cost are counted as 0")
        if request.logprobs:
            choices = self._without_logprobs(request, choices)
        for choice in choices:
            if choice.outcome == "unclear" and choice.finish_reason != NO_LOGPROBS:
                ended = f"it ends answers with {choice.finish_reason!r}, which nobody here knows: they are not judged"
                self.learn(f"reason {choice.finish_reason}", ended)
        options = self.options
        cached_price = options.price_in if options.price_cached is None else options.price_cached
        paid = (used.prompt - used.cached) * options.price_in + used.cached * cached_price
        name = str(data.get("system_fingerprint") or data.get("model") or "")
        return Reply(
            tuple(choices), None, used.prompt, used.cached, (paid + used.completion * options.price_out) / 1e6,
            latency_s, 0, wire.printable(name[:200]),
        )  # fmt: skip

    def _without_logprobs(self, request: Request, choices: list[Choice]) -> list[Choice]:
        """Returns the choices; where a judge is to read probabilities that did not come, they are ``unclear``."""
        bare = [choice.outcome == "ok" and bool(choice.text) and not choice.tokens for choice in choices]
        if not any(bare):
            self._silent = 0 if any(choice.tokens for choice in choices) else self._silent
            return choices
        self.learn("logprobs", "log-probabilities were asked for and do not come")
        if not (request.template and request.top_logprobs):
            return choices
        self._silent += 1
        if self._silent >= SILENT:
            self.habits.dropped.add("logprobs")
        return [
            replace(choice, outcome="unclear", finish_reason=NO_LOGPROBS) if missing else choice
            for choice, missing in zip(choices, bare, strict=True)
        ]

    def lacking(self) -> Reply:
        """Returns the failure of a call that needs what cannot be had here."""
        return Reply(
            error=f"{self.options.spec} gives no log-probabilities, which this judge reads: set its logprobs to "
            "false, or name a model that gives them"
        )

    def redacted(self, text: str) -> str:
        """Returns a message without keys."""
        return faults.redacted(text, *self._secrets)

    def learn(self, about: str, words: str) -> None:
        """Says once what was learned, and keeps it."""
        if about not in self.learnt:
            self.learnt[about] = self.redacted(words)
            log.warning("%s: %s", self.options.spec, self.learnt[about])
