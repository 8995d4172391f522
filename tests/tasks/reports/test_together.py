import orjson
import polars as pl
import pytest

from tasks.reports.audit import as_json, audit
from tasks.reports.audit_page import audit_page
from tasks.reports.together import together

ITEMS = [f"{i:02d}" for i in range(40)]
GOLD = pl.DataFrame({"item_id": ITEMS, "label": ["first"] * 40})


def document(judge, wrong):
    said = ["second" if i in wrong else "first" for i in range(40)]
    verdicts = pl.DataFrame({"item_id": ITEMS, "judge": judge, "outcome": "valid", "verdict": said, "swapped": False})
    return audit(GOLD, verdicts, judge=judge)


def row(judge, wrong, gold="g"):
    return {"fingerprint": f"f-{judge}", "gold_hash": gold, "meta": orjson.dumps(as_json(document(judge, wrong)))
            .decode()}  # fmt: skip


def test_an_audit_says_what_its_judge_and_the_others_err_in_together():
    audits = pl.DataFrame([row("b", range(5, 15)), row("c", range(10), gold="another")])
    found = together(document("a", range(10)), "f-a", "g", audits)
    assert found is not None
    assert found["others"] == [
        {"judge": "b", "items": 40, "both_wrong": 0.125, "by_chance": 0.0625, "correlation": pytest.approx(1 / 3)}
    ]
    assert found["effective"] == pytest.approx(1.5)
    page = audit_page(document("a", range(10)) | {"together": found}, gold="set")
    assert "they are 2 judges, worth 1.5 whose errors are independent" in page


def test_alone_a_judge_has_nothing_in_common():
    assert together(document("a", range(10)), "f-a", "g", pl.DataFrame([row("a", range(10))])) is None
