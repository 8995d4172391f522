from math import exp

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant, text_of
from tasks.texts.differences import differing
from tasks.weighters.edit_weights import edit_weights, token_weights
from tests.support.nodes import meta
from tests.support.preferences import pairs

PAIR = {"chosen": assistant("the cat sat on the mat"), "rejected": assistant("the dog sat on a mat")}
NONE = {"completion_id": pl.String, "tokens": pl.List(pl.String), "token_logprobs": pl.List(pl.Float64)}


def made(*told, **more):
    return meta(edit_weights(pairs([PAIR]), pl.DataFrame(told, schema=NONE, orient="row"), **more))[0]


def test_words_that_differ_where_no_tokens_are_known():
    assert made() == {
        "chosen_mask": [0, 1, 0, 0, 1, 0], "rejected_mask": [0, 1, 0, 0, 1, 0], "chosen_weights": None,
        "rejected_weights": None,
    }  # fmt: skip


def test_tokens_that_differ_weigh_more_up_to_a_bound():
    found = made(("c0", ["a", "b", "c"], [-0.1, -0.1, -2.0]), ("r0", ["a", "x"], [-0.5, -9.0]))
    assert (found["chosen_mask"], found["rejected_mask"]) == ([0, 1, 1], [0, 1])
    assert found["chosen_weights"] == pytest.approx([1.0, 2.1052, 2.5], abs=6e-5)
    assert found["rejected_weights"] == [1.0, 2.5]
    assert made(("c0", ["a", "b"], [-0.1, -2.0]), ("r0", ["a"], [-1.0]), delta=3.0)["chosen_weights"] == [1.0, 4.0]


def test_tokens_of_one_side_alone_are_no_tokens():
    assert made(("c0", ["a"], [-0.1]))["chosen_mask"] == [0, 1, 0, 0, 1, 0]


TOKENS = st.lists(st.sampled_from("abcd"), max_size=9)
TOLD = st.none() | TOKENS.flatmap(
    lambda tokens: st.tuples(st.just(tokens), st.none() | st.lists(st.floats(-3, 0), min_size=len(tokens)))
)


@given(st.lists(st.tuples(TOLD, TOLD), max_size=5), st.floats(0, 4))
def test_the_same_as_a_pair_at_a_time(told, delta):
    rows = pairs([{**PAIR, "pair_id": str(n), "chosen_id": f"c{n}", "rejected_id": f"r{n}"} for n in range(len(told))])
    known = [(f"{side}{n}", *own) for n, row in enumerate(told) for side, own in zip("cr", row, strict=True) if own]
    found = meta(edit_weights(rows, pl.DataFrame(known, schema=NONE, orient="row"), delta=delta))
    for row, sides in zip(found, told, strict=True):
        texts = [own[0] if own and all(s and s[0] for s in sides) else None for own in sides]
        words = [text_of(PAIR[side]).split() for side in ("chosen", "rejected")]
        masks = differing(*(text or said for text, said in zip(texts, words, strict=True)))
        assert (row["chosen_mask"], row["rejected_mask"]) == masks
        for side, mask, text, own in zip(("chosen", "rejected"), masks, texts, sides, strict=True):
            whole = text and own[1] is not None and len(own[1]) == len(text)
            expected = (
                [1 + on * min(exp(-logp), delta) for on, logp in zip(mask, own[1], strict=True)] if whole else None
            )
            assert row[f"{side}_weights"] == expected


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_masks_are_empty_for_equal_texts_alone_and_what_is_left_is_the_same(one, other):
    left, right = differing(one, other)
    assert (len(left), len(right)) == (len(one), len(other))
    assert (not any(left + right)) == (one == other)
    assert [a for a, on in zip(one, left, strict=True) if not on] == [
        b for b, on in zip(other, right, strict=True) if not on
    ]


def test_a_negative_bound_is_refused():
    with pytest.raises(ValueError, match="delta is -1"):
        made(delta=-1)
    assert token_weights(pl.Series([1]), pl.Series([-1e9]), 1.5).to_list() == [2.5]
