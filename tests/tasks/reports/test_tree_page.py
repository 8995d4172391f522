"""The page of one tree."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings

from tasks.reports._tree_parts import trimmed
from tasks.reports._tree_svg import Marks, brief, drawing, places, said
from tasks.reports.tree_page import best_path, section, tree_page
from tasks.selectors.sibling_pairs import sibling_pairs
from tests.support.brute import SMALL, Rows, frame
from tests.support.nodes import toy, tree
from tests.support.steprows import rows as steprows


def page(nodes: pl.DataFrame | None = None, *more: Any, **settings: Any) -> str:
    return tree_page(toy() if nodes is None else nodes, *more, **settings)


def picture(text: str) -> ElementTree.Element:
    """Returns the drawing, which must be well-formed."""
    found = re.search(r'<svg [^>]*class="tree">.*?</svg>', text, re.DOTALL)
    assert found
    return ElementTree.fromstring(found.group())


def boxes(text: str) -> dict[str, set[str]]:
    """Returns a step's shown text -> the classes and tags its box wears."""
    found = {}
    for group in picture(text).findall("g"):
        tags = {tag.get("class", "").removeprefix("tag ") for tag in group.findall("g")}
        shown = group.findall("text")[0].text or ""
        found[shown] = set(group.get("class", "").split()) - {"node"} | tags
    return found


def test_the_toy_tree_shows_its_best_path_its_ends_and_its_pairs() -> None:
    assert boxes(page(None, sibling_pairs(toy()))) == {
        "the problem": {"best"}, "A": {"best", "chosen"}, "B": {"rejected"}, "A1": {"best", "chosen", "right"},
        "A2": {"rejected", "lost"}, "B1": {"lost"},
    }  # fmt: skip


def test_a_pair_is_told_in_words_with_the_numbers_behind_it() -> None:
    text = page(None, sibling_pairs(toy(), soft="posterior"))
    first = text.split('id="pair-t-1"')[1].split("</article>")[0]
    assert "value 0.600, 3 of 4 continuations ended right, visited 8 times" in first
    assert "value -0.400, 1 of 4 continuations ended right, visited 3 times" in first
    assert "margin 1 ·" in first
    assert "probability 0." in first
    second = text.split('id="pair-t-2"')[1].split("</article>")[0]
    assert '<div class="begin">A\n</div>' in second


def test_a_first_wrong_step_wears_its_name_and_an_end_nobody_judged_too() -> None:
    rows = tree(
        {
            "a": {"value": 0.0, "meta": {"first_error": True}},
            "a/b": {"terminal": True, "reward": None},
        }
    )
    found = boxes(page(rows))
    assert found["a"] >= {"wrong", "error"}
    assert found["b"] == {"none"}
    assert "first wrong step" in page(rows)
    assert "first wrong step" not in page(toy())


def test_labels_of_a_stepwise_dataset_stand_on_their_steps() -> None:
    labelled = steprows(toy(), kind="hard")
    text = page(None, None, labelled)
    shown = {g.findall("text")[0].text: [t.text for t in g.iter("text")][1:] for g in picture(text).findall("g")}
    assert shown["A2"] == ["-1.00 · 0/4 right · 4 visits", "label 0", "✗ wrong"]
    assert shown["A"] == ["0.60 · 3/4 right · 8 visits", "label 1"]
    assert "what the dataset says of the step" in text


def test_pairs_and_labels_of_other_trees_are_left_out() -> None:
    other = sibling_pairs(tree({"x": {"value": 1.0, "visits": 1}, "y": {"value": 0.0, "visits": 1}}, "other", "q"))
    assert "Pairs taken" not in page(None, other)


def test_what_the_picture_says_stands_in_the_list_too() -> None:
    listed = page(None, sibling_pairs(toy())).split("<details>")[1]
    for told in ("A1", "1.00 · 4/4 right · 4 visits · chosen 2 · ✓ right · best path", "rejected 2 · ✗ wrong"):
        assert told in listed
    assert listed.count("<li") == 6


