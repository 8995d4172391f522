import orjson
import polars as pl
import pytest

from tasks.weighters.win_share import win_share
from tests.support.preferences import pairs
from tests.support.scored import duels, graded


def made(wins, of=9, **chosen):
    votes = [duels([("c0", "r0", 1.0 if k < wins else 0.0)], judge=f"j{k}") for k in range(of)]
    return win_share(pairs([{}]), pl.concat(votes), **chosen).row(0, named=True)


@pytest.mark.parametrize(
    ("wins", "share", "target"), [(7, 0.7778, 1.2528), (9, 1.0, 2.9444), (0, 0.0, -2.9444), (5, 0.5556, 0.2231)]
)
def test_the_share_of_wins_and_its_logit(wins, share, target):
    row = made(wins)
    assert row["p_chosen"] == pytest.approx(share, abs=6e-5)
    assert row["strength"] == pytest.approx(target, abs=6e-5)
    assert orjson.loads(row["meta"]) == {"wins": wins, "annotators": 9}


def test_who_abstains_is_not_among_them():
    votes = pl.concat([
        duels([("c0", "r0", 1)], judge="a"), duels([("c0", "r0", 0)], judge="b"),
        duels([("c0", "r0", 1)], judge="c").with_columns(outcome=pl.lit("refused")),
    ])  # fmt: skip
    row = win_share(pairs([{}]), votes).row(0, named=True)
    assert (row["p_chosen"], row["strength"]) == (0.5, 0.0)
    assert orjson.loads(row["meta"])["annotators"] == 2


def test_a_tie_is_half_a_win_and_two_orders_are_one_voice():
    votes = pl.concat([duels([("c0", "r0", 0.5)], judge="a"), duels([("c0", "r0", 1), ("r0", "c0", 0)], judge="b")])
    assert win_share(pairs([{}]), votes)["p_chosen"].to_list() == [0.75]


def test_swapping_the_responses_negates_the_target():
    votes = pl.concat([duels([("c0", "r0", float(k < 7))], judge=f"j{k}") for k in range(9)])
    turned = win_share(pairs([{"chosen_id": "r0", "rejected_id": "c0"}]), votes)
    assert turned["strength"].to_list() == pytest.approx([-1.2528], abs=6e-5)


def test_two_ratings_are_a_vote():
    ratings = graded({"a": {"c": [3.0, 1.0]}, "b": {"c": [1.0, 2.0]}, "d": {"c": [5.0, 1.0]}})
    rows = pairs([{"chosen_id": "000", "rejected_id": "001"}])
    assert win_share(rows, ratings)["p_chosen"].to_list() == pytest.approx([2 / 3])


def test_nobody_voted_is_null_and_no_clip_is_refused():
    row = win_share(pairs([{}]), duels([("x", "y", 1)])).row(0, named=True)
    assert (row["p_chosen"], row["strength"]) == (None, None)
    with pytest.raises(ValueError, match="would be infinite"):
        made(9, clip=0.0)
