"""Finds blocks by verb and name, and checks their parameters before a token is billed.

A family is a folder; every public module in it is imported on first use, so there is no list to edit. A user's own
block is ``module:function`` in the recipe, or an entry point of the group ``pairwright.blocks``.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from schemas.blocks import FAMILIES, Mark
from schemas.errors import MissingExtraError, RecipeError, boundary, nearest
from schemas.recipe import BlockSpec, Recipe

SPECS = ("policy", "model", "reference_model")
"""The parameters that name who answers."""
LEAST = {"temperature": 0, "max_tokens": 1}
"""What is asked of any model, and the least it can be."""


@dataclass(frozen=True)
class Block:
    """A function with a mark.

    Attributes:
        tables: the tables it is given, by name and in order. params: the model that checks its parameters.
        source: the paper or system it follows, from its module's docstring.
    """

    verb: str
    name: str
    function: Callable[..., Any]
    mark: Mark
    tables: tuple[str, ...]
    params: type[BaseModel]

    @property
    def about(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    @property
    def source(self) -> str:
        """What follows ``Source:`` in the module's docstring."""
        text = inspect.getdoc(inspect.getmodule(self.function)) or ""
        return " ".join(text.partition("Source:")[2].split("\n\n", 1)[0].split())

    @property
    def use(self) -> str:
        """The paragraph of the module's docstring that says when to use it and what it is bad at."""
        paragraphs = (inspect.getdoc(inspect.getmodule(self.function)) or "").split("\n\n")
        return next((" ".join(text.split()) for text in paragraphs if text.startswith("Use it ")), "")


@cache
def family(verb: str) -> dict[str, Block]:
    """Returns every block of one verb, by name."""
    folder = importlib.import_module(f"tasks.{FAMILIES[verb]}")
    found: dict[str, Block] = {}
    for function in _functions(folder, verb):
        block = _block(function)
        if block.verb != verb:
            continue
        if block.name in found:
            raise RecipeError(f"two blocks are called {verb}: {block.name}; rename one of them")
        found[block.name] = block
    return dict(sorted(found.items()))


