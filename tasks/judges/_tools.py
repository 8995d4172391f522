"""What a tool-using judge may use: a calculator, Python and SQL in the sandbox, and functions of the user.

Source: Themis (arXiv:2310.01045, section 3: calculator, code and search; what a tool says is text, never a score).
"""

from __future__ import annotations

import ast
import importlib
import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from schemas.errors import nearest
from schemas.exchange import Reply, Request

BUILT_IN = {
    "calculator": "an arithmetic expression in Python's notation; math functions such as sqrt(2) are known",
    "python": "a Python program; what it prints is the result",
    "sql": "one SQLite query on the task's database; the first rows are the result",
}
MOST = 2000
"""Characters of a result that are shown to the judge."""

_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(math, name)
    for name in ("sqrt", "log", "log2", "log10", "exp", "sin", "cos", "tan", "floor", "ceil", "gcd", "lcm")
} | {"abs": abs, "round": round, "min": min, "max": max, "sum": lambda *given: sum(given)}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_SQL = """
import json, sqlite3
job = json.load(open("job.json"))
base = sqlite3.connect(":memory:")
base.executescript(job["setup"])
try:
    cursor = base.execute(job["query"])
    rows = cursor.fetchmany(21)
    print([column[0] for column in cursor.description or ()])
    for row in rows[:20]:
        print(row)
    print("(more rows)" if len(rows) > 20 else "")
except sqlite3.Error as error:
    print(f"{type(error).__name__}: {error}")
"""


def check(tools: Sequence[str]) -> None:
    """Raises ValueError where a tool is not known or cannot be imported."""
    for name in tools:
        if name not in BUILT_IN:
            _imported(name)


def _imported(name: str) -> Callable[[str], object]:
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(f"there is no tool {name!r}; {nearest(name, [*BUILT_IN, 'module:function'])}")
    try:
        function: Callable[[str], object] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"tool {name!r} cannot be imported: {error}") from error
    return function


def described(tools: Sequence[str]) -> str:
    """Returns the tools as a list for the judge's prompt; a function's line is the first of its docstring."""
    lines = []
    for name in tools:
        about = BUILT_IN.get(name) or ((_imported(name).__doc__ or "a text").strip().split("\n")[0])
        lines.append(f'- "{name}": {about}')
    return "\n".join(lines)


def program(name: str, text: str, tests: str | None, wall_s: float) -> Request | None:
    """Returns the sandbox's request that answers a call, or null for a tool that needs none."""
    files: dict[str, str] = {}
    if name == "sql":
        files = {"job.json": orjson.dumps({"setup": setup(tests), "query": text}).decode()}
        text = _SQL
    elif name != "python":
        return None
    limits = {"cpu_s": wall_s, "wall_s": wall_s, "processes": 4}
    return Request(
        model="sandbox", kind="run", text=text, extra={"language": "python", "limits": limits, "files": files}
    )


def setup(tests: str | None) -> str:
    """Returns the SQL statements that build the task's database, from the prompt's tests."""
    try:
        found = json.loads(tests or "")
    except ValueError:
        return tests or ""
    return str(found.get("setup") or "") if isinstance(found, Mapping) else ""


def ran(reply: Reply) -> tuple[str, str]:
    """Returns how a program ended (``ok``, ``failed``, ``timeout``, ``error``) and what it said."""
    value = reply.choices[0].value if reply.choices else None
    if not isinstance(value, Mapping):
        return "error", f"the program could not be run: {reply.error}"
    said = str(value["stdout"])[:MOST]
    if value["timed_out"]:
        return "timeout", f"{said}\n(out of time)"
    if value["oom"]:
        return "failed", f"{said}\n(out of memory)"
    if value["exit"] != 0:
        return "failed", f"{said}\n{str(value['stderr'])[-500:]}"
    return "ok", said.strip() or "(it printed nothing)"


def called(name: str, text: str) -> tuple[str, str]:
    """Returns how a call that needs no program ended, and what it said."""
    try:
        result = calculate(text) if name == "calculator" else _imported(name)(text)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError, OSError) as error:
        return "failed", f"{type(error).__name__}: {error}"[:MOST]
    return "ok", str(result)[:MOST]


def calculate(text: str) -> int | float | bool:
    """Returns the value of an arithmetic expression.

    >>> calculate("3 * (4 + 5) - sqrt(16)")
    23.0

    Raises:
        ValueError: it is none, or it asks for too much.
    """
    if len(text) > 500:
        raise ValueError("the expression is longer than 500 characters")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"no expression: {error}") from error
    value: int | float | bool = _value(tree.body)
    return value


def _value(node: ast.AST) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.operand))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow):
            return _power(left, right)
        if type(node.op) in _OPERATORS:
            return _small(_OPERATORS[type(node.op)](left, right))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
        return _OPERATORS[type(node.ops[0])](_value(node.left), _value(node.comparators[0]))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        if node.keywords:
            raise ValueError("no named arguments")
        return _small(_FUNCTIONS[node.func.id](*[_value(argument) for argument in node.args]))
    raise ValueError(f"{type(node).__name__} is no arithmetic")


def _power(left: Any, right: Any) -> Any:
    if abs(right) > 1000 or (abs(left) > 1 and abs(right) * math.log10(abs(left)) > 300):
        raise ValueError("the power is too large")
    return left**right


def _small(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > 10**300:
        raise ValueError("the number is too large")
    return value
