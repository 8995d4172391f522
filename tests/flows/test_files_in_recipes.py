import shutil

import pytest

from flows.plan import Request, make
from schemas.errors import RecipeError

RECIPE = """
name: mine
source: "here, for a test"
about: A recipe whose filter reads a list of items.
blocks:
  - prompts: arithmetic
    n: 4
  - sample: independent
    policy: embedded
  - judge: math
  - score: mean
  - select: correct_vs_wrong
  - filter: decontaminate
    against: LIST
"""


def hash_of(folder, name):
    path = folder / "mine.yaml"
    path.write_text(RECIPE.replace("LIST", str(folder / name)))
    return make(Request(str(path))).recipe.hash


def test_the_recipes_hash_holds_what_a_list_says_and_not_where_it_lies(tmp_path):
    (tmp_path / "one.txt").write_text("an item of five words\n")
    shutil.copy(tmp_path / "one.txt", tmp_path / "two.txt")
    first = hash_of(tmp_path, "one.txt")
    assert hash_of(tmp_path, "two.txt") == first
    (tmp_path / "two.txt").write_text("an item of six other words\n")
    assert hash_of(tmp_path, "two.txt") != first


def test_a_folders_hash_is_that_of_its_files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("an item of five words\n")
    assert hash_of(tmp_path, "one") == hash_of(tmp_path, "two")
    (tmp_path / "two" / "b.txt").write_text("another\n")
    assert hash_of(tmp_path, "one") != hash_of(tmp_path, "two")


def test_a_list_that_is_not_there_is_refused_before_anything_is_asked(tmp_path):
    with pytest.raises(RecipeError, match=r"filter: decontaminate, parameter 'against': No such file.*gone\.txt"):
        hash_of(tmp_path, "gone.txt")
