"""The judged side of a test run: loads the solution, then answers calls. Runs inside the sandbox.

Source: HumanEval's harness (arXiv:2107.03374, section 2.3), with the tests moved to another process.

The scratch folder holds ``solution.txt`` (what the model wrote) and ``stub.txt`` (the prompt's code, may be empty).
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from typing import Any

from tasks.judges._code_wire import decode, encode, receive, send

FROM_TESTS, TO_TESTS = 3, 4
MODULE = types.ModuleType("__main__")
SPACE: dict[str, Any] = MODULE.__dict__  # what the solution finds as its main module: its own names alone


def assemble(solution: str, stub: str, entry: str | None) -> str:
    """Returns the program: the solution alone where it defines what is asked for, else as the stub's continuation."""
    if entry is None or not stub:
        return solution if defines(solution, entry) or not stub else stub + solution
    if defines(solution, entry):
        return preamble(stub, entry) + solution
    return stub + solution


def defines(text: str, entry: str | None) -> bool:
    """Says whether the text is a program that defines the name at its top."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == entry:
            return True
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == entry for target in targets):
            return True
    return entry is None


def preamble(stub: str, entry: str) -> str:
    """Returns what stands in the stub before the function asked for: imports and helpers."""
    lines = stub.splitlines(keepends=True)
    for i, line in enumerate(lines):
        if line.startswith((f"def {entry}(", f"async def {entry}(", f"class {entry}")):
            return "".join(lines[:i])
    return ""


class Callback:
    """A function of the tests', called from the solution."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        send(TO_TESTS, ["callback", self.number, wrap(list(args)), wrap(kwargs)])
        return serve()


OBJECTS: list[Any] = []


def wrap(value: Any) -> Any:
    """Returns the value as JSON; what is not plain is kept here under a number."""

    def other(thing: Any) -> list[Any]:
        if isinstance(thing, Callback):
            return ["cb", thing.number]
        OBJECTS.append(thing)
        return ["obj", [len(OBJECTS) - 1, callable(thing), _shown(thing)]]

    return encode(value, other)


def _shown(thing: Any) -> str:
    try:
        return str(thing)[:10_000]
    except Exception as error:  # noqa: BLE001 (a solution's own __str__)
        return type(error).__name__


def unwrap(value: Any) -> Any:
    """Returns the value of its JSON."""

    def other(kind: str, body: Any) -> Any:
        if kind == "cb":
            return Callback(body)
        return OBJECTS[body] if kind == "obj" else builtins.__dict__[body]

    return decode(value, other)


def serve() -> Any:
    """Answers calls until the tests go away; returns the value where one of them answers a callback."""
    while True:
        message = receive(FROM_TESTS)
        if message[0] == "value":
            return unwrap(message[1])
        if message[0] == "raise":
            raise getattr(builtins, message[1], Exception)(message[2])
        send(TO_TESTS, _answer(message))


def _answer(message: list[Any]) -> list[Any]:
    try:
        if message[0] == "names":
            return ["value", wrap([name for name in message[1] if name in SPACE])]
        target = SPACE[message[1]] if isinstance(message[1], str) else OBJECTS[message[1]]
        if message[0] == "call":
            args, kwargs = unwrap(message[2]), unwrap(message[3])
            result = wrap(target(*args, **kwargs))
            after = wrap(args)
            return ["value", result, after if after != message[2] else None]
        if message[0] == "set":
            setattr(target, message[2], unwrap(message[3]))
            return ["value", None]
        return ["value", wrap(getattr(target, message[2]) if message[0] == "get" else target)]
    except EOFError:
        raise
    except BaseException as error:  # noqa: BLE001 (whatever the solution raises is for the tests to see)
        return ["raise", type(error).__name__, _shown(error)[:2000]]


def main() -> None:
    """Loads the solution and serves."""
    with open("solution.txt", encoding="utf-8", newline="") as file:
        solution = file.read()
    with open("stub.txt", encoding="utf-8", newline="") as file:
        stub = file.read()
    entry = receive(FROM_TESTS)
    sys.modules["__main__"] = MODULE
    MODULE.__dict__["__builtins__"] = builtins
    try:
        exec(compile(assemble(solution, stub, entry), "solution.py", "exec"), SPACE)
    except BaseException as error:  # noqa: BLE001 (whatever the solution raises is for the tests to see)
        send(TO_TESTS, ["raise", type(error).__name__, _shown(error)[:2000]])
        return
    send(TO_TESTS, ["value", None])
    try:
        serve()
    except EOFError:
        return


if __name__ == "__main__":
    main()
