"""Ids: the same content, the same id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Request
from schemas.ids import canonical, coin, content_id, seed_for

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical(value) == canonical(turned)
    assert content_id(value) == content_id(turned)


def test_an_id_is_thirty_two_hex_digits_and_never_changes() -> None:
    assert content_id("prompt", 1) == "274cc486bbfa832e2c13e843647fe01b"
    assert content_id("a", "b") != content_id("ab")


@given(st.integers(0, 2**31), st.text())
def test_coins_and_seeds_depend_on_nothing_else(seed: int, name: str) -> None:
    assert 0 <= coin(seed, name) < 1
    assert coin(seed, name) == coin(seed, name)
    assert 0 <= seed_for(seed, name) < 2**31


def test_coins_are_fair() -> None:
    heads = sum(coin(0, i) < 0.5 for i in range(10_000))
    assert 4_800 < heads < 5_200


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"}, {"messages": [{"role": "user", "content": "ho"}]}, {"temperature": 0.5}, {"seed": 1},
        {"max_tokens": 7}, {"stop": ("x",)}, {"prefix": "a"}, {"top_p": 0.9}, {"template": "v2"}, {"kind": "score"},
        {"schema": {"type": "object"}}, {"text": "hi"}, {"extra": {"top_k": 5}}, {"logprobs": True},
        {"top_logprobs": 3}, {"tools": [{"type": "function"}]},
        {"revision": "r"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_everything_that_can_change_an_answer_is_in_the_question(change: dict[str, Any]) -> None:
    plain = Request(model="m", messages=[{"role": "user", "content": "hi"}])
    assert replace(plain, **change).question() != plain.question()


def test_which_samples_are_wanted_is_not_in_the_question() -> None:
    plain = Request(model="m", messages=[{"role": "user", "content": "hi"}])
    assert replace(plain, n=8, first=3).question() == plain.question()
