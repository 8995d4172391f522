"""How an LLM judge asks: the settings its requests share, and its prompt filled with fenced texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.exchange import Request
from schemas.ids import key_of, seed_for
from tasks.judges._rows import Row, conversation
from tasks.judges._text import code, fill, harmless, template

ALTERNATIVES = 20
"""So many alternatives a token are asked for where probabilities are read: the most that endpoints give."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The settings of a judge's requests about one prompt.

    Args:
        version: of the prompt template. alternatives: a token, with their log-probabilities; 0 asks for none.
    """

    model: str
    version: str
    seed: int
    temperature: float
    max_tokens: int
    schema: Mapping[str, Any] | None = None
    alternatives: int = 0

    def __call__(self, content: str) -> Request:
        """Returns the request with this text as its one message."""
        return Request(
            model=self.model,
            messages=[{"role": "user", "content": content}],
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
            logprobs=self.alternatives > 0,
            top_logprobs=self.alternatives,
            schema=self.schema,
            template=self.version,
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """A judge's prompt for one task: the template and what stays the same in it."""

    text: str
    version: str
    task: str
    places: Mapping[str, str]

    def __call__(self, texts: Mapping[str, str], word: str | None = None) -> str:
        """Returns the prompt with these harmless texts in it, fenced by a word that none of them holds.

        Args:
            word: the fence's word, where the caller has made it already.
        """
        word = word or self.word(*texts.values())
        return fill(self.text, {**self.places, **texts, "task": self.task, "code": word})

    def word(self, *texts: str) -> str:
        """Returns the fence's word for these texts beside the task."""
        return code(self.task, *texts)


def sheet(file: str, prompt: Row, places: Mapping[str, str] | None = None, part: str = "") -> Sheet:
    """Returns the prompt template beside a judge's file, ready for one task.

    Args:
        places: what else stands in it, put there as it is: the rubric, a scale.
        part: of a judge with several templates: ``simulate`` is ``hindsight_simulate.txt``.
    """
    text, version = template(file, part)
    return Sheet(text, version, harmless(conversation(prompt["messages"])), places or {})


def seed_of(seed: int, prompt: Row) -> int:
    """Returns the seed of a prompt's requests."""
    return seed_for(seed, key_of(prompt))


def listed(items: Sequence[str]) -> str:
    """Returns the items as lines of a list."""
    return "\n".join(f"- {item}" for item in items)
