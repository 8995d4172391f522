"""Continuous batching over a fixed number of rows: samples join when a row is free and leave when they end.

Source: Yu et al., "Orca", OSDI 2022 (iteration-level scheduling); Holtzman et al., arXiv:1904.09751 (top_p).

A sample's text and log-probabilities depend only on its request, its seed and its index: the arithmetic is exact
(``tasks.backends.llama``), and its random numbers are a Philox stream of its own, keyed by all three.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tasks.backends.llama import Cache, Floats, Llama, log_softmax, masses

ROWS = 128
PREFILL = 8
"""At most so many prompts are read together."""
GREEDY = 1e-5
"""Temperatures below this take the most probable token."""
KNOWN_EXTRA = {"top_k", "min_p"}


class Text:
    """The tokenizer and chat template of a checkpoint folder."""

    def __init__(self, folder: Path) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._pieces: dict[int, str] = {}
        self.config = orjson.loads((folder / "tokenizer_config.json").read_bytes())
        file = folder / "chat_template.jinja"
        template = file.read_text("utf-8") if file.exists() else self.config.get("chat_template", "")
        self._template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(template)

    def prompt(self, asked: Mapping[str, Any]) -> list[int]:
        """Returns the token ids of a request's prompt, its prefix included."""
        if asked["kind"] == "chat":
            tokens = {name: self.config.get(name) or "" for name in ("bos_token", "eos_token")}
            text = self._template.render(messages=asked["messages"], add_generation_prompt=True, **tokens)
        else:
            text = asked["text"] or ""
        return self.ids(text + (asked["prefix"] or ""), special=asked["kind"] != "chat")

    def ids(self, text: str, special: bool = True) -> list[int]:
        """Returns the token ids of a text; ``special`` lets the tokenizer add what it adds to every text."""
        return list(self.tokenizer.encode(text, add_special_tokens=special).ids)

    def text(self, ids: list[int]) -> str:
        """Returns the text of token ids, special tokens left out."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def token(self, token: int) -> str:
        """Returns the text of one token; part of a character is U+FFFD."""
        if token not in self._pieces:
            self._pieces[token] = str(self.tokenizer.decode([token], skip_special_tokens=False))
        return self._pieces[token]


@dataclass
class Asked:
    """A request on its way: its prompt's keys, values and logits, and the samples that have ended."""

    request: Mapping[str, Any]
    prompt: list[int]
    limit: int
    done: Callable[[dict[str, Any]], None]
    cache: Cache | None = None
    logits: Floats | None = None
    began: float = 0.0
    choices: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Sample:
    """One row of the batch."""

    asked: Asked
    index: int
    draws: Floats
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tops: list[list[tuple[str, float]]] = field(default_factory=list)
    text: str | None = None


