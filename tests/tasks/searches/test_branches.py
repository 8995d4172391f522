"""Branches from random cuts."""

from __future__ import annotations

from schemas.exchange import Request
from tasks.searches.branches import branches
from tests.support.searches import PROMPT, grow, texts


def go_on(request: Request, index: int) -> str:
    told = request.prefix or ""
    if not told:
        return ("W\n" if index == 0 else "") + "a\nb\nc\nd\n" + ("R" if index else "W")
    return f"other {index}\nW"


def test_the_first_right_solution_is_branched_from_at_drawn_places() -> None:
    nodes = texts(grow(branches, go_on, n=3, cuts=2))
    starts = [text for text, row in nodes.items() if row["meta"].get("origin") == "branch" and not row["terminal"]]
    assert len(starts) == 2
    assert all(text.startswith("a\n") for text in starts)


def test_cuts_depend_on_the_seed_and_the_prompt_alone() -> None:
    first = texts(grow(branches, go_on, cuts=1)).keys()
    assert first == texts(grow(branches, go_on, cuts=1)).keys()
    others = [texts(grow(branches, go_on, cuts=1, seed=seed)).keys() for seed in range(8)]
    assert any(other != first for other in others)
    prompts = [texts(grow(branches, go_on, cuts=1, prompt={**PROMPT, "prompt_id": str(i)})).keys() for i in range(8)]
    assert any(other != first for other in prompts)


def test_without_a_right_solution_the_first_is_branched_from() -> None:
    nodes = texts(grow(branches, lambda r, i: "x\nW" if r.prefix else f"a{i}\nW", n=2, cuts=5))
    assert "a0\nx\nW" in nodes
    assert "a1\nx\nW" not in nodes


def test_a_call_that_failed_grows_nothing() -> None:
    grown = grow(branches, lambda *_: None, n=2)
    assert len(grown.nodes) == 1
    assert grown.completions == []
