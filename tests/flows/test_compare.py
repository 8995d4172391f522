import json

import pytest

from flows import plan as planning
from flows.compare import compare
from flows.run import run
from flows.settings import Settings
from schemas.errors import UsageError
from storage.store import Store


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A lake in which three recipes ran over the same replayed answers."""
    folder = tmp_path_factory.mktemp("compare")
    rows = [
        {"prompt": f"What is {p} + 1?", "completion": f"Step.\nAnswer: {p + 1 + (i % 2)}{' ' * i}", "policy": "m",
         "reference": str(p + 1), "label": i >= 2}
        for p in range(8) for i in range(4)
    ]  # fmt: skip
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("replay", "recorded-labels", "variance-prompts"):
        request = planning.Request(recipe=name, data=folder / "data.jsonl")
        assert run(planning.make(request), str(folder / "lake"), settings=Settings(workers=0)).status == "done"
    return folder / "lake"


def test_recipes_over_the_same_answers_are_told_apart(root):
    found = compare(Store.open(str(root)), ["replay", "recorded-labels@v1", "variance-prompts"])
    first, second, lists = found["recipes"]
    assert [each["recipe"] for each in found["recipes"]] == ["replay", "recorded-labels", "variance-prompts"]
    assert (first["yield"], first["of_prompts"], lists["made"], lists["yield"]) == (1.0, 8, "rankings", 1.0)
    assert second["people"]["value"] == 1.0
    assert lists["people"]["n"] == 0
    (pair, *_) = found["overlaps"]
    assert 0 <= pair["jaccard"] <= 1
    assert pair["prompts"] == second["prompts"] / first["prompts"]
    assert json.dumps(found)


def test_gold_labels_of_people_count_instead_of_those_that_came_along(root, tmp_path):
    gold = [
        {"item_id": str(p), "prompt": f"What is {p} + 1?", "first": f"Step.\nAnswer: {p + 1}",
         "second": f"Step.\nAnswer: {p + 2} ", "label": "first"}
        for p in range(8)
    ]  # fmt: skip
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in gold))
    store = Store.open(str(root))
    found = compare(store, ["replay", "recorded-labels"], gold=tmp_path / "gold.jsonl")
    held = store.read("preferences", version="replay").collect().height
    assert found["people"] == "gold.jsonl"
    assert 0 < found["recipes"][0]["people"]["n"] <= held
    assert found["recipes"][0]["people"]["value"] == 1.0


def test_one_version_alone_is_not_compared(root):
    with pytest.raises(UsageError, match="name two datasets or more"):
        compare(Store.open(str(root)), ["replay", "replay@v1"])
