"""Says whether a query returns what the reference query returns, by running both on a throw-away database.

Source: execution accuracy (Spider, arXiv:1809.08887); partial rewards of Reasoning-SQL (arXiv:2503.23157, section 3.2).

Use it for questions over a database that is at hand. It is bad at telling equal results from equal queries: on a small
database a wrong query may return the right rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply, Request
from schemas.messages import text_of
from tasks.judges import _sql_box, _sql_parts
from tasks.judges._rows import Row, cut, judgeable, rule
from tasks.judges._sql_dump import sqlite_setup

_FENCE = re.compile(r"```[ \t]*(\w*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_START = re.compile(r"^\s*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE | re.MULTILINE)
_OTHER = "it returns other rows"
_WEIGHTS = {"execution": 3.0, "syntax": 1.0, "schema_linking": 1.0, "ngram": 1.0}


@judge(needs=("reference", "tests"), asks=True)
def sql_execution(
    prompt: Row,
    completions: Sequence[Row],
    *,
    reward: Literal["execution", "partial"] = "execution",
    columns: Literal["any_order", "same_order"] = "any_order",
    changed: int = 2,
    seed: int = 0,
    now: str = "2024-07-10 12:00:00",
    cpu_s: float = 10.0,
    wall_s: float = 30.0,
    criterion: str = "correct",
) -> Exchange:
    """Returns one judgment a completion: score 1 where its query returns the rows of an accepted query, else 0.

    Names of columns never count; the order of rows counts where the accepted query has a complete ORDER BY. Rows that
    are right only as long as the tables' rows stand in their order are wrong. A query that fails, changes anything or
    runs too long scores 0. So does one that is right on the database as it is, and not on copies of it with changed
    rows (flag ``by_accident``). Where the references do not run on those, or differ there though they agree on the
    first, only the first database counts (flag ``one_database``). References that do not run, and a sandbox that
    failed, are the outcome ``error``.

    Args:
        prompt: ``reference`` holds the accepted queries (SQLite), separated by semicolons; ``tests`` is JSON with
            ``setup`` (SQLite statements) or ``postgres_dump``, or SQLite statements as plain text.
        reward: ``partial`` scores the weighted mean (3, 1, 1, 1) of execution, syntax, schema linking and n-grams.
        changed: databases with changed rows, made of ``seed``; 0 judges on the given one alone.
        now: what ``date('now')`` and the dump's ``NOW()`` mean.

    Returns:
        Rows of judgments; ``meta`` has ``execution``, ``syntax``, ``schema_linking``, ``ngram``, ``query``, ``means``.
    """
    golds = _sql_parts.split(str(prompt["reference"]))
    if not golds:
        raise ValueError("the reference holds no query")
    setup = _setup(prompt["tests"], now)
    job = {"setup": setup, "now": now, "columns_fixed": columns == "same_order", "changed": changed, "seed": seed}
    job["golds"] = [{"sql": gold, "ordered": _sql_parts.ordered(gold)} for gold in golds]
    held = judgeable(completions)
    queries = [extract(text_of(row["messages"])) for row in held]
    limits = {"cpu_s": cpu_s, "wall_s": wall_s, "processes": 1}
    requests = [_request(job | {"query": query}, limits) for query in queries]
    replies = (yield requests) if requests else []
    return [
        _read(row, reply, query, golds, reward, criterion, changed)
        for row, reply, query in zip(held, replies, queries, strict=True)
    ]


def _setup(tests: str, now: str) -> str:
    try:
        found = json.loads(tests)
    except ValueError:
        return tests
    if not isinstance(found, Mapping) or not (found.get("setup") or found.get("postgres_dump")):
        raise ValueError("tests hold neither a setup nor a postgres_dump")
    return str(found["setup"]) if found.get("setup") else sqlite_setup(str(found["postgres_dump"]), now)


def extract(text: str) -> str:
    r"""Returns the query of an answer: its last SQL block, else from the first line that starts a query.

    >>> extract("Here it is: \n```sql\nSELECT 1;\n```\nIt counts.")
    'SELECT 1'
    """
    blocks = [(name.lower(), body) for name, body in _FENCE.findall(text)]
    named = [body for name, body in blocks if name in ("sql", "sqlite")] or [body for _, body in blocks]
    if named:
        query = named[-1]
    else:
        start = _START.search(text)
        query = text[start.start() :] if start else text
    return str(query).strip().rstrip(";").strip()


def _request(job: dict[str, Any], limits: dict[str, Any]) -> Request:
    text = Path(_sql_box.__file__).read_text(encoding="utf-8")
    beside = Path(_sql_box.__file__).with_name("_sql_changed.py").read_text(encoding="utf-8")
    files = {"job.json": orjson.dumps(job).decode(), "_sql_changed.py": beside}
    return Request(
        model="sandbox", kind="run", text=text, extra={"language": "python", "limits": limits, "files": files}
    )


def _read(row: Row, reply: Reply, query: str, golds: list[str], reward: str, criterion: str, changed: int) -> Row:
    if not reply.choices:
        return rule(row, criterion, "error", why=reply.error)
    value: dict[str, Any] = reply.choices[0].value
    lines = value["stdout"].splitlines()
    last = _verdict(lines[-1]) if lines else None
    if '"ready"' not in lines:
        why = (last or {}).get("broken") or value["stderr"][-500:]
        return rule(row, criterion, "error", why=f"the references do not run: {why}")
    why = last["error"] if last else "out of time or memory" if value["timed_out"] or value["oom"] else "it crashed"
    right = last is not None and last["matched"] is not None
    parts: dict[str, Any] = {
        "execution": float(right),
        "syntax": float(last is not None and why is None),
        "schema_linking": max(_sql_parts.schema_linking(query, gold) for gold in golds),
        "ngram": max(_sql_parts.ngrams(query, gold) for gold in golds),
    }
    accident = last is not None and last["accident"]
    if not right and (why is None or accident):
        why = f"it is right by accident: other rows on changed ones ({why})" if accident and why else why
        why = why or ("it is right by accident: it returns other rows on changed ones" if accident else _OTHER)
    flags = ["by_accident"] * accident + ["one_database"] * (last is not None and last["changed"] < 1 <= changed)
    made = rule(row, criterion, "truncated" if cut(row) and not right else right, why=why, flags=flags)
    if reward == "partial" and made["outcome"] == "valid":
        made["score"] = sum(parts[name] * weight for name, weight in _WEIGHTS.items()) / sum(_WEIGHTS.values())
    parts |= {"query": query, "rows": last["rows"] if last else None, "means": value["means"]}
    parts["changed"] = last["changed"] if last else None
    return made | {"latency_s": reply.latency_s, "meta": orjson.dumps(parts).decode()}


def _verdict(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