class Batch:
    """A model, its text, and the rows at work."""

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self.model, self.text = Llama(folder), Text(folder)
        self.rows = rows
        self.asked: deque[Asked] = deque()
        self.waiting: deque[Sample] = deque()
        self.active: list[Sample] = []
        self.cache = self.model.cache(rows, 64)
        self.logits = np.zeros((rows, self.model.head.shape[1]))

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self.active or self.waiting or self.asked)

    def ask(self, request: Mapping[str, Any], done: Callable[[dict[str, Any]], None]) -> None:
        """Queues a request; ``done`` is called with its reply when all of its samples have ended.

        Raises:
            ValueError: the model cannot answer it.
        """
        if unknown := set(request["extra"]) - KNOWN_EXTRA:
            raise ValueError(f"the embedded policy knows no {', '.join(sorted(unknown))}")
        if request["kind"] not in ("chat", "complete") or request["tools"]:
            raise ValueError(f"the embedded policy answers no {request['kind']} requests nor tools")
        prompt = self.text.prompt(request)
        room = self.model.context - len(prompt)
        if not prompt or room < 1:
            raise ValueError(f"the prompt has {len(prompt)} tokens; from 1 to {self.model.context - 1} are allowed")
        if request["n"] < 1 or request["max_tokens"] < 1:
            raise ValueError("n and max_tokens must be at least 1")
        self.asked.append(Asked(request, prompt, min(room, request["max_tokens"]), done))

    def step(self) -> None:
        """Lets samples join, samples one token of each, lets samples leave, and computes the next logits."""
        self._join()
        if not self.active:
            return
        self._pick()
        for row in reversed(range(len(self.active))):
            if reason := self._ended(self.active[row]):
                self._leave(row, reason)
        if self.active:
            ids = np.array([[sample.ids[-1]] for sample in self.active])
            start = np.array([len(sample.asked.prompt) + len(sample.ids) - 1 for sample in self.active])
            self._grow(int(start.max()) + 1)
            hidden = self.model.forward(ids, start, self.cache)
            self.logits[: len(self.active)] = self.model.logits(hidden[:, -1])

    def score(self, text: str) -> list[tuple[str, float]]:
        """Returns each token of a text but the first, with its log-probability given those before it."""
        ids = self.text.ids(text)
        if not 1 <= len(ids) <= self.model.context:
            raise ValueError(f"the text has {len(ids)} tokens; from 1 to {self.model.context} are allowed")
        hidden = self.model.forward(np.array([ids]), np.zeros(1, int), self.model.cache(1, len(ids)))
        logprobs = log_softmax(self.model.logits(hidden[0]))
        return [(self.text.token(token), _tidy(logprobs[i, token])) for i, token in enumerate(ids[1:])]

    def _join(self) -> None:
        free = self.rows - len(self.active)
        while self.asked and len(self.waiting) < free:
            self._prefill([self.asked.popleft() for _ in range(min(PREFILL, len(self.asked)))])
        while self.waiting and len(self.active) < self.rows:
            sample, row = self.waiting.popleft(), len(self.active)
            asked = sample.asked
            assert asked.cache is not None
            length = len(asked.prompt)
            self._grow(length + 1)
            for mine, theirs in zip(self.cache, asked.cache, strict=True):
                mine[:, row, :, :length] = theirs[:, 0, :, :length]
            self.logits[row] = asked.logits
            self.active.append(sample)

    def _prefill(self, joining: list[Asked]) -> None:
        lengths = np.array([len(asked.prompt) for asked in joining])
        ids = np.zeros((len(joining), lengths.max()), dtype=np.int64)
        for i, asked in enumerate(joining):
            ids[i, : lengths[i]] = asked.prompt
        cache = self.model.cache(*ids.shape)
        hidden = self.model.forward(ids, np.zeros(len(joining), int), cache)
        logits = self.model.logits(hidden[np.arange(len(joining)), lengths - 1])
        for i, asked in enumerate(joining):
            asked.cache = Cache(*(part[:, i : i + 1] for part in cache))
            asked.logits = logits[i]
            asked.began = time.perf_counter()
            first = asked.request["first"]
            for index in range(first, first + asked.request["n"]):
                self.waiting.append(Sample(asked, index, _draws(asked, index)))

    def _grow(self, positions: int) -> None:
        room = self.cache.keys.shape[3]
        if positions > room:
            larger = self.model.cache(self.rows, min(self.model.context, max(positions, room * 3 // 2)))
            for new, old in zip(larger, self.cache, strict=True):
                new[:, :, :, :room] = old
            self.cache = larger

    def _pick(self) -> None:
        """Samples a token for every row, by inverting the cumulative distribution at the row's next draw."""
        logits = self.logits[: len(self.active)]
        heat = np.array([sample.asked.request["temperature"] for sample in self.active])
        greedy = heat < GREEDY
        mass = masses(logits, np.where(greedy, 1.0, heat))
        for row, sample in enumerate(self.active):
            if not greedy[row]:
                _narrow(mass[row], sample.asked.request)
        below = np.cumsum(mass, axis=1)
        draws = np.array([sample.draws[len(sample.ids)] for sample in self.active])
        drawn = (below <= (draws * below[:, -1])[:, None]).sum(axis=1)
        tokens = np.where(greedy, logits.argmax(axis=1), drawn)
        logprobs = log_softmax(logits)
        for row, sample in enumerate(self.active):
            sample.ids.append(int(tokens[row]))
            sample.logprobs.append(_tidy(logprobs[row, tokens[row]]))
            if count := sample.asked.request["top_logprobs"]:
                best = np.argsort(-logprobs[row], kind="stable")[:count]
                sample.tops.append([(self.text.token(int(k)), _tidy(logprobs[row, k])) for k in best])

    def _ended(self, sample: Sample) -> str | None:
        """Returns the finish reason, or null while the sample goes on."""
        request = sample.asked.request
        if sample.ids[-1] in self.model.ends:
            return "stop"
        piece = self.text.token(sample.ids[-1])
        if any(stop[-1:] in piece or "\ufffd" in piece for stop in request["stop"]):  # else none ends here
            text = self.text.text(sample.ids)
            found = [at for stop in request["stop"] if stop and (at := text.find(stop)) >= 0]
            if found:
                sample.text = text[: min(found)]
                return "stop"
        return "length" if len(sample.ids) == sample.asked.limit else None

    def _leave(self, row: int, reason: str) -> None:
        sample, last = self.active[row], len(self.active) - 1
        asked = sample.asked
        asked.choices.append(
            {
                "index": sample.index, "text": self.text.text(sample.ids) if sample.text is None else sample.text,
                "finish_reason": reason, "logprob": round(sum(sample.logprobs), 6),
                "completion_tokens": len(sample.ids), "tokens": list(self._tokens(sample)),
            }
        )  # fmt: skip
        if row < last:
            for part in self.cache:
                part[:, row] = part[:, last]
            self.logits[row] = self.logits[last]
            self.active[row] = self.active[last]
        self.active.pop()
        if len(asked.choices) == asked.request["n"]:
            asked.choices.sort(key=lambda choice: int(choice["index"]))
            seconds = time.perf_counter() - asked.began
            asked.done({"choices": asked.choices, "prompt_tokens": len(asked.prompt), "seconds": seconds})

    def _tokens(self, sample: Sample) -> Iterator[tuple[str, float, list[tuple[str, float]]]]:
        if sample.asked.request["logprobs"] or sample.tops:
            for i, token in enumerate(sample.ids):
                yield self.text.token(token), sample.logprobs[i], sample.tops[i] if sample.tops else []


def _draws(asked: Asked, index: int) -> Floats:
    """Returns the sample's random numbers, one a token; those of a shorter limit are the first of a longer one."""
    key = blake2b(orjson.dumps([asked.request["seed"], index, asked.prompt]), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "big"))).random(asked.limit)


def _narrow(mass: Floats, request: Mapping[str, Any]) -> None:
    """Sets the mass of tokens outside of ``top_k``, ``min_p`` and ``top_p`` to zero, in place and in this order."""
    top_k, min_p, top_p = request["extra"].get("top_k") or 0, request["extra"].get("min_p") or 0.0, request["top_p"]
    if top_k <= 0 and min_p <= 0 and top_p >= 1:
        return
    order = np.argsort(-mass, kind="stable")
    if top_k > 0:
        mass[order[top_k:]] = 0.0
    mass[mass < min_p] = 0.0
    above = np.cumsum(mass[order])[:-1]
    mass[order[1:][above >= top_p * mass.sum()]] = 0.0


def _tidy(logprob: np.float64) -> float:
    """Returns a log-probability rounded to 6 decimals, at most 0."""
    return min(round(float(logprob), 6), 0.0)
