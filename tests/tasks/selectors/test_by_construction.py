import polars as pl
import pytest

from tasks.selectors.by_construction import by_construction
from tests.support.scored import completions


def rows(*kinds, **columns):
    return completions([
        {"completion_id": f"{i:03d}", "meta": None if kind is None else f'{{"condition":"{kind}"}}',
         **{name: values[i] for name, values in columns.items()}}
        for i, kind in enumerate(kinds)
    ])  # fmt: skip


def pairs(frame, **chosen):
    found = by_construction(frame, **chosen)
    return [tuple(map(int, pair)) for pair in found.select("chosen_id", "rejected_id").iter_rows()]


def test_each_demonstration_over_each_sample_of_its_own_prompt():
    frame = rows(*[None] * 8, policy=["demo", "own", "own", "own"] * 2, prompt_id=["p"] * 4 + ["q"] * 4)
    found = pairs(frame, by="policy", better="demo")
    assert found == [(0, 1), (0, 2), (0, 3), (4, 5), (4, 6), (4, 7)]


def test_conditions_the_sampler_noted():
    frame = rows("good", "bad", "none", "good")
    assert pairs(frame, better="good", worse="bad") == [(0, 1), (3, 1)]
    assert pairs(frame, better="good") == [(0, 1), (0, 2), (3, 1), (3, 2)]
    assert by_construction(frame, better="good", worse="bad")["level"].to_list() == ["good>bad"] * 2


def test_what_was_not_made_in_any_way_is_no_worse():
    assert pairs(rows("good", None), better="good") == []


def test_a_revision_over_its_own_draft():
    frame = rows("draft", "draft", "revised", "revised", content_id=["a", "b", "c", "d"],
                 derived_from=[None, None, "b", "a"])  # fmt: skip
    assert pairs(frame, better="revised", worse="draft", same_draft=True) == [(2, 1), (3, 0)]


def test_a_revision_that_changed_nothing_makes_no_pair():
    frame = rows("draft", "revised", content_id=["a", "a"], derived_from=[None, "a"])
    assert pairs(frame, better="revised", worse="draft", same_draft=True) == []


def test_a_cap_is_drawn_by_lot_whatever_the_order_of_rows():
    frame = rows(*["good", "bad"] * 5)
    one = by_construction(frame, better="good", per_prompt=3, seed=1)
    assert one.height == 3
    assert one.equals(by_construction(frame.reverse(), better="good", per_prompt=3, seed=1))
    drawn = {pair for seed in range(60) for pair in pairs(frame, better="good", per_prompt=1, seed=seed)}
    assert len(drawn) > 15


def test_an_answer_that_is_none_takes_no_part():
    frame = rows("good", "bad").with_columns(finish_reason=pl.Series(["stop", "empty"]))
    assert pairs(frame, better="good") == []


def test_better_and_worse_differ():
    with pytest.raises(ValueError, match="both 'a'"):
        by_construction(rows("a"), better="a", worse="a")
