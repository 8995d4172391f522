from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from schemas.tables import AUDITS
from tasks.reports.audit import as_json, audit, audit_row
from tasks.reports.audit_page import audit_page


def items(n: int, seed: int = 0, longer_right: float = 0.5) -> pl.DataFrame:
    """A gold set of pairs: either may be better, either longer, either by model m or n."""
    generator, rows = np.random.default_rng(seed), []
    for i in range(n):
        label = "first" if generator.random() < 0.5 else "second"
        first_longer = (generator.random() < longer_right) == (label == "first")
        rows.append({"item_id": f"{i:04}", "label": label, "first_chars": 200 if first_longer else 100,
                     "second_chars": 100 if first_longer else 200, "first_policy": "mn"[i % 2],
                     "second_policy": "nm"[i % 2], "subset": "even" if i % 4 < 2 else "odd"})  # fmt: skip
    return pl.DataFrame(rows)


def judged(gold: pl.DataFrame, judge: str, seed: int = 1) -> pl.DataFrame:
    """Verdicts of a scripted judge in both orders."""
    generator, rows = np.random.default_rng(seed), []
    for item, label, first, second, policy in gold.select(
        "item_id", "label", "first_chars", "second_chars", "first_policy"
    ).iter_rows():
        wrong = "second" if label == "first" else "first"
        good = label if generator.random() < 0.85 else wrong
        for swapped in (False, True):
            verdict = {
                "good": good, "first": "second" if swapped else "first",
                "longer": "first" if first > second else "second", "m": "first" if policy == "m" else "second",
                "random": "first" if generator.random() < 0.5 else "second",
            }[judge]  # fmt: skip
            rows.append({"item_id": item, "judge": judge, "trial": 0, "swapped": swapped, "outcome": "valid",
                         "verdict": verdict, "probability": None})  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"probability": pl.Float64})


def named(judge: str, longer_right: float = 0.5, policy: str | None = None) -> list[str]:
    gold = items(400, longer_right=longer_right)
    found = audit(gold, judged(gold, judge), judge=f"the {judge} judge", judge_policy=policy)
    return [finding["bias"] for finding in found["findings"]]


@pytest.mark.parametrize("longer_right", [0.5, 0.65])
def test_each_bias_is_named_and_no_other(longer_right: float) -> None:
    assert named("good", longer_right) == []
    assert named("first", longer_right) == ["position", "chance"]
    # one coin in forty looks better than chance
    assert set(named("random", longer_right)) <= {"chance"}
    assert [name for name in named("longer", longer_right) if name != "chance"] == ["length"]


def test_favouring_a_model_is_named_and_ones_own_apart() -> None:
    assert named("m") == ["model identity", "model identity", "chance"]
    assert named("m", policy="m") == ["self", "model identity", "chance"]


def verdict(
    item: str, said: str | None, swapped: bool | None = False, outcome: str | None = None, **more: Any
) -> dict[str, Any]:
    row = {"item_id": item, "judge": "j", "trial": 0, "swapped": swapped, "verdict": said, "probability": None,
           "outcome": outcome or ("tie" if said == "tie" else "valid")}  # fmt: skip
    return row | more


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema_overrides={"verdict": pl.String, "swapped": pl.Boolean, "probability": pl.Float64, "trial": pl.Int64},
    )


GOLD = pl.DataFrame({"item_id": ["1", "2", "3", "4"], "label": ["first", "first", "second", "tie"]})


def test_a_failure_agrees_with_nothing_and_a_contradiction_is_a_tie() -> None:
    rows = [verdict("1", "first"), verdict("2", None, outcome="unparsable"), verdict("3", "first"),
            verdict("4", None, None, "contradicted")]  # fmt: skip
    found = audit(GOLD, frame(rows), judge="j")
    assert found["verdict"]["all"][::3] == (0.5, 4)
    assert found["verdict"]["valid"][::3] == (2 / 3, 3)
    assert found["verdict"]["decided"][::3] == (0.5, 2)
    assert found["outcomes"] == {"contradicted": 1, "unparsable": 1, "valid": 2}


def test_two_unreadable_replies_agree_on_nothing() -> None:
    rows = [verdict("1", "first"), verdict("1", "first", True), verdict("2", None, False, "unparsable"),
            verdict("2", None, True, "unparsable")]  # fmt: skip
    found = audit(GOLD, frame(rows), judge="j")["order"]
    assert found["agreement"][::3] == (0.5, 2)
    assert found["agreement_read"][::3] == (1.0, 1)


