"""Recipes and blocks: found by name, checked before anything is asked, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import RecipeError
from tasks import recipes, registry

GOOD = """
name: mine
source: "a paper"
about: A recipe that the tests change.
blocks:
  - sample: independent
    policy: embedded
    n: 2
  - judge: exact
  - score: mean
  - select: best_vs_worst
"""


def load(tmp_path: Path, text: str, *settings: str, name: str = "mine") -> object:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return recipes.load(str(path), settings)


@pytest.mark.parametrize("name", list(recipes.known()))
def test_every_recipe_that_ships_loads_and_shows_as_a_recipe_that_loads_the_same(name: str, tmp_path: Path) -> None:
    recipe = recipes.load(name)
    path = tmp_path / f"{name}.yaml"
    path.write_text(recipes.as_yaml(recipe))
    assert recipes.load(str(path)) == recipe


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("best_vs_worst", "best_vs_wrost", "no block select: best_vs_wrost; did you mean 'best_vs_worst'"),
        ("n: 2", "m: 2", "block sample: independent: no parameter 'm'; .*There are: .*max_tokens, model, n, policy"),
        ("n: 2", "temprature: 1", "no parameter 'temprature'; did you mean 'temperature'"),
        ("n: 2", "n: two", "parameter 'n': Input should be a valid integer.* found 'two'"),
        ("  - judge: exact\n", "", "best_vs_worst needs scores, and no block judges"),
        ("  - score: mean\n", "", "best_vs_worst needs scores, and no block makes them"),
        ("  - select: best_vs_worst", "", "nothing is selected"),
        ("about:", "abuot:", "no field 'abuot' in a recipe; did you mean 'about'"),
        ("name: mine", "name: other", "the recipe calls itself 'other'; name and file must agree"),
        ("  - judge: exact\n  - score: mean\n", "  - score: mean\n  - judge: exact\n", "'judge' stands after 'score'"),
        ("- judge: exact", "- judge: exact\n    select: all_pairs", "a block names exactly one of"),
        ("blocks:", "blocks: [", "line 6: not YAML"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_with_what_is_nearest(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="no recipe 'quickstrat'; did you mean 'quickstart'"):
        recipes.load("quickstrat")


def test_settings_change_single_parameters_by_verb_or_block(tmp_path: Path) -> None:
    recipe = load(tmp_path, GOOD, "sample.n=5", "best_vs_worst.min_margin=0.5")
    assert recipe.of("sample")[0].params["n"] == 5  # type: ignore[attr-defined]
    assert recipe.of("select")[0].params["min_margin"] == 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("smaple.n=5", "no block 'smaple' to set 'n' of; did you mean 'sample'"),
        ("n=5", "is not of the form block.param=value"),
        ("sample.n", "expected block.param=value"),
        ("sample.m=5", "no parameter 'm'"),
    ],
)
def test_a_setting_that_hits_nothing_is_an_error(tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, GOOD, setting)


def test_a_recipe_extends_one_other_once(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    child = 'extends: mine\nname: child\nsource: "another"\nset:\n  sample.n: 9\n'
    recipe = load(tmp_path, child, name="child")
    assert recipe.of("sample")[0].params["n"] == 9  # type: ignore[attr-defined]
    assert [block.verb for block in recipe.blocks] == ["sample", "judge", "score", "select"]  # type: ignore[attr-defined]
    with pytest.raises(RecipeError, match="a recipe extends one file, once"):
        load(
            tmp_path,
            child.replace("extends: mine", "extends: child").replace("name: child", "name: third"),
            name="third",
        )


def test_the_hash_says_what_can_change_a_row_and_nothing_else(tmp_path: Path) -> None:
    recipe = load(tmp_path, GOOD)
    same = load(tmp_path, GOOD.replace("a paper", "another paper"))
    other = load(tmp_path, GOOD.replace("n: 2", "n: 3"))
    assert recipe.hash == same.hash != other.hash  # type: ignore[attr-defined]


def test_a_block_of_ones_own_is_named_by_module_and_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_blocks.py").write_text(
        "import polars as pl\nfrom schemas.blocks import selector\n"
        "@selector\ndef nothing(completions, scores, *, k: int = 1) -> pl.DataFrame:\n    return scores.head(0)\n"
        "def unmarked(): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    block = registry.find("select", "my_blocks:nothing")
    assert (block.name, block.tables) == ("nothing", ("completions", "scores"))
    with pytest.raises(RecipeError, match="carries no mark of the verb select"):
        registry.find("select", "my_blocks:unmarked")
    with pytest.raises(RecipeError, match="cannot be imported"):
        registry.find("select", "no_such_module:f")
