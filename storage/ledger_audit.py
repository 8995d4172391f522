"""What a ledger holds: counts, a check of every answer against its key, and a copy for other tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import StoreError, UsageError
from storage.files import atomic_file
from storage.ledger_rows import Call, decode, key_of, wrong_types

ANSWERS = pa.schema([
    ("key", pa.string()), ("index", pa.int32()), ("at", pa.timestamp("us", "UTC")), ("model", pa.string()),
    ("outcome", pa.string()), ("finish_reason", pa.string()), ("text", pa.string()), ("logprob", pa.float64()),
    ("completion_tokens", pa.int64()), ("prompt_tokens", pa.int64()), ("cached_tokens", pa.int64()),
    ("cost", pa.float64()), ("latency_s", pa.float64()), ("fingerprint", pa.string()), ("question", pa.string()),
    ("choice", pa.string()),
])  # fmt: skip
_SUMS = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "cost", "latency_s")


class Readable(Protocol):
    """Where calls can be read from."""

    def scan(self) -> Iterator[Call]:
        """Yields every call, oldest first."""

    def rows(self) -> Iterator[tuple[int, Call]]:
        """Yields the number of every row and its call, oldest first."""

    def query(self, sql: str) -> list[Any]:
        """Returns the rows of a query over ``calls`` and ``failures``."""

    def check(self) -> list[str]:
        """Returns what the database finds wrong with itself."""


def stats(calls: Readable) -> dict[str, Any]:
    """Returns ``models`` (model -> calls, answers, outcomes, tokens, cost, mean latency), ``failures`` and totals."""
    models: dict[str, dict[str, Any]] = {}
    for model, *sums in calls.query(
        "select model, count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), sum(cost), "
        "avg(latency_s) from calls group by model order by model"
    ):
        models[model] = {**dict(zip(_SUMS, sums, strict=True)), "answers": 0, "outcomes": Counter()}
    for model, outcomes, count in calls.query(
        "select model, outcomes, count(*) from calls group by model, outcomes order by model, outcomes"
    ):
        for outcome in outcomes.split():
            models[model]["answers"] += count
            models[model]["outcomes"][outcome] += count
    failures: dict[str, dict[str, int]] = {}
    for model, error, count in calls.query("select model, error, count from failures order by model, error"):
        failures.setdefault(model, {})[error] = count
    totals = {name: sum(model[name] for model in models.values()) for name in ("calls", "answers", "cost")}
    dropped = [
        {"at": at, "model": model, "answers": count, "cost": cost, "because": because}
        for at, model, count, cost, because in calls.query(
            "select at, model, answers, cost, because from drops order by at"
        )
    ]
    return {**totals, "models": models, "failures": failures, "dropped": dropped}


def verify(calls: Readable) -> list[str]:
    """Returns one line for each fault: a key that is not its question's, choices that do not decode, a sample twice.

    An answer of a wrong type (a number for its text, an outcome there is not) is a fault, too.
    """
    seen: set[tuple[bytes, int]] = set()
    problems: list[str] = []
    try:
        problems += calls.check()
        if problems:
            return problems
        for number, call in calls.rows():
            name = f"row {number} ({call.key.hex()}, {call.model})"
            if key_of(call.question) != call.key:
                problems.append(f"{name}: the key is not that of its question")
            try:
                choices = decode(call.choices)
            except ValueError as error:
                problems.append(f"{name}: {error}")
                continue
            if " ".join(str(choice.outcome) for choice in choices) != call.outcomes:
                problems.append(f"{name}: the outcomes are not those of its answers")
            for choice in choices:
                if wrong := wrong_types(choice):
                    problems.append(f"{name}: sample {choice.index!r}: {wrong}")
                    continue
                if not call.first <= choice.index < call.first + call.n:
                    problems.append(f"{name}: sample {choice.index} was not asked for")
                if (call.key, choice.index) in seen:
                    problems.append(f"{name}: sample {choice.index} is there twice")
                seen.add((call.key, choice.index))
    except StoreError as error:
        problems.append(str(error))
    return problems


def answers(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    """Yields a row of ``ANSWERS`` for every answer; cost is the answer's share, tokens of the prompt are the call's."""
    for call in calls:
        plain = orjson.loads(call.choices)
        for choice, whole in zip(decode(call.choices), plain, strict=True):
            yield {
                "key": call.key.hex(), "index": choice.index, "at": call.at, "model": call.model,
                "outcome": choice.outcome, "finish_reason": choice.finish_reason, "text": choice.text,
                "logprob": choice.logprob, "completion_tokens": choice.completion_tokens,
                "prompt_tokens": call.prompt_tokens, "cached_tokens": call.cached_tokens,
                "cost": call.cost / len(plain), "latency_s": call.latency_s, "fingerprint": call.fingerprint,
                "question": call.question.decode(), "choice": orjson.dumps(whole).decode(),
            }  # fmt: skip


def export(calls: Readable, path: Path, batch: int = 5000) -> int:
    """Writes every answer to a file, a batch at a time, and returns how many; the file appears whole or not at all.

    Raises:
        UsageError: the file is neither ``.parquet`` nor ``.jsonl``.
        StoreError: it cannot be written.
    """
    if path.suffix not in (".parquet", ".jsonl"):
        raise UsageError(f"{path}: a ledger is exported to a .parquet or a .jsonl file")
    rows, count = answers(calls.scan()), 0
    with atomic_file(path) as draft:
        try:
            with draft.open("wb") as file:
                if path.suffix == ".parquet":
                    with pq.ParquetWriter(file, ANSWERS, compression="zstd") as writer:
                        while some := list(islice(rows, batch)):
                            writer.write_table(pa.Table.from_pylist(some, ANSWERS))
                            count += len(some)
                else:
                    for row in rows:
                        file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                        count += 1
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror or error}") from error
    return count
