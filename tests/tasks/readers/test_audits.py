import numpy as np
import orjson
import polars as pl
import pytest

from tasks.readers.audits import Audited, effective, of_audits, together, voices


def record(wrong, count=40):
    """A judge that names the worse one on the items given."""
    said = np.full((count, 4), np.nan)
    said[:, 2] = [-1.0 if item in wrong else 1.0 for item in range(count)]
    return Audited([("g", f"{item:02d}") for item in range(count)], said)


def row(fingerprint, wrong, gold="g", count=40):
    table = {"item_id": [f"{item:02d}" for item in range(count)], "straight": [None] * count, "turned": [None] * count,
             "blind": [-1.0 if item in wrong else 1.0 for item in range(count)], "implied": [None] * count}  # fmt: skip
    return {"fingerprint": fingerprint, "gold_hash": gold, "meta": orjson.dumps({"answers": table}).decode()}


def test_copies_are_worth_one_judge_and_independent_ones_are_worth_themselves():
    copies = together([record(range(10)), record(range(10)), record(range(10))])
    assert copies is not None
    assert copies.effective == pytest.approx(1.0)
    assert copies.both[0, 1] == pytest.approx(0.25)
    # each errs on 20 of 40, on 10 of them together: what chance would do
    apart = together([record(range(20)), record(range(10, 30))])
    assert apart is not None
    assert (apart.correlation[0, 1], apart.effective) == (pytest.approx(0.0), pytest.approx(2.0))


def test_errors_coincide_by_the_phi_coefficient():
    # 10 and 10 wrong of 40, 5 both: (5/40 - 1/16) / (3/16) = 1/3
    met = together([record(range(10)), record(range(5, 15))])
    assert met is not None
    assert met.correlation[0, 1] == pytest.approx(1 / 3)
    assert met.effective == pytest.approx(2 / (1 + 1 / 3))


def test_few_common_items_tell_nothing():
    assert together([record(range(5), 20), record(range(5), 20)]) is None


def test_a_judge_that_never_errs_has_no_correlation_and_keeps_its_voice():
    assert effective(np.array([[1.0, np.nan], [np.nan, 1.0]])) == 2.0
    assert voices(["a", "b"], pl.DataFrame([row("a", []), row("b", range(10))])) == {}


def test_judges_that_err_alike_share_a_voice_and_strangers_keep_theirs():
    audits = pl.DataFrame([row("a", range(10)), row("b", range(10)), row("c", range(10), gold="another")])
    assert voices(["a", "b", "c", None], audits) == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}


def test_an_audit_of_an_earlier_edition_is_read_as_signs():
    found = of_audits(pl.DataFrame([row("a", [3])]))["a"]
    assert (found.old, found.unit, found.like) == (True, "verdict", None)
    assert found.targets().tolist() == [1.0] * 40


def test_people_who_tie_are_no_error():
    one = record(range(10))._replace(truth=np.r_[np.full(8, 0.5), np.ones(32)])
    met = together([one, record(range(10))])
    assert met is not None
    assert met.items == 32
    assert met.wrong.tolist() == pytest.approx([2 / 32, 2 / 32])
