import polars as pl

from tasks.exports.parquet import parquet


def test_where_and_when_it_was_made_stay_behind_and_rows_stand_by_id():
    frame = pl.DataFrame({"dataset": ["d", "d"], "pair_id": ["b", "a"], "margin": [1.0, None], "run_id": ["r", "r"]})
    assert parquet(frame).to_dicts() == [{"pair_id": "a", "margin": None}, {"pair_id": "b", "margin": 1.0}]


def test_equal_data_make_equal_files(tmp_path):
    frame = pl.DataFrame({"pair_id": ["b", "a"], "margin": [1.0, 2.0], "created_at": [1, 2]})
    later = frame.reverse().with_columns(created_at=pl.lit(9))
    for name, rows in (("one", frame), ("two", later)):
        parquet(rows).write_parquet(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