def test_two_orders_make_one_verdict() -> None:
    rows = [verdict("1", "first"), verdict("1", "first", True), verdict("2", "first"), verdict("2", "second", True),
            verdict("3", "second"), verdict("3", None, True, "refused"), verdict("4", "tie"),
            verdict("4", "first", True)]  # fmt: skip
    found = audit(GOLD, frame(rows), judge="j")
    # 1 agrees and is right; 2 contradicts itself, a tie, wrong; 3 failed; 4 a tie, right
    assert found["combined"]["all"][::3] == (0.5, 4)
    assert found["order"]["agreement"][::3] == (0.25, 4)
    assert found["order"]["contradicted"][::3] == (0.25, 4)
    assert found["order"]["to_first"][::3] == (1.0, 1)


def test_where_one_order_was_judged_the_place_is_told_from_quality_by_the_gold_labels() -> None:
    gold = pl.DataFrame({"item_id": [str(i) for i in range(8)], "label": ["first"] * 4 + ["second"] * 4})
    # right in all four when the better stood first, in one of four when second: (1 - 1/4) / 2
    rows = [verdict(str(i), "first") for i in range(7)] + [verdict("7", "second")]
    assert audit(gold, frame(rows))["position"]["bias"].value == pytest.approx(3 / 8)
    unlabelled = gold.with_columns(label=pl.lit(None, pl.String))
    position = audit(unlabelled, frame(rows))["position"]
    assert position["bias"].value is None
    assert "cannot be told apart" in position["reason"]


def test_several_annotators_give_a_majority_and_a_ceiling() -> None:
    gold = pl.DataFrame(
        {"item_id": ["1"] * 3 + ["2"] * 2, "label": ["first", "first", "second", "first", "second"],
         "annotator": ["x", "y", "z", "x", "y"]}
    )  # fmt: skip
    found = audit(gold, frame([verdict("1", "first"), verdict("2", "tie")]))
    assert found["verdict"]["all"].value == 1.0  # the split of item 2 is a tie
    assert found["votes"]["all"][::3] == (2 / 5, 5)
    assert found["ceiling"]["all"][::3] == (1 / 4, 4)


def test_an_annotator_does_not_agree_with_himself() -> None:
    gold = pl.DataFrame({"item_id": ["1", "1"], "label": ["first", "first"], "annotator": ["x", "x"]})
    assert audit(gold, frame([verdict("1", "first")]))["ceiling"]["all"].n == 0


def test_groups_are_right_when_every_pair_in_them_is() -> None:
    gold = pl.DataFrame(
        {"item_id": ["1", "2", "3", "4"], "label": ["first"] * 4, "many_id": ["m", "m", "n", None],
         "contrast_id": ["c", None, None, "c"]}
    )  # fmt: skip
    found = audit(gold, frame([verdict(item, "first") for item in "123"] + [verdict("4", "second")]))
    assert found["one_of_many"]["accuracy"][::3] == (1.0, 2)
    assert found["contrast"]["accuracy"][::3] == (0.0, 1)


def test_labels_need_not_be_pairs() -> None:
    gold = pl.DataFrame({"item_id": ["1", "2"], "label": ["3", "5"]})
    found = audit(gold, frame([verdict("1", "3", None), verdict("2", "4", None)]))
    assert found["verdict"]["all"].value == 0.5
    assert found["position"]["reason"] == "order not known"


def test_probabilities_are_calibrated_on_the_side_they_favour() -> None:
    rows = [verdict("1", "first", probability=0.85), verdict("2", "second", probability=0.25),
            verdict("3", "second", probability=0.15)]  # fmt: skip
    found = audit(GOLD, frame(rows))["calibration"]
    # claimed .85 and .85 both right, .75 for the second wrong: (2 * .15 + .75) / 3
    assert found.error.value == pytest.approx((2 * 0.15 + 0.75) / 3)


def test_a_verdict_on_an_unknown_item_is_refused() -> None:
    with pytest.raises(ValueError, match="item 'x', which the gold table does not have"):
        audit(GOLD, frame([verdict("x", "first")]))


