"""Marks: how a function says which family of blocks it belongs to.

    @selector
    def best_vs_worst(completions, scores, *, min_margin: float = 0.0) -> pl.DataFrame: ...

The mark adds nothing but a note on the function; it stays a plain function that a test calls. Its positional
parameters are the tables it reads, by name; its keyword-only parameters are the recipe's parameters. ``tasks.registry``
finds marked functions by walking the family's folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
Scope = Literal["prompt", "dataset"]
Makes = Literal["preferences", "rankings", "examples", "steps"]

FAMILIES = {
    "prompts": "sources",
    "sample": "samplers",
    "judge": "judges",
    "search": "searches",
    "score": "scorers",
    "select": "selectors",
    "filter": "filters",
    "weight": "weighters",
    "relabel": "relabelers",
    "gate": "gates",
    "export": "exports",
}
"""The verb a recipe uses -> the folder under ``tasks/`` that holds its blocks."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark notes.

    Args:
        scope: ``prompt`` when the block needs the rows of one prompt at a time, so that it can run shard by shard;
            ``dataset`` when it must see all rows at once.
        needs: fields of the prompt it cannot do without (``reference``, ``tests``).
        asks: it is an exchange and needs a model.
        makes: the dataset table a selector's rows belong to.
        runs: it sends programs to the sandbox beside what it asks a model.
        texts: it needs prompt, chosen and rejected although it sees all rows at once; others are spared the memory.
        files: parameters that may name a file or folder; what these hold is part of the recipe's hash.
        extra: the module it cannot do without, and the extra that installs it.
        checks: is given the parameters when the recipe is read, and raises ``ValueError`` where they cannot be meant.
    """

    verb: str
    scope: Scope = "prompt"
    needs: tuple[str, ...] = ()
    asks: bool = False
    makes: Makes = "preferences"
    runs: bool = False
    texts: bool = False
    files: tuple[str, ...] = ()
    extra: tuple[str, str] | None = None
    checks: Callable[..., Any] | None = None


class _Decorator(Protocol):
    """A mark with or without settings: ``@judge`` and ``@judge(asks=True)`` both keep the function's type."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(
        self,
        *,
        scope: Scope = ...,
        needs: tuple[str, ...] = ...,
        asks: bool = ...,
        makes: Makes = ...,
        runs: bool = ...,
        texts: bool = ...,
        files: tuple[str, ...] = ...,
        extra: tuple[str, str] | None = ...,
        checks: Callable[..., Any] | None = ...,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def _mark(verb: str, asks: bool = False) -> _Decorator:
    def decorate(
        function: Callable[P, R] | None = None, *, scope: Scope = "prompt", needs: tuple[str, ...] = (),
        asks: bool = asks, makes: Makes = "preferences", runs: bool = False, texts: bool = False,
        files: tuple[str, ...] = (), extra: tuple[str, str] | None = None,
        checks: Callable[..., Any] | None = None,
    ) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:  # fmt: skip
        def note(marked: Callable[P, R]) -> Callable[P, R]:
            mark = Mark(verb, scope, needs, asks, makes, runs, texts, files, extra, checks)
            marked.__pairwright__ = mark  # type: ignore[attr-defined]
            return marked

        return note(function) if function else note

    return decorate  # type: ignore[return-value]


source = _mark("prompts")
sampler = _mark("sample", asks=True)
judge = _mark("judge")
search = _mark("search", asks=True)
scorer = _mark("score")
selector = _mark("select")
row_filter = _mark("filter")
weighter = _mark("weight")
relabeler = _mark("relabel")
gate = _mark("gate")
export = _mark("export")
