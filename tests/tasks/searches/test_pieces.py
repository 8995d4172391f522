"""Cutting texts into steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.searches._pieces import Kind, Pieces

KINDS: list[Kind] = ["newline", "step", "plan", "sentence", "words", "tag", "whole"]


@pytest.mark.parametrize(
    ("pieces", "text", "steps"),
    [
        pytest.param(Pieces("newline"), "a\n\nb\nc", ["a\n\n", "b\n", "c"], id="blank lines stay with the line before"),
        pytest.param(
            Pieces("step"), "Step 1: a\nb\nStep 2: c\nAnswer: 3", ["Step 1: a\nb\n", "Step 2: c\nAnswer: 3"],
            id="Step n",
        ),
        pytest.param(
            Pieces("plan"), "Plan 1: a\nPlan 2: b\nSolution: c\nd", ["Plan 1: a\n", "Plan 2: b\n", "Solution: c\nd"],
            id="the solution after the plans",
        ),
        pytest.param(Pieces("sentence"), "One. Two? Three", ["One. ", "Two? ", "Three"], id="sentences"),
        pytest.param(Pieces("words", size=2), "a b  c d e", ["a b  ", "c d ", "e"], id="chunks of words"),
        pytest.param(
            Pieces("tag"), "<step>a</step>\n<step>b</step>", ["<step>a</step>\n", "<step>b</step>"], id="tags"
        ),
        pytest.param(Pieces("whole"), "a\nb", ["a\nb"], id="whole"),
        pytest.param(Pieces("newline"), "", [], id="nothing"),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_its_steps(pieces: Pieces, text: str, steps: list[str]) -> None:
    assert pieces.cut(text) == steps


@given(st.sampled_from(KINDS), st.text("ab. \n?<>/stepSPlan12:", max_size=60))
def test_pieces_join_to_the_text_and_none_is_empty(kind: Kind, text: str) -> None:
    pieces = Pieces(kind, size=3)
    found = pieces.cut(text)
    assert "".join(found) == text
    assert all(found)
    if found:
        assert pieces.first(text) == found[0]


@pytest.mark.parametrize("text", ["Answer: 5", "so \\boxed{5}", "#### 5", "Final answer: 5"])
def test_an_answer_is_a_last_piece(text: str) -> None:
    assert Pieces().last(text)


def test_a_step_that_only_speaks_of_the_answer_is_no_last_piece() -> None:
    assert not Pieces().last("We look for the answer: first we add.")


def test_what_a_stop_string_took_away_is_put_back() -> None:
    assert (Pieces("newline").stop, Pieces("newline").restored) == (("\n",), "\n")
    assert (Pieces("step").stop, Pieces("step").restored) == (("\nStep ",), "\n")
    assert (Pieces("tag", "code").stop, Pieces("tag", "code").restored) == (("</code>",), "</code>")
    assert (Pieces("sentence").stop, Pieces("sentence").restored) == ((), "")
