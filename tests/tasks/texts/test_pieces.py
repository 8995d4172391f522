"""Cutting texts into steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.texts.pieces import Kind, Pieces, joined, parts

KINDS: list[Kind] = ["newline", "step", "plan", "sentence", "words", "tokens", "turn", "tag", "whole"]


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
        pytest.param(
            Pieces("turn"), "User: a\nb\nAssistant: c\nUsers: d", ["User: a\nb\n", "Assistant: c\nUsers: d"], id="turns"
        ),
        pytest.param(
            Pieces("turn", "Thought|Action"), "Thought: a\nAction: b", ["Thought: a\n", "Action: b"], id="named turns"
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


@given(st.lists(st.text("ab \n\u00e9", min_size=0, max_size=4), max_size=14), st.integers(1, 4))
def test_chunks_of_tokens_end_where_tokens_end(tokens: list[str], size: int) -> None:
    text = "".join(tokens)
    found = Pieces("tokens", size=size).cut(text, [*tokens, "<end>"])
    wanted = ["".join(tokens[at : at + size]) for at in range(0, len(tokens), size)]
    assert found == [chunk for chunk in wanted if chunk]


def test_tokens_that_are_not_those_of_the_text_cut_nothing() -> None:
    assert Pieces("tokens", size=1).cut("ab", ["a", "c"]) == ["ab"]
    assert Pieces("tokens", size=1).cut("ab") == ["ab"]


def test_a_turn_is_asked_for_up_to_whoever_speaks_next() -> None:
    assert Pieces("turn", "User|Tool").stop == ("\nUser:", "\nTool:")
    assert Pieces("turn").restored == "\n"


@given(st.lists(st.text(st.sampled_from("ab\n "), max_size=5), min_size=1, max_size=6))
def test_listed_steps_keep_their_number_whatever_they_hold(steps: list[str]) -> None:
    text, cuts = joined(steps)
    found = parts(text, cuts)
    assert "".join(found) == text
    assert [piece[: len(step)] for piece, step in zip(found, steps, strict=True)] == steps
