from collections import Counter
from itertools import product

import pytest

from tasks.selectors.leaf_pairs import leaf_pairs
from tests.support.nodes import meta, pairs, toy, tree


def binary(depth):
    """A full binary tree whose ends have rewards of their own: 0, 1, 2, …"""
    steps = {}
    ends = list(product("ab", repeat=depth))
    for path in (path for d in range(1, depth + 1) for path in product("ab", repeat=d)):
        own = {"terminal": True, "reward": float(ends.index(path))} if len(path) == depth else {}
        steps["/".join(f"{letter}{place}" for place, letter in enumerate(path))] = own
    return tree(steps)


def test_eight_leaves_make_twenty_eight_pairs_most_of_which_part_at_the_root():
    found = leaf_pairs(binary(3))
    assert found.height == 28
    assert Counter(note["lca_depth"] for note in meta(found)) == {0: 16, 1: 8, 2: 4}
    assert (found["chosen_score"] > found["rejected_score"]).all()


def test_eight_chains_share_nothing():
    chains = tree({f"c{i}": {"terminal": True, "reward": float(i)} for i in range(8)})
    assert Counter(note["lca_depth"] for note in meta(leaf_pairs(chains))) == {0: 28}


def test_what_two_answers_share_is_the_prefix_and_the_rest_is_theirs():
    found = leaf_pairs(toy())
    assert pairs(found) == [("A/A1", "A/A2"), ("A/A1", "B/B1")]  # A2 and B1 tie
    assert found["prefix"].to_list() == ["A\n", ""]
    assert [messages[0]["content"] for messages in found["chosen"]] == ["A1\n", "A\nA1\n"]


def test_depths_can_be_bounded_and_balanced():
    full = binary(3)
    assert leaf_pairs(full, min_depth=1).height == 12
    assert leaf_pairs(full, max_depth=1).height == 24
    assert Counter(note["lca_depth"] for note in meta(leaf_pairs(full, per_depth=3))) == {0: 3, 1: 3, 2: 3}
    assert leaf_pairs(full, min_gap=6.0).height == 1  # only 7 over 0


def test_a_parameter_out_of_range_is_named():
    with pytest.raises(ValueError, match="per_depth 0"):
        leaf_pairs(toy(), per_depth=0)
