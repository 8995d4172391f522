"""What happens to the spooled pairs of all shards at the end of a run."""

from types import SimpleNamespace

import polars as pl
import pytest

from flows.shards import Spool, conclude
from schemas.blocks import relabeler, row_filter
from schemas.messages import assistant, text_of, to_rows
from schemas.tables import AUDITS, PREFERENCES
from tasks.registry import _block
from tasks.score import Step

COLUMNS = ["pair_id", "prompt_id", "prompt", "chosen", "rejected", "chosen_id", "rejected_id", "margin"]
SCHEMA = {name: PREFERENCES.empty().schema[name] for name in COLUMNS}
SEEN: list[list[str]] = []


@row_filter(scope="dataset")
def narrow(preferences):
    SEEN.append(preferences.columns)
    return preferences.filter(pl.col("margin") < 1).select(row_id="pair_id", reason=pl.lit("narrow"), value=pl.lit("x"))


@row_filter(scope="dataset", texts=True)
def rude(preferences):
    SEEN.append(preferences.columns)
    said = pl.col("chosen").list.first().struct.field("content")
    return preferences.filter(said == "no 3").select(row_id="pair_id", reason=pl.lit("rude"), value=said)


@relabeler(scope="dataset")
def turn(preferences):
    ids = pl.when(pl.col("pair_id") == "2")
    return preferences.with_columns(
        chosen_id=ids.then("rejected_id").otherwise("chosen_id"),
        rejected_id=ids.then("chosen_id").otherwise("rejected_id"),
    )


def rows(*numbers):
    made = [
        {"pair_id": str(i), "prompt_id": "p", "prompt": to_rows("q"), "chosen": assistant(f"yes {i}"),
         "rejected": assistant(f"no {i}"), "chosen_id": f"c{i}", "rejected_id": f"r{i}", "margin": float(i)}
        for i in numbers
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SCHEMA)


@pytest.fixture
def spool(tmp_path):
    found = Spool(tmp_path / "spool")
    found.start()
    found.write("preferences", 0, rows(0, 1))
    found.write("preferences", 1, rows(2, 3))
    return found


def ends(spool, *functions):
    steps = [Step(_block(function), {}, "test") for function in functions]
    SEEN.clear()
    conclude(SimpleNamespace(last=steps, late=False, audits=AUDITS.empty()), spool)
    return {
        row["pair_id"]: (text_of(row["chosen"]), text_of(row["rejected"]))
        for file in spool.files("preferences")
        for row in pl.read_parquet(file).iter_rows(named=True)
    }


def test_texts_are_loaded_only_for_blocks_that_ask_for_them(spool):
    left = ends(spool, narrow, rude, narrow)
    assert set(left) == {"1", "2", "3"}
    assert [("chosen" in columns) for columns in SEEN] == [False, True, False]
    removed = pl.concat([pl.read_parquet(file) for file in spool.files("removals")])
    assert removed.select("row_id", "block").rows() == [("0", "narrow")]
    assert spool.counts.removed == {"narrow": {"narrow": 1}}


def test_a_pair_turned_round_at_the_end_has_its_texts_turned_round_too(spool):
    left = ends(spool, turn)
    assert left["2"] == ("no 2", "yes 2")
    assert left["3"] == ("yes 3", "no 3")


def test_a_block_after_it_sees_the_texts_turned_round(spool):
    @relabeler(scope="dataset")
    def turn_all(preferences):
        return preferences.with_columns(chosen_id="rejected_id", rejected_id="chosen_id")

    assert set(ends(spool, turn_all, rude)) == {"0", "1", "2"}
