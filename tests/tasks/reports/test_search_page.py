"""Many trees in plots."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import polars as pl
from hypothesis import given, settings

from tasks.reports.search_page import calibration, numbers, plots, spread
from tests.support.brute import SMALL, Rows, frame
from tests.support.nodes import toy, tree


def drawn(text: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg .*?</svg>", text, re.DOTALL)]


def test_the_toy_tree_in_numbers() -> None:
    assert numbers(toy()) == {"trees": 1, "steps": 5, "ends": 3, "right_ends": 1, "deepest": 2, "rollouts": 18}


def test_tiles_and_plots_of_two_trees() -> None:
    text = plots(pl.concat([toy(), tree({"x": {"terminal": True, "reward": 1.0, "value": 1.0}}, "u", "q")]))
    assert re.findall(r"<dd>(.*?)</dd>", text) == ["2", "6", "4", "50.0 %"]
    assert "How many steps an end takes." in text
    assert all(picture.get("aria-label") for picture in drawn(text))


def test_how_often_right_is_held_against_what_values_claimed() -> None:
    steps = [
        {"terminal": False, "value": v, "self_evaluation": None, "successes": s, "rollouts": 10}
        for v, s in ((0.12, 2), (0.18, 4), (0.95, 9), (-0.5, 0))
    ]
    found = [(round(bin_.claimed, 3), bin_.found.value) for bin_ in calibration(steps)]
    assert found == [(0.0, 0.0), (0.15, 0.3), (0.95, 0.9)]
    assert calibration(steps, "self_evaluation") == []


def test_ends_and_steps_without_evidence_claim_nothing() -> None:
    assert calibration([{"terminal": True, "value": 1.0, "successes": 1, "rollouts": 1}]) == []
    assert calibration([{"terminal": False, "value": 1.0, "successes": None, "rollouts": None}]) == []


def test_shares_are_told_by_how_many_continuations_stand_behind_them() -> None:
    steps = [{"terminal": False, "successes": s, "rollouts": n} for s, n in ((1, 1), (0, 1), (3, 8), (12, 15), (4, 16))]
    told = [title.text for title in ElementTree.fromstring(spread(steps)).iter("title")][1:]
    assert told == [
        "1 continuations: 2 steps, median 0.50", "8-15 continuations: 2 steps, median 0.59",
        "16-31 continuations: 1 steps, median 0.25",
    ]  # fmt: skip
    assert spread([]) == ""


@settings(deadline=None, max_examples=40)
@given(SMALL)
def test_any_trees_give_well_formed_plots(rows: Rows) -> None:
    for picture in drawn(plots(frame(rows))):
        assert picture.get("role") == "img"
