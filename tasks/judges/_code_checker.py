"""The trusted side of a test run: holds the tests, calls the solution through a pipe. Runs inside the sandbox.

Source: HumanEval's harness (arXiv:2107.03374, section 2.3), with the solution moved to another process.

``INPUT`` is put before this text: {setup, tests: [text, …], entry, preamble}. The report says, for each test, whether
it passed, else the error; ``broken`` says that the tests themselves cannot run, which is no verdict.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import os
from typing import Any

from tasks.judges._code_wire import decode, encode, receive, send

FROM_PROGRAM, TO_PROGRAM, REPORT = 3, 4, 5
CALLS = [0]


class Remote:
    """Something of the solution's that is no plain value. Equal to itself alone."""

    def __init__(self, number: int | str, shown: str = "") -> None:
        self.__dict__.update(_number=number, _shown=shown)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        CALLS[0] += 1
        result, after = ask(["call", self._number, wrap(list(args)), wrap(kwargs)])
        for given, changed in zip(args, unwrap(after) or [], strict=False):
            _follow(given, changed)
        return result

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ask(["get", self.__dict__["_number"], name])[0]

    def __setattr__(self, name: str, value: Any) -> None:
        ask(["set", self.__dict__["_number"], name, wrap(value)])

    def __str__(self) -> str:
        return str(self.__dict__["_shown"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and self._number == other._number

    def __hash__(self) -> int:
        return hash(self.__dict__["_number"])


class SolutionError(Exception):
    """An error of the solution's that has no builtin name."""


class SolutionExit(BaseException):
    """The solution ended the program, or its process is gone."""


CALLBACKS: list[Any] = []


def wrap(value: Any) -> Any:
    """Returns the value as JSON; functions of the tests' become numbers."""

    def other(thing: Any) -> list[Any]:
        if isinstance(thing, Remote):
            return ["obj", thing._number]
        name = getattr(thing, "__name__", "")
        if name and getattr(builtins, name, None) is thing:
            return ["builtin", name]
        if not callable(thing):
            raise TypeError(f"a test gives the solution a {type(thing).__name__}, which cannot be sent")
        CALLBACKS.append(thing)
        return ["cb", len(CALLBACKS) - 1]

    return encode(value, other)


def unwrap(value: Any) -> Any:
    """Returns the value of its JSON."""

    def other(kind: str, body: Any) -> Any:
        if kind == "cb":
            return CALLBACKS[body]
        return Remote(int(body[0]), str(body[2]))

    return decode(value, other)


def ask(message: Any) -> tuple[Any, Any]:
    """Sends a message and returns the answer's value and the arguments as the call left them."""
    try:
        send(TO_PROGRAM, message)
        while True:
            kind, *rest = receive(FROM_PROGRAM)
            if kind == "callback":
                send(TO_PROGRAM, _called_back(*rest))
                continue
            if kind == "raise":
                raise _error(str(rest[0]), str(rest[1]))
            return unwrap(rest[0]), rest[1] if len(rest) > 1 else None
    except (EOFError, BrokenPipeError) as error:
        raise SolutionExit("the program ended") from error


def _called_back(number: int, args: Any, kwargs: Any) -> list[Any]:
    try:
        return ["value", wrap(CALLBACKS[number](*unwrap(args), **unwrap(kwargs)))]
    except Exception as error:  # noqa: BLE001 (a test's function may raise what it likes)
        return ["raise", type(error).__name__, str(error)]


def _error(name: str, text: str) -> BaseException:
    kind = getattr(builtins, name, None)
    if name in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return SolutionExit(f"{name}: {text}")
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(TypeError):
            error = kind(text)
            error.of_solution = True  # type: ignore[attr-defined]
            return error
    return SolutionError(f"{name}: {text}")


def _follow(given: Any, changed: Any) -> None:
    """Makes a mutable argument what the call left of it."""
    if type(given) is not type(changed):
        return
    if isinstance(given, list):
        given[:] = changed
    elif isinstance(given, (dict, set)):
        given.clear()
        given.update(changed)


def used(tree: ast.AST) -> set[str]:
    """Returns every name a piece of code reads."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def wanted(trees: list[ast.Module], entry: str | None, known: set[str]) -> list[str]:
    """Returns the names the tests need of the solution.

    A builtin's name is asked for only where it is the entry point, or where the tests call nothing else: a solution
    must not bring its own ``sorted`` to its tests.
    """
    names = set().union(*(used(tree) for tree in trees)) - known
    free = {name for name in names if not hasattr(builtins, name)}
    if entry:
        return sorted(free | {entry})
    calls = {
        node.func.id for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }  # fmt: skip
    return sorted(free if calls & free else free | calls)


def final_call(tree: ast.Module, entry: str | None) -> str | None:
    """Returns the call of ``check`` that the tests define and leave to the harness."""
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    acts = any(isinstance(node, (ast.Expr, ast.Assert)) and not _is_text(node) for node in tree.body)
    return f"check({entry})" if entry and "check" in defined and not acts else None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Returns the report."""
    entry = given.get("entry")
    space: dict[str, Any] = {"__name__": "__tests__"}
    try:
        trees = [ast.parse(text) for text in (given["setup"], *given["tests"])]
        exec(given["preamble"], space)
    except Exception as error:  # noqa: BLE001 (the tests cannot even be read)
        return {"broken": f"{type(error).__name__}: {error}"}
    known = {name for name in space if name != entry}
    results: list[str | None] = []
    try:
        ask(entry)
        for name in ask(["names", wanted(trees, entry, known)])[0]:
            space[name] = _value(name)
        exec(given["setup"], space)
    except (Exception, SolutionExit) as error:  # noqa: BLE001 (the solution failed to load)
        if _of_tests(error):
            return {"broken": f"{type(error).__name__}: {error}"}
        return {"results": [_shown(error)] * len(given["tests"]), "calls": CALLS[0]}
    for tree, text in zip(trees[1:], given["tests"], strict=True):
        call = final_call(tree, entry)
        try:
            exec(compile(f"{text}\n\n{call}\n" if call else text, "tests.py", "exec"), space)
            results.append(None)
        except (Exception, SolutionExit) as error:  # noqa: BLE001 (whatever a test raises is its result)
            if _of_tests(error):
                return {"broken": f"{type(error).__name__}: {error}"}
            results.append(_shown(error))
    if not CALLS[0] and not any(results):
        return {"broken": "the tests never call the solution"}
    return {"results": results, "calls": CALLS[0]}


def _of_tests(error: BaseException) -> bool:
    """Says whether the tests lack a library: that says nothing of the solution."""
    return isinstance(error, ImportError) and not hasattr(error, "of_solution")


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _value(name: str) -> Any:
    found, _ = ask(["value of", name])
    return Remote(name, str(found)) if isinstance(found, Remote) else found


if __name__ == "__main__":
    os.write(REPORT, json.dumps(run(globals()["INPUT"])).encode())
