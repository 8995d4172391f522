"""How often the rule judges agree with published labels, and every row where they do not.

    python benchmarks/labels.py gsm8k SOLUTIONS.parquet
    python benchmarks/labels.py humaneval COMPLETIONS.parquet PROBLEMS.jsonl.gz
    python benchmarks/labels.py mbpp COMPLETIONS.parquet
    python benchmarks/labels.py ifeval RESPONSES.parquet PROMPTS.jsonl.gz
    python benchmarks/labels.py calls FUNCTION_CALLS.jsonl.gz
    python benchmarks/labels.py sql QUESTIONS.jsonl.gz DATABASES.jsonl.gz

The causes of what differs stand in ``docs/judging.md``.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from schemas.exchange import Exchange
from schemas.messages import assistant, to_rows
from tasks.backends.sandbox import Sandbox
from tasks.judges.code_tests import code_tests
from tasks.judges.function_call import function_call
from tasks.judges.instructions import instructions
from tasks.judges.math import math
from tasks.judges.sql_execution import sql_execution


class Case(NamedTuple):
    """One published label: which row, the prompt as the judge wants it, the answer, and whether it is right."""

    name: str
    prompt: dict[str, Any]
    answer: str
    right: bool | None


def lines(path: str) -> list[dict[str, Any]]:
    """Returns the objects of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def gsm8k(solutions: str) -> Iterator[Case]:
    """Yields solutions with exact-number labels."""
    for row in pl.read_parquet(solutions).iter_rows(named=True):
        name = f"{row['problem_id']} {row['system']}"
        yield Case(name, {"reference": str(row["gold_answer"])}, row["solution"], bool(row["is_correct"]))


def humaneval(completions: str, problems: str) -> Iterator[Case]:
    """Yields completions with what the published tests said of them."""
    known = {row["task_id"]: row for row in lines(problems)}
    for row in pl.read_parquet(completions).iter_rows(named=True):
        task = known[row["task_id"]]
        tests = {"test": task["test"], "entry_point": task["entry_point"], "stub": task["prompt"]}
        name = f"{row['task_id']} {row['model']} {row['sample']}"
        yield Case(name, _asks(task["prompt"], tests=json.dumps(tests)), row["completion"], row["passed"])


def mbpp(completions: str) -> Iterator[Case]:
    """Yields solutions with what their makers reported."""
    for row in pl.read_parquet(completions).iter_rows(named=True):
        tests = {"test": row["test"], "entry_point": row["entry_point"], "stub": row["prompt"]}
        name = f"{row['task_id']} {row['model']}"
        yield Case(name, _asks(row["prompt"], tests=json.dumps(tests)), row["solution"], row["reported_solved"])


def ifeval(responses: str, prompts: str) -> Iterator[Case]:
    """Yields responses with their strict labels."""
    known = {row["prompt"]: row for row in lines(prompts)}
    for row in pl.read_parquet(responses).iter_rows(named=True):
        asked = known[row["prompt"]]
        tests = {"instruction_id_list": asked["instruction_id_list"], "kwargs": json.loads(asked["kwargs_json"])}
        prompt = _asks(row["prompt"], tests=json.dumps(tests))
        yield Case(f"{asked['key']} {row['model']}", prompt, row["response"] or " ", bool(row["strict_all"]))


def calls(functions: str) -> Iterator[Case]:
    """Yields the first accepted calls of every item that has them."""
    for row in lines(functions):
        if not row["ground_truth_json"]:
            continue
        accepted = json.loads(row["ground_truth_json"])
        said = [
            {"name": name, "arguments": {key: _first(values) for key, values in given.items() if values[0] != ""}}
            for call in accepted
            for name, given in call.items()
        ]
        prompt = {"tests": row["functions_json"], "reference": row["ground_truth_json"], "meta": "{}"}
        yield Case(row["id"], prompt, json.dumps(said), right=True)


def _first(values: Any) -> Any:
    """Returns a value that is accepted; the values inside an accepted object may be lists of accepted ones, too."""
    value = values[0] if isinstance(values, list) else values
    if isinstance(value, list):
        return [_inside(each) for each in value]
    return _inside(value)


def _inside(value: Any) -> Any:
    return {key: _first(each) for key, each in value.items()} if isinstance(value, dict) else value


def sql(questions: str, databases: str) -> Iterator[Case]:
    """Yields the gold queries themselves."""
    dumps = {row["db_name"]: row["postgres_dump"] for row in lines(databases)}
    for number, row in enumerate(lines(questions)):
        tests = json.dumps({"postgres_dump": dumps[row["db_name"]]})
        prompt = _asks(row["question"], tests=tests, reference=row["gold_sql"])
        yield Case(f"{number} {row['db_name']}", prompt, row["gold_sql"].split(";")[0], right=True)


def _asks(text: str, **more: str) -> dict[str, Any]:
    return {"prompt_id": "p", "messages": to_rows(text), **more}


published_math = partial(math, no_answer="wrong")
"""The published labels count a solution without an answer as wrong."""

SETS = {"gsm8k": (gsm8k, published_math), "humaneval": (humaneval, code_tests), "mbpp": (mbpp, code_tests),
        "ifeval": (ifeval, instructions), "calls": (calls, function_call), "sql": (sql, sql_execution)}  # fmt: skip


async def judged(cases: Iterable[Case], function: Any) -> list[tuple[Case, dict[str, Any]]]:
    """Returns each case with the judgment of its answer."""
    sandbox = Sandbox()

    async def one(case: Case) -> tuple[Case, dict[str, Any]]:
        completion = {"completion_id": "c", "messages": assistant(case.answer), "finish_reason": "stop"}
        found = function(case.prompt, [completion])
        if not isinstance(found, list):
            found = await _answered(found, sandbox)
        return case, found[0]

    try:
        return await asyncio.gather(*map(one, cases))
    finally:
        await sandbox.close()


async def _answered(exchange: Exchange, sandbox: Sandbox) -> list[dict[str, Any]]:
    replies: Any = None
    while True:
        try:
            requests = exchange.send(replies)
        except StopIteration as end:
            rows: list[dict[str, Any]] = end.value
            return rows
        replies = [await sandbox.answer(request) for request in requests]


def main(name: str, *files: str) -> None:
    """Prints the agreement, and the rows that differ."""
    read, function = SETS[name]
    labelled = [case for case in read(*files) if case.right is not None]  # type: ignore[operator]
    counts: Counter[str] = Counter()
    for case, row in asyncio.run(judged(labelled, function)):
        said = bool(row["score"]) if row["outcome"] == "valid" else None
        counts["same" if said == case.right else "other" if said is not None else row["outcome"]] += 1
        if said != case.right:
            print(f"{case.name}: published {case.right}, judged {said}: {str(row.get('rationale'))[-160:]!r}")
    print(f"{name}: {dict(counts)} of {len(labelled)}, {counts['same'] / len(labelled):.2%}")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in SETS:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
