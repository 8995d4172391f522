import polars as pl
import pytest

from tasks.relabelers.prompt_clusters import prompt_clusters
from tests.support.pairs import pair, pairs

WORDS = [f"w{i}" for i in range(4000)]


def near(i, changed):
    said = WORDS[20 * i : 20 * i + 20]
    return " ".join([*said[:changed], "x", *said[changed + 1 :]] if changed else said)


ROWS = pairs(*(pair(f"{i:03}{j}", prompt=near(i, j), chosen=f"{i}{j}") for i in range(200) for j in (0, 3, 10)))


def test_no_near_duplicate_crosses_splits_and_shares_are_met_about():
    found = prompt_clusters(ROWS, test=0.2, validation=0.1)
    assert found.columns == ROWS.columns
    splits = found.select(pl.col("pair_id").str.slice(0, 3), "split").unique()
    assert splits.height == 200  # each cluster of three is in one split
    counts = dict(splits["split"].value_counts().iter_rows())
    assert counts["test"] == pytest.approx(40, abs=15)
    assert counts["validation"] == pytest.approx(20, abs=12)


def test_a_chain_of_near_duplicates_is_one_cluster():
    words = WORDS[:60]
    chain = [" ".join(words[i : i + 20]) for i in range(0, 40, 2)]
    rows = pairs(*(pair(f"{i:02}", prompt=text) for i, text in enumerate(chain)))
    assert prompt_clusters(rows, test=0.5)["split"].n_unique() == 1


def test_order_does_not_matter_nothing_else_changes_and_the_seed_does():
    found = prompt_clusters(ROWS, test=0.3)
    assert found.drop("split").equals(ROWS.drop("split"))
    assert prompt_clusters(ROWS.reverse(), test=0.3).sort("pair_id").equals(found.sort("pair_id"))
    assert not prompt_clusters(ROWS, test=0.3, seed=1).equals(found)
    assert set(prompt_clusters(ROWS, test=0.0)["split"]) == {"train"}
    with pytest.raises(ValueError, match="something to train on"):
        prompt_clusters(ROWS, test=0.5, validation=0.5)
