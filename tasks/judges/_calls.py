"""Reads the function calls of a completion, however it writes them, and matches them with the accepted ones.

Source: the AST evaluation of the Berkeley Function Calling Leaderboard (Gorilla, arXiv:2305.15334; BFCL v1 to v3).
"""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

LONGEST = 50_000
_TAGGED = re.compile(r"<(tool_call|function_call)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_FENCE = re.compile(r"```(?:json|python|tool_code)?[ \t]*\n(.*?)```", re.DOTALL)
_LOOSE = re.compile(r"[ ,./\-_*^]")
_ATTEMPT = re.compile(r"<tool_call>|<function_call>|\"(?:arguments|parameters)\"\s*:|^\s*\[?\s*[\w.]+\(", re.MULTILINE)
_MARK = "__reserved"
_RESERVED = re.compile(rf"([(,]\s*)({'|'.join(keyword.kwlist)})(?=\s*=)")  # Java has arguments called ``from``
_WHOLE = {"integer", "long", "int"}
_TEXT = {"string", "char", "any"}


class Call(NamedTuple):
    """One call: the function's name and its arguments by name."""

    name: str
    arguments: dict[str, Any]


def read(messages: Sequence[Mapping[str, Any]]) -> tuple[list[Call], bool]:
    """Returns the calls of a completion, and whether there was an attempt at one that cannot be read."""
    calls: list[Call] = []
    for message in messages:
        if message.get("role", "assistant") != "assistant":
            continue  # what a tool answered is no call, whatever it looks like
        if message.get("tool_calls"):
            found = _recorded(message["tool_calls"])
            if found is None:
                return calls, True
            calls += found
        text = message.get("content") or ""
        if not message.get("tool_calls") and text.strip():
            found = _from_text(text)
            if found is None and _ATTEMPT.search(text):
                return calls, True
            calls += found or []
    return calls, False


def _recorded(text: str) -> list[Call] | None:
    """Returns the calls of a message's ``tool_calls``; null where one of them is none."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    items = given if isinstance(given, list) else [given]
    parts = [_from_object(item.get("function", item)) if isinstance(item, Mapping) else None for item in items]
    return None if any(part is None for part in parts) else [call for part in parts for call in part or []]


def _from_text(text: str) -> list[Call] | None:
    tagged = [found[2] for found in _TAGGED.finditer(text)]
    for parts in (tagged, [text], [found[1] for found in _FENCE.finditer(text)]):
        calls: list[Call] | None = [] if parts else None
        for part in parts:
            one = _one_text(part.strip())
            calls = None if one is None or calls is None else calls + one
        if calls is not None:
            return calls
    return None


def _one_text(text: str) -> list[Call] | None:
    if len(text) > LONGEST:
        return None
    try:
        return _from_object(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        tree = ast.parse(_RESERVED.sub(rf"\1\2{_MARK}", text), mode="eval").body
        nodes = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        return [_from_node(node) for node in nodes] or None
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None


def _from_node(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call) or node.args or any(word.arg is None for word in node.keywords):
        raise ValueError("no call with named arguments")
    return Call(
        ast.unparse(node.func),
        {str(word.arg).removesuffix(_MARK): ast.literal_eval(_LITERALS.visit(word.value)) for word in node.keywords},
    )


class _Literals(ast.NodeTransformer):
    """Makes the literals of Java, JavaScript and JSON those of Python."""

    VALUES: ClassVar[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Returns a constant for the name of one."""
        return ast.Constant(self.VALUES[node.id]) if node.id in self.VALUES else node


_LITERALS = _Literals()


def _from_object(value: Any) -> list[Call] | None:
    """Returns the calls of ``{"name", "arguments"}``, of ``{name: {argument: value}}``, or of a list of them."""
    if isinstance(value, list):
        parts = [_from_object(item) for item in value]
        return None if not parts or any(part is None for part in parts) else [c for part in parts for c in part or []]
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("name"), str):
        arguments = value.get("arguments", value.get("parameters", {}))
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except (ValueError, RecursionError):
                return None
        return [Call(value["name"], dict(arguments))] if isinstance(arguments, Mapping) else None
    if len(value) == 1:
        ((name, arguments),) = value.items()
        return [Call(str(name), dict(arguments))] if isinstance(arguments, Mapping) else None
    return None


def fault(calls: Sequence[Call], options: Sequence[Mapping[str, Any]], functions: Mapping[str, Any]) -> str | None:
    """Returns what is wrong with the calls, or null where they are the accepted ones, in any order.

    Args:
        options: one object a call: {function: {argument: [accepted values]}}; ``""`` among them: it may lack.
        functions: name -> parameters (JSON Schema, with BFCL's type names).
    """
    if len(calls) != len(options):
        return f"{len(calls)} calls, expected {len(options)}"
    faults = [[_call_fault(call, option, functions) for option in options] for call in calls]
    if _assign(faults):
        return None
    first = next((row for row in faults if all(row)), faults[0])
    return next((reason for reason in first if reason and not reason.startswith("calls")), first[0] or "a call twice")


