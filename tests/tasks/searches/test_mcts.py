"""Tree search on policies that are functions."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exchange import Choice, Request, Token
from tasks.searches.mcts import mcts
from tests.support.searches import PROMPT, grow, reply, texts, verdicts


def policy(request: Request, index: int) -> str:
    """Three ways at each of two steps, then the end: right when the ways add up to an even number."""
    draw = Random(f"{request.prefix}|{index}|{request.seed}")
    told = request.prefix or ""
    lines = []
    while told.count("\n") < 2:
        line = f"way {draw.randrange(3)}\n"
        lines.append(line)
        told += line
    total = sum(int(word) for word in told.split() if word.isdigit())
    return "".join(lines) + f"Answer: {'R' if total % 2 == 0 else 'W'}"


def test_the_root_has_a_visit_a_simulation_and_every_end_its_reward() -> None:
    nodes = texts(grow(mcts, policy, simulations=30, children=3))
    assert nodes[""]["visits"] == 30
    for text, row in nodes.items():
        if row["terminal"]:
            assert row["reward"] == float(text.endswith("R"))
        assert row["visits"] >= sum(child["visits"] for child in nodes.values() if child["parent"] == row["node"])


def test_rollouts_count_only_the_policys_own_continuations() -> None:
    nodes = texts(grow(mcts, policy, simulations=40, children=3))
    even = {"way 0\nway 0\n", "way 2\nway 0\n", "way 1\nway 1\n"}
    for text, row in nodes.items():
        if text.count("\n") == 2 and not row["terminal"] and row["rollouts"]:
            assert row["successes"] in (0, row["rollouts"])
            assert (row["successes"] > 0) == (sum(int(w) for w in text.split() if w.isdigit()) % 2 == 0), (text, even)


@given(
    st.integers(0, 5), st.integers(1, 9), st.sampled_from(["uct", "puct", "best_first", "breadth", "beam", "uniform"])
)
@settings(max_examples=25, deadline=None)
def test_the_order_of_replies_within_a_round_does_not_matter(shuffle: int, window: int, rule: str) -> None:
    params: dict[str, Any] = {"simulations": 24, "window": window, "rule": rule, "width": 2, "children": 3}
    assert grow(mcts, policy, **params) == grow(mcts, policy, shuffle=shuffle, **params)


@pytest.mark.parametrize("expand", ["whole", "step"])
def test_the_same_answers_make_the_same_tree(expand: str) -> None:
    params: dict[str, Any] = {"simulations": 12, "expand": expand, "evaluate": ("rollouts",)}
    assert grow(mcts, policy, **params) == grow(mcts, policy, **params)


def test_no_sample_is_asked_for_twice() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, policy, simulations=40, window=8, rounds=rounds)
    asked = [(r.question(), i) for requests in rounds for r in requests for i in range(r.first, r.first + r.n)]
    assert len(asked) == len(set(asked)) == 40


def test_requests_of_a_round_stand_by_their_prefix() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, policy, simulations=60, window=12, rounds=rounds)
    assert max(len(requests) for requests in rounds) > 1
    for requests in rounds:
        prefixes = [request.prefix or "" for request in requests]
        assert prefixes == sorted(prefixes)


def test_virtual_loss_keeps_a_window_of_simulations_under_way() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, policy, simulations=160, window=16, rounds=rounds)
    assert [sum(request.n for request in requests) for requests in rounds] == [16] * 10


def test_steps_are_made_of_what_a_stop_string_ended_and_ends_of_what_it_did_not() -> None:
    nodes = texts(grow(mcts, policy, simulations=9, expand="step", rule="breadth", children=2, evaluate=("rollouts",)))
    assert all(text.endswith("\n") or text == "" for text, row in nodes.items() if not row["terminal"])
    assert {text.rsplit("\n", 1)[1][:7] for text, row in nodes.items() if row["terminal"]} == {"Answer:"}


def test_a_call_that_failed_or_was_cut_is_no_evidence() -> None:
    told = [
        Choice(0, "", outcome="refused"),
        Choice(1, "way 1\nway", outcome="truncated", finish_reason="length"),
        Choice(2, "way 0\nAnswer: R"),
    ]
    nodes = texts(grow(mcts, lambda _, index: told[index], simulations=1, rule="breadth", children=3))
    root, cut = nodes[""], nodes["way 1\n"]
    assert (root["visits"], root["rollouts"], root["successes"], root["value"]) == (1, 1, 1, 1.0)
    assert root["meta"]["failed"] == 2
    assert (cut["visits"], cut["rollouts"], cut["value"]) == (0, None, None)


def test_a_tree_whose_calls_all_fail_is_a_root_that_nobody_visited() -> None:
    grown = grow(mcts, lambda *_: None, simulations=5)
    assert [(row["visits"], row["value"], row["meta"]["failed"]) for row in grown.nodes] == [(0, None, 5)]
    assert grown.completions == []


def test_an_unreadable_end_has_no_reward_and_no_visit() -> None:
    nodes = texts(grow(mcts, lambda *_: "way 0\nwho knows", simulations=6, keep_path=True))
    assert nodes["way 0\nwho knows"]["reward"] is None
    assert {row["visits"] for row in nodes.values()} == {0}


def test_an_answer_nothing_can_follow_ends_its_own_step() -> None:
    nodes = texts(grow(mcts, lambda request, _: "" if request.prefix else "R", simulations=4, children=1))
    assert nodes["R"]["terminal"]


def test_it_stops_when_enough_right_and_wrong_ends_are_there() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, policy, simulations=400, solved=1, keep_path=True, rounds=rounds)
    assert len(rounds) < 40


def test_it_stops_when_the_best_first_step_no_longer_changes() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, lambda *_: "way 0\nAnswer: R", simulations=400, stable=3, rounds=rounds)
    assert len(rounds) == 4


def test_an_advancing_root_plays_a_path_to_an_end() -> None:
    nodes = texts(
        grow(mcts, policy, expand="step", rule="puct", children=3, simulations=4, advance=True, evaluate=("rollouts",))
    )
    played = [text for text, row in nodes.items() if row["meta"].get("played")]
    assert len(played) == 3
    assert nodes[played[-1]]["terminal"]


def test_a_beam_expands_only_its_width() -> None:
    rounds: list[list[Request]] = []
    grow(mcts, policy, rule="beam", width=2, children=6, simulations=20, rounds=rounds)
    assert [len(requests) for requests in rounds] == [1, 2, 2]


def test_values_from_minus_one_to_one_are_those_from_nought_to_one_stretched() -> None:
    plain = texts(grow(mcts, policy, simulations=30, rule="breadth"))
    stretched = texts(grow(mcts, policy, simulations=30, rule="breadth", scale="pm1"))
    assert {t: r["value"] for t, r in stretched.items()} == {
        t: None if r["value"] is None else pytest.approx(2 * r["value"] - 1) for t, r in plain.items()
    }


def test_self_evaluation_values_a_step_by_the_probability_of_the_option() -> None:
    def go_on(request: Request, index: int) -> str | Choice:
        if request.template == "opinion-2":
            tokens = (Token("A", -0.5, (("A", -0.5), ("B", -1.0))),)
            return Choice(index, "A", tokens=tokens)
        return policy(request, index)

    nodes = texts(grow(mcts, go_on, expand="step", simulations=2, evaluate=("self",)))
    found = [row["self_evaluation"] for row in nodes.values() if row["parent"] is not None and not row["terminal"]]
    assert found
    assert found == [pytest.approx(0.622459, abs=1e-6)] * len(found)


def test_whole_answers_met_are_completions_with_the_node_they_continue() -> None:
    grown = grow(mcts, policy, simulations=10)
    assert len(grown.completions) == 10
    named = {row["node"]: text for text, row in texts(grown).items()}
    for row in grown.completions:
        assert row["messages"][0]["content"].startswith(named[row["node"]])
        assert (row["prefix"] or "") == named[row["node"]]


@pytest.mark.parametrize("expand", ["whole", "step"])
def test_chunks_of_tokens_are_steps(expand: str) -> None:
    def letters(request: Request, index: int) -> Choice:
        told = len(request.prefix or "")
        rest = f"abcdefg{'RW'[index % 2]}"[told:]
        said = rest[: request.max_tokens]
        cut = len(said) < len(rest)
        return Choice(
            index, said, outcome="truncated" if cut else "ok", finish_reason="length" if cut else "stop",
            tokens=tuple(Token(letter, -0.1) for letter in said), completion_tokens=len(said),
        )  # fmt: skip

    params: dict[str, Any] = {"delimiter": "tokens", "chunk": 3, "expand": expand, "keep_path": True}
    found = texts(grow(mcts, letters, children=2, simulations=8, **params))
    assert set(found) == {"", "abc", "abcdef", "abcdefgR", "abcdefgW"}
    assert (found["abcdefgR"]["reward"], found["abcdefgW"]["reward"]) == (1.0, 0.0)


def test_turns_are_steps() -> None:
    nodes = texts(
        grow(
            mcts,
            lambda *_: "Assistant: a\nmore\nUser: b\nAssistant: R",
            delimiter="turn",
            keep_path=True,
            simulations=1,
        )
    )
    assert [row["text"] for row in nodes.values()] == ["", "Assistant: a\nmore\n", "User: b\n", "Assistant: R"]


def test_a_node_widens_as_it_is_visited() -> None:
    def many(request: Request, index: int) -> str:
        return f"way {index}\nAnswer: R"

    def fan(widen: float) -> int:
        nodes = texts(grow(mcts, many, children=2, widen=widen, simulations=64))
        return sum(row["parent"] == 0 for row in nodes.values())

    assert fan(0.0) == 2
    assert fan(0.5) == 16  # 2 * sqrt(64)


def test_a_critic_must_be_named() -> None:
    with pytest.raises(ValueError, match="no judge is named as critic"):
        next(mcts(PROMPT, verdicts(), policy="script", evaluate=("critic",)))


def test_the_scripted_policy_cuts_at_stop_strings_as_engines_do() -> None:
    request = Request("script", n=1, stop=("\n",), logprobs=True)
    choice = reply(request, lambda *_: "a\nb").choices[0]
    assert (choice.text, "".join(token.text for token in choice.tokens)) == ("a", "a\n")
