import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.scorers.win_rate import win_rate

SCHEMA = {
    "prompt_id": pl.String, "judge": pl.String, "fingerprint": pl.String, "subjects": pl.List(pl.String),
    "criterion": pl.String, "kind": pl.String, "outcome": pl.String, "winner": pl.String, "comparison_id": pl.String,
    "comparison": pl.String,
}  # fmt: skip


def duel(one, other, winner, comparison="agreed", judge="j"):
    """Both orders of a comparison."""
    winners = {"tied": (None, None), "contradicted": (one, other), "incomplete": (one, None)}
    both = winners.get(comparison, (winner, winner))
    orders = ([one, other], [other, one])
    key = ("overall", "pairwise", "valid")
    return [
        ("p", judge, judge, order, *key, won, f"{one}{other}", comparison)
        for order, won in zip(orders, both, strict=True)
    ]


def frame(*duels):
    return pl.DataFrame([row for rows in duels for row in rows], schema=SCHEMA, orient="row")


def scores(*duels, **chosen):
    rows = win_rate(frame(*duels), **chosen).to_dicts()
    return {row["completion_id"]: (row["score"], row["judgments"]) for row in rows}


def test_wins_over_comparisons():
    found = scores(duel("a", "b", "a"), duel("a", "c", "a"), duel("b", "c", "c"))
    assert found == {"a": (1.0, 2), "b": (0.0, 2), "c": (0.5, 2)}


def test_a_tie_is_half_a_win_to_each_or_nothing():
    duels = (duel("a", "b", "a"), duel("a", "c", None, "tied"))
    assert scores(*duels) == {"a": (0.75, 2), "b": (0.0, 1), "c": (0.5, 1)}
    assert scores(*duels, ties="none") == {"a": (1.0, 1), "b": (0.0, 1)}


@pytest.mark.parametrize("comparison", ["contradicted", "incomplete"])
def test_a_comparison_that_failed_counts_as_nothing(comparison):
    assert scores(duel("a", "b", None, comparison)) == {}
    assert scores(duel("a", "b", None, comparison), duel("a", "c", "c")) == {"a": (0.0, 1), "c": (1.0, 1)}


def test_the_same_comparison_by_two_judges_counts_twice():
    assert scores(duel("a", "b", "a"), duel("a", "b", "b", judge="k")) == {"a": (0.5, 2), "b": (0.5, 2)}


def test_the_error_is_that_of_the_comparisons():
    found = win_rate(frame(duel("a", "b", "a"), duel("a", "c", "c"))).sort("completion_id")
    # a: 1 and 0, sample sd sqrt(1/2), over sqrt(2)
    assert found["standard_error"].to_list() == [pytest.approx(0.5), None, None]


DUELS = st.lists(
    st.tuples(
        st.sampled_from(["ab", "ac", "bc"]), st.booleans(), st.sampled_from(["agreed", "tied", "contradicted"])
    ).map(lambda drawn: duel(*drawn[0], drawn[0][drawn[1]], drawn[2])),
    max_size=3,
    unique_by=lambda rows: rows[0][8],
)


@settings(deadline=None)
@given(DUELS)
def test_swapping_every_duel_mirrors_the_score(duels):
    mirrored = frame(*duels)
    other = pl.when(pl.col("winner") == pl.col("subjects").list.first()).then(pl.col("subjects").list.last())
    flipped = other.otherwise(pl.col("subjects").list.first())
    agreed = pl.col("comparison") == "agreed"
    mirrored = mirrored.with_columns(winner=pl.when(agreed).then(flipped).otherwise("winner"))
    before = {row["completion_id"]: row["score"] for row in win_rate(frame(*duels)).to_dicts()}
    after = {row["completion_id"]: row["score"] for row in win_rate(mirrored).to_dicts()}
    assert after == pytest.approx({name: 1 - score for name, score in before.items()})


@settings(deadline=None)
@given(DUELS, st.randoms())
def test_the_order_of_rows_and_of_answers_does_not_matter(duels, random):
    rows = [row for rows in duels for row in rows]
    shuffled = pl.DataFrame(random.sample(rows, len(rows)), schema=SCHEMA, orient="row")
    assert win_rate(frame(*duels)).equals(win_rate(shuffled))
    assert win_rate(frame(*duels)).equals(win_rate(frame(*(pair[::-1] for pair in duels))))
