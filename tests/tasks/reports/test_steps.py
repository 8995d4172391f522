"""How well a judge finds the first wrong step."""

from __future__ import annotations

import polars as pl
import pytest

from tasks.reports._steps import of_steps
from tasks.reports.audit import as_json, audit, audit_row
from tasks.reports.audit_page import audit_page
from tasks.reports.gold_steps import are_steps


def found(*cases: tuple[str, str | None]) -> dict[str, object]:
    """Audits a judge on solutions: the label and what the judge said, null for a reply that could not be read."""
    items = [f"i{number}" for number in range(len(cases))]
    gold = pl.DataFrame({"item_id": items, "label": [label for label, _ in cases], "task": "sorting"})
    said = [word for _, word in cases]
    verdicts = pl.DataFrame(
        {"item_id": items, "judge": "j", "trial": None, "swapped": None, "verdict": said,
         "outcome": ["unparsable" if word is None else "valid" for word in said], "probability": None},
        schema_overrides={"trial": pl.Int64, "swapped": pl.Boolean, "probability": pl.Float64, "verdict": pl.String},
    )  # fmt: skip
    return audit(gold, verdicts, judge="j")


CASES = [
    ("3", "3"), ("3", "2"), ("3", "5"), ("3", "none"), ("3", None), ("none", "none"), ("none", "4"), ("none", None),
    ("10", "9"), ("2", "2"),
]  # fmt: skip


def test_every_verdict_is_one_of_seven_kinds() -> None:
    steps = found(*CASES)["steps"]
    assert steps["kinds"] == {
        "exact": 2, "before": 2, "after": 1, "missed": 1, "right none": 1, "false alarm": 1, "failed": 2,
    }  # fmt: skip


def test_f1_is_the_harmonic_mean_of_both_accuracies_and_a_failure_is_wrong() -> None:
    steps = found(*CASES)["steps"]
    assert steps["erroneous"][0] == pytest.approx(2 / 7)
    assert steps["error_free"][0] == pytest.approx(1 / 3)
    assert steps["f1"].value == pytest.approx(2 * (2 / 7) * (1 / 3) / (2 / 7 + 1 / 3))
    assert steps["f1"].low < steps["f1"].value < steps["f1"].high
    assert steps["within_one"][0] == pytest.approx(4 / 7)
    assert steps["tasks"]["sorting"]["f1"] == steps["f1"]


def test_a_judge_that_is_never_right_has_an_f1_of_nought_and_one_kind_of_solution_none() -> None:
    assert found(("1", "2"), ("none", "1"))["steps"]["f1"].value == 0.0
    assert found(("1", "1"), ("2", "2"))["steps"]["f1"].value is None


def test_other_labels_are_no_steps() -> None:
    assert not are_steps(pl.Series(["first", "tie"]))
    assert not are_steps(pl.Series(["0", "1"]))
    assert not are_steps(pl.Series([None], dtype=pl.String))
    assert of_steps(pl.DataFrame({"label": ["first"]})) is None


def test_page_and_row_hold_the_steps() -> None:
    document = found(*CASES)
    page = audit_page(document, gold="g")
    assert "First wrong step" in page
    assert "28.6 %" in page
    row = audit_row(document, fingerprint="f", gold="g", gold_hash="h")
    assert '"false alarm":1' in row["meta"]
    assert as_json(document)["steps"]["kinds"]["missed"] == 1
