import re

import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from tasks.reports.compare import against_gold, against_ratings, lean, measures, opposed, overlaps
from tasks.reports.compare_page import compare_page
from tests.support.chromium import browser, program


def pairs(*rows, margin=2.0):
    """Pairs written as (prompt, chosen, rejected)."""
    return lean(pl.LazyFrame(
        [
            {"pair_id": f"{p}{c}{r}", "prompt_id": p, "chosen_id": f"{p}{c}", "rejected_id": f"{p}{r}",
             "margin": margin, "prompt": to_rows(f"question {p}"), "chosen": assistant(c), "rejected": assistant(r)}
            for p, c, r in rows
        ]
    ))  # fmt: skip


ONE = pairs(("p", "plum", "fig"), ("q", "pear", "nut"))
OTHER = pairs(("p", "plum", "fig"), ("q", "nut", "pear"), ("s", "plum", "fig"), margin=1.0)


def test_two_datasets_share_a_pair_of_four_and_turn_one_round():
    (found,) = overlaps({"one": ONE, "other": OTHER})
    assert (found["shared"], found["opposed"]) == (1, 1)
    assert found["jaccard"] == pytest.approx(1 / 4)  # p of both, q twice, s
    assert found["prompts"] == pytest.approx(2 / 3)


def test_the_same_texts_under_another_prompt_are_another_pair():
    (found,) = overlaps({"one": pairs(("p", "plum", "fig")), "other": pairs(("s", "plum", "fig"))})
    assert (found["shared"], found["jaccard"]) == (0, 0.0)


def test_nothing_in_common_with_nothing_is_no_share():
    empty = ONE.clear()
    assert [each["jaccard"] for each in overlaps({"one": empty, "other": empty})] == [None]
    assert measures(empty, prompts=3)["yield"] == 0.0


def test_pairs_turned_round_are_named_by_the_first_of_both():
    assert opposed({"one": ONE, "other": OTHER}) == [{"a": "one", "b": "other", "pair_id": "qpearnut"}]


def test_the_numbers_of_a_dataset_are_those_of_its_pairs():
    found = measures(OTHER, prompts=4)
    assert (found["pairs"], found["prompts"], found["yield"], found["pairs_a_prompt"]) == (3, 3, 0.75, 1.0)
    assert (found["margin"], found["strength"]) == (1.0, None)
    assert found["chosen_chars"] == pytest.approx((4 + 3 + 4) / 3)
    assert found["longer"]["value"] == pytest.approx(2 / 3)  # nut is shorter than pear


def test_people_agree_where_they_rated_the_chosen_higher():
    rated = pl.DataFrame(
        {"completion_id": ["pplum", "pfig", "qnut", "qpear", "splum"], "rating": [1.0, 0.0, 0.2, 0.7, 1.0]}
    )
    assert against_ratings(ONE, rated)[::3] == (1.0, 2)
    assert against_ratings(OTHER, rated)[::3] == (0.5, 2)
    even = rated.with_columns(rating=pl.lit(1.0))
    assert against_ratings(ONE, even)[::3] == (None, 0)


def test_people_agree_with_pairs_that_are_the_way_round_they_decided():
    items = pl.DataFrame(
        {"prompt": ["question p", "question q", "question q"], "first": ["fig", "nut", "nut"],
         "second": ["plum", "pear", "pear"], "label": ["second", "tie", "first"]}
    )  # fmt: skip
    assert against_gold(ONE, items)[::3] == (0.5, 2)
    assert against_gold(OTHER, items)[::3] == (1.0, 2)


def document():
    def recipe(name, held, **more):
        longer = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 4}
        return {
            "recipe": name, "version": f"{name}@v1", "status": "published", "made": "preferences", "rows": held.height,
            **measures(held, prompts=4), "removed": 2, "people": longer, "asked": 10, "from_ledger": 5, "cost": 0.5,
            "cost_behind": 0.25, "seconds": 1.0, **more,
        }  # fmt: skip

    pair = {"pair_id": "a" * 32, "prompt": "<b>?", "chosen": "plum", "rejected": "fig", "margin": 1.0}
    lists = recipe("lists", ONE.clear(), made="rankings")
    return {
        "recipes": [recipe("one", ONE), recipe("<other>", OTHER), lists],
        "overlaps": overlaps({"one": ONE, "<other>": OTHER, "lists": ONE.clear()}),
        "opposed": [{"a": "one", "b": "<other>", **pair}], "people": "votes.parquet",
    }  # fmt: skip


def test_the_page_shows_each_recipe_and_what_they_share():
    page = compare_page(document())
    assert "3 recipes compared" in page
    assert "25 ⇄1" in page
    assert "by votes.parquet" in page
    assert "<other>" not in page
    assert "&lt;other&gt;" in page
    assert "<b>?" not in page
    assert set(re.findall(r"""(?:src|href)=["']([^"']*)""", page)) <= {
        "data:,", "#numbers", "#overlap", "#plots", "#margins", "#turned",
    }  # fmt: skip


def test_columns_that_say_nothing_are_left_out():
    found = document()
    for each in found["recipes"]:
        each["people"] = {"value": None, "low": None, "high": None, "n": 0}
        each["cost"] = each["cost_behind"] = 0.0
    page = compare_page({**found, "people": None, "opposed": []})
    assert "people agree" not in page.lower()
    assert "behind" not in page
    assert "turned round</h2>" not in page


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_browser_shows_the_page_whole_and_finds_nothing_wrong(tmp_path, width, dark):
    if program() is None:
        pytest.skip("no Chromium here")
    (tmp_path / "page.html").write_text(compare_page(document()), encoding="utf-8")
    with browser(tmp_path / "profile") as tab:
        tab.open((tmp_path / "page.html").as_uri(), width=width, dark=dark)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tab.complaints == []
        assert tab.violations() == []
