"""The published shapes of sets whose answers a rule can check, as prompt, reference and tests of their rows.

Source: HumanEval (arXiv:2107.03374), MBPP (arXiv:2108.07732), IFEval (arXiv:2311.07911) and M-IFEval
(arXiv:2502.04688), Berkeley Function Calling Leaderboard (Gorilla, arXiv:2305.15334), Spider (arXiv:1809.08887), BIRD
(arXiv:2305.03111), Defog's sql-eval; verl (arXiv:2409.19256) and OpenRLHF (arXiv:2405.11143) prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from tasks.importers.values import dumps, text, unpadded

Row = Mapping[str, Any]
Read = tuple[Any, tuple[str, ...]]
"""A value, and the columns it was read from."""


class Item(NamedTuple):
    """What a set's row says under our names, the columns it was read from, and the one of them that asks."""

    fields: dict[str, Any]
    used: frozenset[str]
    asked: str | None


def item(row: Row) -> Item | None:
    """Returns what a row of a known set says; null of any other row.

    Raises:
        ValueError: it is one of these sets, but a field holds something else than there.
    """
    present = {name for name, value in row.items() if value is not None}
    for needs, read in _SETS:
        if needs <= present:
            return Item(*_used(row, read(row)))
    return None


def _used(row: Row, fields: dict[str, Read]) -> tuple[dict[str, Any], frozenset[str], str | None]:
    said = {name: value for name, (value, _) in fields.items() if value is not None}
    names = (name for field, (_, columns) in fields.items() if field in said for name in columns)
    asked = fields["prompt"][1][0] if "prompt" in said else None
    return said, frozenset(name for name in names if name in row), asked


def _first(row: Row, *names: str) -> Read:
    found = next((name for name in names if row.get(name) is not None), None)
    return (row[found], (found,)) if found else (None, ())


def _listed(value: Any, what: str) -> Any:
    """Returns a list or object that may have come as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{what} is not JSON: {error.msg}") from error


def _humaneval(row: Row) -> dict[str, Read]:
    tests = {"test": row["test"], "entry_point": row["entry_point"], "stub": row["prompt"]}
    return {"tests": (dumps(tests), ("test", "entry_point")), "reference": _first(row, "canonical_solution")}


def _mbpp(row: Row) -> dict[str, Read]:
    imports = row.get("test_imports")
    setup = row.get("test_setup_code") or ("\n".join(imports) if isinstance(imports, list) else imports) or ""
    tests = {"test_list": list(_listed(row["test_list"], "test_list")), "test_setup_code": setup}
    return {
        "prompt": _first(row, "prompt", "text"), "reference": _first(row, "code"),
        "tests": (dumps(tests), ("test_list", "test_setup_code", "test_imports")),
    }  # fmt: skip


def _ifeval(row: Row) -> dict[str, Read]:
    given, columns = _first(row, "kwargs", "kwargs_json")
    tests: dict[str, Any] = {"instruction_id_list": list(_listed(row["instruction_id_list"], "instruction_id_list"))}
    if given is not None:
        tests["kwargs"] = [unpadded(_listed(each, columns[0])) or {} for each in _listed(given, columns[0])]
    return {"tests": (dumps(tests), ("instruction_id_list", *columns))}


def _bfcl(row: Row) -> dict[str, Read]:
    functions, listed = _first(row, "functions_json", "function")
    accepted, right = _first(row, "ground_truth_json", "ground_truth")
    accepted = _listed(accepted, right[0]) if right else None
    tests: dict[str, Any] = {"functions": _listed(functions, listed[0])}
    kind = f"{row.get('category') or row.get('id') or ''}"
    if not accepted:
        if "relevance" not in kind:
            raise ValueError(
                f"nothing says which calls are right: there is no ground truth, and {kind!r} is of another kind"
            )
        tests["expect"] = "no_call" if "irrelevance" in kind else "any_call"
    return {
        "prompt": _first(row, "messages_json", "question"),
        "tests": (dumps(tests), (*listed, "category" if "category" in row else "id")),
        "reference": (dumps(accepted) if accepted else None, right),
    }  # fmt: skip


def _sql(row: Row) -> dict[str, Read]:
    gold, columns = _first(row, "gold_sql", "SQL", "query", "sql")
    dump, dumped = _first(row, "postgres_dump")
    setup, made = _first(row, "setup", "sql_context", "schema_sql")
    asked, names = _first(row, "question", "sql_prompt")
    more, beside = _first(row, "instructions", "evidence")
    if more:
        asked, names = f"{asked}\n\n{more}", (*names, *beside)
    tests = {"postgres_dump": dump} if dump else {"setup": setup} if setup else None
    return {
        "prompt": (asked, names), "reference": (text(gold), columns),
        "tests": (dumps(tests) if tests else None, (*dumped, *made)),
    }  # fmt: skip


def _verl(row: Row) -> dict[str, Read]:
    return {
        "reference": (text(row["reward_model"].get("ground_truth")) or None, ("reward_model",)),
        "task": (row.get("ability") or None, ("ability",)), "source": _first(row, "data_source"),
    }  # fmt: skip


def _openrlhf(row: Row) -> dict[str, Read]:
    return {"prompt": _first(row, "input"), "reference": (text(row["label"]) or None, ("label",)),
            "source": _first(row, "datasource")}  # fmt: skip


_SETS: tuple[tuple[set[str], Callable[[Row], dict[str, Read]]], ...] = (
    ({"prompt", "test", "entry_point"}, _humaneval),
    ({"test_list"}, _mbpp),
    ({"prompt", "instruction_id_list"}, _ifeval),
    ({"messages_json", "functions_json"}, _bfcl),
    ({"question", "function"}, _bfcl),
    ({"question", "gold_sql"}, _sql),
    ({"question", "query", "db_id"}, _sql),
    ({"question", "SQL", "db_id"}, _sql),
    ({"sql_prompt", "sql_context", "sql"}, _sql),
    ({"prompt", "reward_model", "data_source"}, _verl),
    ({"input", "label", "datasource"}, _openrlhf),
)
