import itertools

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.selectors.agreeing_lists import agreeing_lists, longest
from tests.support.scored import scored


def made(black, white, **chosen):
    names = sorted(black)
    tables = scored({
        "black": [-black.index(name) for name in names], "white": [-white.index(name) for name in names],
    })  # fmt: skip
    found = agreeing_lists(*tables, ranking="black", other="white", **chosen)
    return [
        ("".join(names[int(i)] for i in ids), "".join(names[int(i)] for i in orjson.loads(meta)["agreed"]))
        for ids, meta in found.select("completion_ids", "meta").iter_rows()
    ]


def test_the_longest_agreement_that_begins_earliest_in_the_first_ranking():
    assert made("CABD", "ACBD") == [("CABD", "CBD")]


def test_reversed_rankings_agree_on_one_and_make_no_list():
    assert made("ABCD", "DCBA") == []


def test_equal_rankings_agree_on_all():
    assert made("BAC", "BAC") == [("BAC", "BAC")]
    assert made("BAC", "BAC", least=4) == []


@given(st.permutations(range(6)))
def test_it_is_the_longest_of_all(order):
    kept = longest(np.array([order]))[0]
    taken = [value for value, hit in zip(order, kept, strict=True) if hit]
    assert taken == sorted(taken)
    rising = [
        chosen for size in range(7) for chosen in itertools.combinations(range(6), size)
        if [order[i] for i in chosen] == sorted(order[i] for i in chosen)
    ]  # fmt: skip
    best = max(map(len, rising))
    assert tuple(np.flatnonzero(kept)) == min(chosen for chosen in rising if len(chosen) == best)


def test_one_id_is_no_agreement():
    with pytest.raises(ValueError, match="least is 1"):
        made("AB", "AB", least=1)
