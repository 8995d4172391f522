"""Which names a test run takes from the solution, and which never. Runs inside the sandbox, standard library only.

Source: none of its own; the scopes are those of symtable, as the interpreter resolves names.

A solution gives its tests what is asked of it: the names that the tests read and that neither they, nor Python, nor a
well-known module define. All else is the tests' own, so no solution brings the ``sorted``, ``math`` or ``Counter`` that
it is judged with.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import symtable
import sys
from typing import Any, NamedTuple

_WELL_KNOWN = {
    "collections": None, "copy": None, "datetime": None, "decimal": None, "fractions": None, "math": None,
    "functools": ("cmp_to_key", "partial", "reduce"),
    "itertools": ("chain", "combinations", "islice", "permutations", "zip_longest"),
}  # fmt: skip
"""Modules whose names (null: every public one) tests use without importing them."""
_ALIASES = {"np": "numpy", "pd": "pandas", "plt": "matplotlib", "tf": "tensorflow"}


class Names(NamedTuple):
    """What the tests read and do not define."""

    asked: list[str]  # of the solution
    own: dict[str, Any]  # of Python's modules


def resolve(texts: list[str], entry: str | None, known: set[str]) -> Names:
    """Returns where the names come from that these texts, run one after the other, read and do not define.

    Args:
        known: names that are there already.

    Raises:
        ImportError: they use a module that is not installed.
        SyntaxError, ValueError: a text is no Python.
    """
    free = {name for name in _free(texts, known) if not name.startswith("__")} - {entry}
    trees = [ast.parse(text) for text in texts]
    modules = {name: module for name in free if (module := _module(name, trees)) is not None}
    tools = {name: tool for name in free - set(modules) if (tool := _tool(name)) is not None}
    builtin = {name for name in free if hasattr(builtins, name)}
    asked = free - builtin - set(modules) - set(tools)
    if entry:
        asked |= {entry}
    elif not asked:
        asked = {name for name in [_tested(trees, builtin | set(tools))] if name}
    own = {name: thing for name, thing in (modules | tools).items() if name not in asked}
    return Names(sorted(asked), own)


def _free(texts: list[str], known: set[str]) -> set[str]:
    """Returns the names that are read as globals and not bound by the text that reads them or one before it."""
    free, bound = set(), set(known)
    for text in texts:
        top = symtable.symtable(text, "tests.py", "exec")
        tables, read = [top], set()
        while tables:
            table = tables.pop()
            tables += table.get_children()
            for symbol in table.get_symbols():
                if table is top or symbol.is_global():
                    bound |= {symbol.get_name()} if symbol.is_assigned() or symbol.is_imported() else set()
                    read |= {symbol.get_name()} if symbol.is_referenced() else set()
        free |= read - bound
    return free


def _module(name: str, trees: list[ast.Module]) -> Any:
    """Returns the module of Python's that a name stands for, where it is read only for attributes that one has."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    reads = sum(isinstance(node, ast.Name) and node.id == name for node in nodes)
    attributes = {
        id(node.value): node.attr for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }  # fmt: skip
    if reads != len(attributes):
        return None
    if name in _ALIASES or name in _ALIASES.values():
        return importlib.import_module(_ALIASES.get(name, name))
    if name not in sys.stdlib_module_names or name in ("this", "antigravity"):
        return None
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return module if all(hasattr(module, attribute) for attribute in attributes.values()) else None


def _tool(name: str) -> Any:
    for module, names in _WELL_KNOWN.items():
        known = importlib.import_module(module)
        if name in (names or getattr(known, "__all__", dir(known))) and not name.startswith("_"):
            return getattr(known, name)
    return None


def _tested(trees: list[ast.Module], names: set[str]) -> str | None:
    """Returns the one of these names that the first assertion calls innermost: what wraps it is the tests' own."""
    asserts = [node.test for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    for place in [*asserts, *trees]:
        name = _innermost(place, names)
        if name:
            return name
    return None


def _innermost(node: ast.AST, names: set[str]) -> str | None:
    for child in ast.iter_child_nodes(node):
        name = _innermost(child, names)
        if name:
            return name
    called = node.func if isinstance(node, ast.Call) else None
    return called.id if isinstance(called, ast.Name) and called.id in names else None
