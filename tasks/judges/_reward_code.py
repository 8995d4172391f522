"""Vets a reward function that a model wrote, before it runs: what it may import, name and do.

Source: Text2Reward (arXiv:2309.11489, section 3.3: code is checked and its errors are told back); Eureka
(arXiv:2310.12931).

The sandbox is what holds a program; this refuses early what would be refused there, and what would make a score depend
on anything but the two texts.
"""

from __future__ import annotations

import ast
import re

MODULES = frozenset({
    "math", "re", "string", "json", "collections", "statistics", "unicodedata", "difflib", "itertools", "functools",
    "textwrap", "fractions",
})  # fmt: skip
"""All that a function may import: nothing that reads a clock, a coin, a file or a network."""

_FORBIDDEN = frozenset({
    "eval", "exec", "compile", "open", "input", "globals", "locals", "vars", "getattr", "setattr", "delattr",
    "breakpoint", "exit", "quit", "help", "memoryview", "id", "hash", "object", "type", "super", "dir",
})  # fmt: skip
_TOP = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.AnnAssign)
_NEVER = (ast.Global, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.ClassDef)
_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
MOST_LINES = 200


def extract(text: str) -> str:
    """Returns the code of a reply: its last fenced block that defines ``score``, else the last one, else all of it."""
    blocks = _FENCE.findall(text)
    return next((block for block in reversed(blocks) if "def score" in block), blocks[-1] if blocks else text).strip()


def faults(code: str) -> list[str]:
    """Returns what is wrong with the code, in words that its writer can act on; nothing where it may run."""
    if code.count("\n") >= MOST_LINES:
        return [f"it has more than {MOST_LINES} lines"]
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"it is not Python: {error}"]
    found = [fault for node in ast.walk(tree) if (fault := _fault(node))]
    found += [
        f"line {node.lineno}: only imports, constants and functions may stand at the top"
        for node in tree.body
        if not isinstance(node, _TOP) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    scores = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "score"]
    if len(scores) != 1 or not _takes_two(scores[0]):
        found.append("it must define one function score(prompt, completion)")
    return list(dict.fromkeys(found))


def _takes_two(function: ast.FunctionDef) -> bool:
    given = function.args
    names = [*given.posonlyargs, *given.args]
    return len(names) == 2 and not (given.vararg or given.kwarg or given.kwonlyargs) and not function.decorator_list


def _fault(node: ast.AST) -> str | None:
    line = getattr(node, "lineno", 0)
    if isinstance(node, _NEVER):
        return f"line {line}: {type(node).__name__} is not allowed"
    if isinstance(node, ast.Import):
        wrong = [name.name for name in node.names if name.name not in MODULES]
        return f"line {line}: import of {wrong[0]}; allowed are {', '.join(sorted(MODULES))}" if wrong else None
    if isinstance(node, ast.ImportFrom):
        wrong = [name.name for name in node.names if name.name.startswith("_") or name.name == "*"]
        if node.module not in MODULES or node.level or wrong:
            return f"line {line}: import from {node.module}; allowed are {', '.join(sorted(MODULES))}"
    if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
        return f"line {line}: the attribute {node.attr} is not allowed"
    if isinstance(node, ast.Name) and (node.id in _FORBIDDEN or node.id.startswith("__")):
        return f"line {line}: {node.id} is not allowed"
    return None
