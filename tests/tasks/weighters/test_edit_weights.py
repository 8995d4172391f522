import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.weighters.edit_weights import differing, edit_weights, token_weights
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
    assert token_weights([1], [-1e9], 1.5) == [2.5]