def _assign(faults: list[list[str | None]]) -> bool:
    """Says whether each call can be given an accepted one of its own (augmenting paths)."""
    owner: dict[int, int] = {}

    def place(call: int, seen: set[int]) -> bool:
        for option, reason in enumerate(faults[call]):
            if reason is None and option not in seen:
                seen.add(option)
                if option not in owner or place(owner[option], seen):
                    owner[option] = call
                    return True
        return False

    return all(place(call, set()) for call in range(len(faults)))


def _call_fault(call: Call, option: Mapping[str, Any], functions: Mapping[str, Any]) -> str | None:
    ((name, values_of),) = option.items()
    if call.name not in (name, name.replace(".", "_")):
        return f"calls {call.name}, expected {name}"
    schema = functions.get(name) or {}
    known = schema.get("properties") or {}
    for required in schema.get("required") or []:
        if required not in call.arguments and "" not in values_of.get(required, []):
            return f"{name} lacks {required}"
    for key, value in call.arguments.items():
        if key not in values_of:
            return f"{name} has no {key}"
        if not _accepts(value, values_of[key], known.get(key) or {}):
            return f"{name}: {key} is {str(value)[:80]!r}"
    for key, values in values_of.items():
        if key not in call.arguments and "" not in values:
            return f"{name} lacks {key}"
    return None


def _accepts(value: Any, options: Sequence[Any], spec: Mapping[str, Any]) -> bool:
    """Says whether an argument has an accepted value.

    ``""`` among them says that the argument may lack; a text that is passed empty is another thing, and right only
    where it is the default, or where nothing else is accepted.
    """
    kind = str(spec.get("type", "any"))
    values = [option for option in options if option != ""]
    if value == "":
        return "" in options and kind.lower() in _TEXT and (not values or spec.get("default") == "")
    return any(matches(value, wanted, kind) for wanted in values)


def matches(value: Any, wanted: Any, kind: str = "any") -> bool:
    """Says whether a value is an accepted one; text is compared without case, blanks and punctuation, if more is left.

    >>> matches("New-York", "new york"), matches(5, 5.0, "float"), matches(5.0, 5, "integer"), matches(1, True)
    (True, True, False, False)
    """
    if isinstance(wanted, bool) or isinstance(value, bool) or wanted is None or value is None:
        return value is wanted
    if isinstance(wanted, str):
        return isinstance(value, str) and (value == wanted or _loose(value) == _loose(wanted) != "")
    if isinstance(wanted, int | float):
        whole = kind in _WHOLE and isinstance(wanted, int)
        return isinstance(value, int if whole else (int, float)) and value == wanted
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and _same_object(value, wanted)
    return (
        isinstance(value, list | tuple)
        and len(value) == len(wanted)
        and all(matches(item, each) for item, each in zip(value, wanted, strict=True))
    )


def _same_object(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Says whether an object has the accepted value of each key; each key's accepted values are a list."""
    if set(value) - set(wanted):
        return False
    for key, options in wanted.items():
        choices = options if isinstance(options, list) else [options]
        if key not in value:
            if "" not in choices:
                return False
        elif not any(matches(value[key], choice) for choice in choices):
            return False
    return True


def _loose(text: str) -> str:
    return _LOOSE.sub("", text).lower().replace("'", '"')


def schemas(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns name -> parameters of function descriptions, OpenAI's or BFCL's.

    Raises:
        ValueError: they are something else.
    """
    return dict(_schemas([functions] if isinstance(functions, Mapping) else functions))


def _schemas(functions: Any) -> Iterator[tuple[str, Any]]:
    for function in functions if isinstance(functions, list | tuple) else [functions]:
        inner = function.get("function", function) if isinstance(function, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
            raise ValueError(f"tests hold {str(function)[:80]!r}, expected functions: objects with name and parameters")
        parameters = inner.get("parameters") or {}
        fields = parameters.get("properties") or {} if isinstance(parameters, Mapping) else None
        if not isinstance(fields, Mapping) or not all(isinstance(field, Mapping) for field in fields.values()):
            raise ValueError(
                f"the parameters of {inner['name']!r} are {str(parameters)[:80]!r}, expected a JSON Schema"
            )
        yield inner["name"], parameters


def accepted(reference: str | None) -> list[dict[str, Any]] | None:
    """Returns the accepted calls of a reference: {function: {argument: [accepted values]}} each; null without any.

    Raises:
        ValueError: it is something else.
    """
    given = json.loads(reference or "null")
    calls = [given] if isinstance(given, Mapping) and given else given
    if calls is None:
        return None
    if not isinstance(calls, list):
        raise ValueError(f"the reference is {str(given)[:80]!r}, expected a list of accepted calls")
    for call in calls:
        values = next(iter(call.values())) if isinstance(call, Mapping) and len(call) == 1 else None
        if not isinstance(values, Mapping) or not all(isinstance(each, list) for each in values.values()):
            raise ValueError(f"an accepted call is {str(call)[:80]!r}, expected {{function: {{argument: [values]}}}}")
    return calls
