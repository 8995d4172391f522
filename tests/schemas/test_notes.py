import orjson
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from schemas.notes import note, noted

META = st.none() | st.dictionaries(st.sampled_from("xyz"), st.integers() | st.text(), max_size=3)


@given(st.lists(META, max_size=5), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_old_keys_stay_and_new_ones_come_back(old, number, word):
    texts = [None if each is None else orjson.dumps({k: v if not isinstance(v, int) else v % 2**53 for k, v in
             each.items()}).decode() for each in old]  # fmt: skip
    frame = pl.DataFrame({"meta": pl.Series(texts, dtype=pl.String)})
    made = noted(frame, number=pl.lit(number), word=pl.lit(word), both=pl.concat_list(pl.lit(1), pl.lit(2)))
    for before, after in zip(texts, made["meta"], strict=True):
        assert orjson.loads(after) == {**(orjson.loads(before) if before else {}), "number": number, "word": word,
                                       "both": [1, 2]}  # fmt: skip


def test_a_number_that_is_none_becomes_null():
    assert noted(pl.DataFrame({"n": [float("nan")]}), n=pl.col("n"))["meta"].to_list() == ['{"n":null}']


def test_a_key_is_read_again():
    frame = pl.DataFrame({"meta": ['{"a":{"b":1.5},"c":"x"}', None]})
    assert frame.select(note("a.b", pl.Float64), c=note("c")).rows() == [(1.5, "x"), (None, None)]