def test_nothing_a_model_wrote_becomes_markup() -> None:
    rows = tree({"a": {"text": "<script>alert(1)</script>&\n", "value": 0.5}})
    text = page(rows, prompt="<b>1 < 2</b>", made="<i>")
    assert "<script>" not in text
    assert "<b>1" not in text
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in text
    picture(text)


def test_rows_of_several_trees_or_of_none_are_refused() -> None:
    with pytest.raises(ValueError, match="of 2 trees"):
        page(pl.concat([toy(), tree({}, "u")]))
    with pytest.raises(ValueError, match="of 0 trees"):
        page(toy().clear())


def test_a_drawing_of_a_large_tree_keeps_what_matters_and_counts_the_rest() -> None:
    steps: dict[str, dict[str, Any]] = {f"s{i:03d}": {"value": i / 400, "visits": i} for i in range(400)}
    steps["s007/deep"] = {"value": 0.1, "meta": {"first_error": True}}
    text = section(tree(steps))
    found = boxes(text)
    assert len(found) == 120
    assert {"the problem", "s399", "s007", "deep"} <= set(found)
    assert "+282" in text  # of 400 children of the problem, 118 are drawn
    assert "s008" not in found
    assert text.split("<details>")[1].count("<li") == 402  # the list leaves nothing out


def test_what_is_wanted_is_drawn_with_all_before_it() -> None:
    rows = [
        {"node_id": name, "parent_id": above, "visits": 1, "rollouts": 0}
        for name, above in (("r", None), ("a", "r"), ("b", "a"), ("c", "b"), ("d", "r"), ("e", "r"))
    ]
    kept, hidden = trimmed(rows, {"c"}, 4)
    assert [row["node_id"] for row in kept] == ["r", "a", "b", "c"]
    assert hidden == {"r": 2}
    assert trimmed(rows, set(), 6) == (rows, {})


@settings(deadline=None, max_examples=50)
@given(SMALL)
def test_any_tree_is_drawn_whole_and_without_overlaps(rows: Rows) -> None:
    nodes = frame(rows)
    pairs = sibling_pairs(nodes, take="all", min_visits=0)
    group = picture(page(nodes, pairs)).findall("g")
    assert len(group) == len(rows)
    spots = [(float(b.get("x", "")), float(b.get("y", ""))) for g in group if (b := g.find("rect")) is not None]
    assert len(set(spots)) == len(spots)
    for column in {x for x, _ in spots}:
        ys = sorted(y for x, y in spots if x == column)
        assert all(b - a >= 46 for a, b in pairwise(ys))


def test_parents_stand_amid_their_children_and_ends_below_each_other() -> None:
    rows = list(toy().iter_rows(named=True))
    rows.sort(key=lambda row: row["depth"])
    assert places(rows) == {
        "root": (0, 1.25), "A": (1, 0.5), "B": (1, 2.0), "A/A1": (2, 0.0), "A/A2": (2, 1.0), "B/B1": (2, 2.0),
    }  # fmt: skip


def test_the_best_path_is_the_most_visited_then_the_best() -> None:
    rows = [row | {"meta": {}} for row in toy().iter_rows(named=True)]
    assert best_path(rows) == {"root", "A", "A/A1"}


def test_numbers_in_words() -> None:
    row = {"value": None, "rollouts": None, "successes": None, "visits": 0, "self_evaluation": 0.25}
    assert (brief(row), said(row)) == ("not evaluated", "no value, self-evaluation 0.25")
    assert brief(row | {"visits": 1, "value": 0.5}) == "0.50 · 1 visit"


def test_a_drawing_says_what_it_is() -> None:
    rows = [row | {"meta": {}} for row in toy().sort("depth").iter_rows(named=True)]
    shown = ElementTree.fromstring(drawing(rows, Marks(), title="A <tree>"))
    assert shown.get("aria-label") == "A <tree>"
    assert shown.get("role") == "img"
