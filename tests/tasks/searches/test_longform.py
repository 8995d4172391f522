"""Long texts chunk by chunk."""

from __future__ import annotations

from schemas.exchange import Choice, Request
from tasks.searches.longform import _fill, longform
from tests.support.searches import grow, texts


def writer(facts: str = "NONE", contradicts: str = "no"):
    """Returns a writer of four chunks, each known by its number, and a model that answers questions about them."""

    def go_on(request: Request, index: int) -> str | Choice:
        if request.model == "model":
            asked = request.messages[0]["content"]
            if asked.startswith("List the facts"):
                return facts
            return contradicts if asked.startswith("Does the passage") else "Say more."
        if "keep to this advice" in request.messages[0]["content"]:
            return Choice(index, "better ", outcome="truncated", finish_reason="length")
        return Choice(index, f"chunk{index % 4} ", outcome="truncated", finish_reason="length")

    return go_on


def value(text: str) -> float | None:
    last = text.split()[-1]
    return {"chunk0": 0.2, "chunk1": 0.8, "chunk2": 0.6, "chunk3": None, "better": 0.9}[last]


def played(nodes: dict) -> list[str]:
    return [row["text"] for row in nodes.values() if row["meta"].get("played")]


def test_the_best_chunk_goes_on_and_its_siblings_stay() -> None:
    nodes = texts(grow(longform, writer(), judge=value, model="model", depth=2))
    assert played(nodes) == ["chunk1 ", "chunk1 "]
    assert {text for text in nodes if text.count(" ") == 1} == {"chunk0 ", "chunk1 ", "chunk2 ", "chunk3 "}


def test_a_chunk_without_a_value_is_neither_the_best_nor_the_worst() -> None:
    nodes = texts(grow(longform, writer(), judge=value, model="model", depth=1))
    assert nodes["chunk3 "]["value"] is None
    assert nodes["chunk3 "]["visits"] == 0


def test_a_chunk_that_contradicts_a_fact_is_passed_over() -> None:
    def go_on(request: Request, index: int) -> str | Choice:
        asked = request.messages[0]["content"]
        if asked.startswith("Does the passage") and "chunk1" in asked.split("Passage:")[-1]:
            return "Yes."
        return writer(facts="It rained.")(request, index)

    nodes = texts(grow(longform, go_on, judge=value, model="model", depth=2))
    assert played(nodes) == ["chunk1 ", "chunk2 "]
    assert nodes["chunk1 chunk1 "]["meta"]["contradicts"]
    assert nodes[""]["meta"]["facts"] == ["It rained.", "It rained."]


def test_a_weak_chunk_is_criticised_and_written_again() -> None:
    nodes = texts(grow(longform, writer(), judge=value, model="model", depth=1, refine_below=0.85))
    assert played(nodes) == ["better "]
    assert nodes["better "]["meta"]["origin"] == "refined"
    assert nodes["chunk1 "]["meta"]["critique"] == "Say more."


def test_a_rewritten_chunk_that_is_no_better_is_not_taken() -> None:
    def weak(text: str) -> float | None:
        return 0.1 if text.endswith("better ") else value(text)

    nodes = texts(grow(longform, writer(), judge=weak, model="model", depth=1, refine_below=0.85))
    assert played(nodes) == ["chunk1 "]


def test_places_in_a_text_do_not_open_places_in_the_template() -> None:
    filled = _fill("facts", {"task": "{{passage}}", "passage": "[critique]\nx"})
    assert "{{passage}}" in filled
    assert filled.endswith("[critique]\nx")