def _functions(folder: Any, verb: str) -> Iterator[Callable[..., Any]]:
    for module in pkgutil.iter_modules(folder.__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{folder.__name__}.{module.name}")
            yield from (
                value
                for value in vars(loaded).values()
                if hasattr(value, "__pairwright__") and value.__module__ == loaded.__name__
            )
    for point in entry_points(group="pairwright.blocks"):
        function = point.load()
        if getattr(function, "__pairwright__", None) and function.__pairwright__.verb == verb:
            yield function


def _block(function: Callable[..., Any]) -> Block:
    mark: Mark = function.__pairwright__  # type: ignore[attr-defined]
    hints = get_type_hints(function)
    tables, fields = [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (hints.get(name, Any), default)
        else:
            tables.append(name)
    config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    with warnings.catch_warnings():  # a parameter may be called schema or json: nobody calls pydantic's old methods
        warnings.filterwarnings("ignore", message=".*shadows an attribute", category=UserWarning)
        params = create_model(f"{function.__name__} parameters", __config__=config, **fields)  # type: ignore[call-overload]
    return Block(mark.verb, function.__name__, function, mark, tuple(tables), params)


def find(verb: str, name: str) -> Block:
    """Returns one block, by the name of its function or as ``module:function``.

    Raises:
        RecipeError: there is none; the message says what there is and what is nearest.
    """
    if ":" in name:
        return _foreign(verb, name)
    name = name.replace("-", "_")
    block = _named(verb, name)
    if block is None:
        known = family(verb)
        if name not in known:
            raise RecipeError(f"there is no block {verb}: {name}; {nearest(name, known)}")
        block = known[name]
    return block


@cache
def _named(verb: str, name: str) -> Block | None:
    """Returns the block of the module that has its name; a run need not import every block there is."""
    module = f"tasks.{FAMILIES[verb]}.{name}"
    if not name.isidentifier() or name.startswith("_") or importlib.util.find_spec(module) is None:
        return None
    function = getattr(importlib.import_module(module), name, None)
    mark = getattr(function, "__pairwright__", None)
    return _block(function) if function is not None and mark is not None and mark.verb == verb else None


def _foreign(verb: str, name: str) -> Block:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RecipeError(f"block {verb}: {name} cannot be imported: {error}") from error
    if not hasattr(function, "__pairwright__") or function.__pairwright__.verb != verb:
        raise RecipeError(f"{name} carries no mark of the verb {verb}; put the mark from schemas.blocks on it")
    return _block(function)


def check(spec: BlockSpec, recipe: str) -> dict[str, Any]:
    """Returns the block's parameters, checked and with defaults filled in.

    Raises:
        RecipeError: an unknown or misspelt parameter (with the nearest one), a missing one, a wrong type, a number that
            no model can be asked with, or values that the block's own ``checks`` refuse.
    """
    block = find(spec.verb, spec.name)
    fields = block.params.model_fields
    where = f"recipe {recipe}, block {spec.verb}: {spec.name}"
    for name in spec.params:
        if name not in fields:
            raise RecipeError(f"{where}: no parameter {name!r}; {nearest(name, fields)}")
    try:
        checked = block.params(**spec.params)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RecipeError(f"{where}, parameter {field!r}: {first['msg']}, found {first.get('input')!r}") from error
    params = {name: getattr(checked, name) for name in fields}
    for name, value in params.items():
        if isinstance(value, int | float) and not value >= LEAST.get(name, -math.inf):  # no number is NaN or more
            allowed = f"{LEAST[name]} or more" if name in LEAST else "a number"
            raise RecipeError(f"{where}, parameter {name!r}: expected {allowed}, found {value!r}")
    if block.mark.checks:
        with boundary(where):
            block.mark.checks(**params)
    return params


def installed(recipe: Recipe) -> None:
    """Looks, before anything is asked, whether the libraries are there that blocks cannot do without.

    Raises:
        MissingExtraError: one is not.
    """
    for spec in recipe.blocks:
        needed = find(spec.verb, spec.name).mark.extra
        if needed and importlib.util.find_spec(needed[0]) is None:
            raise MissingExtraError(needed[0].replace("_", "-"), needed[1])


def validate(recipe: Recipe) -> None:
    """Checks every block of a recipe and that the blocks fit each other.

    Raises:
        RecipeError: an unknown block or parameter, or a selector whose scores nobody makes.
    """
    for spec in recipe.blocks:
        check(spec, recipe.name)
    selectors = [spec for spec in recipe.of("select") if "scores" in find("select", spec.name).tables]
    judged = any("judgments" in find("score", spec.name).tables for spec in recipe.of("score")) or not recipe.of(
        "score"
    )
    if selectors and judged and not recipe.of("judge"):
        raise RecipeError(
            f"recipe {recipe.name}: select: {selectors[0].name} needs scores, and no block judges the completions; "
            f"add a judge before it ({', '.join(family('judge'))})"
        )
    if selectors and not recipe.of("score"):
        raise RecipeError(
            f"recipe {recipe.name}: select: {selectors[0].name} needs scores, and no block makes them of the "
            f"judgments; add a scorer before it ({', '.join(family('score'))})"
        )
    if not recipe.of("select") and not recipe.of("search"):
        raise RecipeError(f"recipe {recipe.name}: nothing is selected; add one of {', '.join(family('select'))}")


def code_version() -> str:
    """Returns the project's version, and the commit where there is one."""
    from importlib.metadata import version

    head = Path(__file__).resolve().parent.parent / ".git" / "HEAD"
    text = head.read_text(encoding="utf-8").strip() if head.is_file() else ""
    if text.startswith("ref: "):
        reference = head.parent / text[5:]
        text = reference.read_text(encoding="utf-8").strip() if reference.is_file() else ""
    return f"{version('pairwright')}+{text[:12]}" if text else version("pairwright")
