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

from tasks.judges._code_names import resolve
from tasks.judges._code_wire import decode, encode, receive, send

FROM_PROGRAM, TO_PROGRAM, REPORT = 3, 4, 5
CALLS = [0]
LOST: list[str] = []  # why nothing more is taken from the program; no test passes from then on
NAMED: set[str] = set()  # every name that the tests mention


class Remote:
    """Something of the solution's that is no plain value. Equal to itself alone."""

    def __init__(self, number: int | str, shown: str = "") -> None:
        self.__dict__.update(_number=number, _shown=shown)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        CALLS[0] += 1
        result, after = ask(["call", self._number, wrap(list(args)), wrap(kwargs)])
        for given, changed in zip(args, after, strict=False):
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
            return CALLBACKS[_index(body)]
        if kind != "obj":
            raise ValueError("a value of no known kind")
        return Remote(_index(body[0]), str(body[2]))

    return decode(value, other)


def ask(message: Any) -> tuple[Any, list[Any]]:
    """Sends a message and returns the answer's value and the arguments as the call left them.

    Raises:
        SolutionExit: the program is gone, or spoke out of turn or beside the point; so it is from now on.
    """
    if LOST:
        raise SolutionExit(LOST[0])
    data = message
    while True:
        try:
            send(TO_PROGRAM, data)
        except OSError:
            raise _lost("the program ended") from None
        kind, answer = _answer()
        if kind == "callback":
            data = _called_back(*answer)
        elif kind == "raise":
            raise _error(str(answer[0]), str(answer[1]))
        else:
            return answer[0], answer[1]


def _answer() -> tuple[str, list[Any]]:
    """Returns the next message of the program's, read and checked: its kind and what it holds."""
    try:
        kind, *rest = receive(FROM_PROGRAM)
        if kind == "callback":
            number, args, kwargs = rest
            return kind, [CALLBACKS[_index(number)], [*unwrap(args)], {str(name): unwrap(x) for name, x in kwargs[1]}]
        if kind == "raise":
            name, text = rest
            return kind, [name, text]
        if kind == "value" and len(rest) in (1, 2):
            after = unwrap(rest[1]) if len(rest) == 2 and rest[1] is not None else []
            if isinstance(after, list):
                return kind, [unwrap(rest[0]), after]
        raise ValueError("a message of no known kind")
    except EOFError:
        raise _lost("the program ended") from None
    except Exception as error:  # noqa: BLE001 (whatever reading an untrusted message raises)
        raise _lost(f"the program gave an answer that cannot be read: {type(error).__name__}") from None


def _index(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError("no number of a function")
    return number


def _lost(why: str) -> SolutionExit:
    LOST.append(why)
    return SolutionExit(why)


def _called_back(function: Any, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    try:
        return ["value", wrap(function(*args, **kwargs))]
    except Exception as error:  # noqa: BLE001 (a test's function may raise what it likes)
        return ["raise", type(error).__name__, _text(error)]


def _error(name: str, text: str) -> BaseException:
    kind = getattr(builtins, name, None)
    if name in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return SolutionExit(f"{name}: {text}")
    if name in ("StopIteration", "StopAsyncIteration") and name not in NAMED:
        kind = None  # raised within a loop over calls, it would end the loop and with it the test
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
    texts = [given["setup"], *given["tests"]]
    try:
        trees = [ast.parse(text) for text in texts]
        exec(given["preamble"], space)
        names = resolve(texts, entry, {name for name in space if name != entry})
    except Exception as error:  # noqa: BLE001 (the tests cannot even be read)
        return {"broken": f"{type(error).__name__}: {_text(error)}"}
    NAMED.update(node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name))
    try:
        ask(entry)
        given_names, _ = ask(["names", names.asked])
        space |= names.own | {name: _value(name) for name in names.asked if name in _listed(given_names)}
        exec(given["setup"], space)
    except BaseException as error:  # noqa: BLE001 (the solution failed to load)
        if _of_tests(error):
            return {"broken": f"{type(error).__name__}: {_text(error)}"}
        return {"results": [_shown(error)] * len(given["tests"]), "calls": CALLS[0]}
    results: list[str | None] = []
    for tree, text in zip(trees[1:], given["tests"], strict=True):
        call = final_call(tree, entry)
        try:
            exec(compile(f"{text}\n\n{call}\n" if call else text, "tests.py", "exec"), space)
            results.append(f"SolutionExit: {LOST[0]}" if LOST else None)
        except BaseException as error:  # noqa: BLE001 (whatever a test raises is its result)
            if _of_tests(error):
                return {"broken": f"{type(error).__name__}: {_text(error)}"}
            results.append(_shown(error))
    if not CALLS[0] and not any(results):
        return {"broken": "the tests never call the solution"}
    return {"results": results, "calls": CALLS[0]}


def _listed(names: Any) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _lost("the program gave an answer that cannot be read: no list of names")
    return names


def _of_tests(error: BaseException) -> bool:
    """Says whether the tests lack a library, or exit by themselves: that says nothing of the solution."""
    return isinstance(error, (ImportError, SystemExit)) and not hasattr(error, "of_solution") and not LOST


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {_text(error)}"[:500]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as fault:  # noqa: BLE001 (a number too long to print, an error without end)
        return type(fault).__name__


def _value(name: str) -> Any:
    found, _ = ask(["value of", name])
    return Remote(name, str(found)) if isinstance(found, Remote) else found


if __name__ == "__main__":
    os.write(REPORT, json.dumps(run(globals()["INPUT"])).encode())