def test_reliability_counts_places_and_answers_are_seen_from_the_better_one() -> None:
    rows = [verdict("1", "first"), verdict("1", "second", True), verdict("3", "first", None), verdict("4", "first")]
    found = audit(GOLD, frame(rows))
    assert found["reliability"] == {
        "first": {"first": 1.0, "second": 0.5, "tie": 0.0}, "second": {"first": 1.5, "second": 0.0, "tie": 0.0},
    }  # fmt: skip
    assert found["answers"] == {
        "item_id": ["1", "3"], "straight": [1.0, None], "turned": [-1.0, None], "blind": [None, -1.0],
        "implied": [None, None],
    }  # fmt: skip


def test_what_other_pairs_of_a_prompt_imply_is_recorded() -> None:
    gold = pl.DataFrame(
        {"item_id": ["ab", "at", "bt"], "prompt_id": ["p"] * 3, "label": ["second", "first", "first"],
         "first": ["A", "A", "B"], "second": ["B", "T", "T"]}
    )  # fmt: skip
    rows = [verdict("ab", "first"), verdict("at", "second"), verdict("bt", "first")]
    answers = audit(gold, frame(rows))["answers"]
    implied = dict(zip(answers["item_id"], answers["implied"], strict=True))
    # against t: a lost (-1), b won (1): -2 for a, so 2 for b, who is better. at: by b, a won and t lost (1 - -1) = 2.
    assert implied == {"ab": 2.0, "at": 2.0, "bt": -2.0}


def test_the_row_fits_its_table_and_holds_the_whole_document() -> None:
    gold = items(40)
    document = audit(gold, judged(gold, "good"), judge="good")
    row = audit_row(document, fingerprint="f", gold="g", gold_hash="h")
    assert set(row) <= set(AUDITS.schema.names)
    assert row["accuracy"] == document["verdict"]["all"].value
    meta = orjson.loads(row["meta"])
    assert meta["order"]["agreement"]["value"] == row["order_agreement"] == 1.0
    assert set(orjson.loads(row["slices"])) == {"subset"}
    assert as_json(document)["calibration"]["error"]["n"] == 0


def test_the_page_stands_alone() -> None:
    gold = items(60).with_columns(first_policy=pl.lit("<b>m"))
    rows = judged(gold, "longer").with_columns(
        probability=pl.when(pl.col("verdict") == "first").then(0.9).otherwise(0.2)
    )
    page = audit_page(audit(gold, rows, judge="<script>"), gold="a & b", made="today")
    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page
    assert "@import" not in page
    assert "&lt;b&gt;m" in page
    assert "a &amp; b" in page
    assert page.count("<svg") == page.count("</svg>") == 7
    assert "width=device-width" in page


def test_the_page_shows_what_the_strongest_half_gains() -> None:
    gold = items(200)
    page = audit_page(audit(gold, judged(gold, "good"), judge="good"), gold="g")
    assert "Strength" not in page  # every pair is as strong as any other
    both = pl.concat([judged(gold, "good"), judged(gold, "random").with_columns(trial=pl.lit(1, pl.Int64))])
    page = audit_page(audit(gold, both, judge="good, and a coin"), gold="g")
    assert re.search(r"<h2>Strength</h2>.*Of the strongest half of the pairs \d+\.\d points more agree", page)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_opens_the_page_without_a_complaint_and_nothing_sticks_out(tmp_path: Path, width: int) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    gold = items(80)
    rows = judged(gold, "longer").with_columns(
        probability=pl.when(pl.col("verdict") == "first").then(0.9).otherwise(0.3)
    )
    page = audit_page(audit(gold, rows, judge="m", judge_policy="m"), gold="a gold set with a rather long name")
    measure = "<script>document.title=document.documentElement.scrollWidth<=innerWidth?'fits':'sticks out'</script>"
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", measure + "</body>"))
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += f"--disable-component-update --disable-sync --enable-logging=stderr --window-size={width},900"
    command = [browser, *flags.split(), f"--user-data-dir={tmp_path}/u", "--dump-dom", file.as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "<title>fits</title>" in ran.stdout
    assert "CONSOLE" not in ran.stderr


def test_a_page_without_labels_or_orders_says_so() -> None:
    gold = pl.DataFrame({"item_id": ["1"], "label": pl.Series([None], dtype=pl.String)})
    page = audit_page(audit(gold, frame([verdict("1", "first", None)]), judge="j"), gold="g")
    assert "The gold set has no labels" in page
    assert "No bias was proven" in page
