import orjson
import pytest

from tasks.relabelers.contexts import contexts
from tests.support.preferences import pairs


def made(users, prompts, **chosen):
    rows = pairs([{"annotator_group": u, "prompt_id": p} for u, p in zip(users, prompts, strict=True)])
    return contexts(rows, **chosen), rows


def test_a_context_is_of_the_same_user_and_never_of_the_pairs_own_prompt():
    users = ["ann", "bob"] * 10
    found, rows = made(users, [f"p{i // 2}" for i in range(20)], size=3)
    info = {row["pair_id"]: row for row in rows.to_dicts()}
    for row in found.to_dicts():
        shown = orjson.loads(row["meta"])["contexts"]
        assert len(set(shown)) == len(shown) == 3
        assert {info[name]["annotator_group"] for name in shown} == {row["annotator_group"]}
        assert row["prompt_id"] not in {info[name]["prompt_id"] for name in shown}


def test_a_user_with_few_pairs_has_short_contexts():
    found, _ = made(["ann", "ann", "bob", None], ["p", "q", "p", "p"], size=4)
    assert [len(orjson.loads(meta)["contexts"]) for meta in found["meta"]] == [1, 1, 0, 0]


def test_only_the_survey_is_shown():
    found, _ = made(["ann"] * 30, [f"p{i}" for i in range(30)], size=4, survey=6)
    notes = [orjson.loads(meta) for meta in found["meta"]]
    asked = {str(place) for place, note in enumerate(notes) if note["survey"]}
    assert len(asked) == 6
    assert {name for note in notes for name in note["contexts"]} <= asked


def test_row_order_does_not_matter():
    users, prompts = ["ann"] * 8, [f"p{i}" for i in range(8)]
    rows = pairs([{"annotator_group": u, "prompt_id": p} for u, p in zip(users, prompts, strict=True)])
    assert contexts(rows.reverse()).sort("pair_id").equals(contexts(rows).sort("pair_id"))


def test_users_are_needed():
    with pytest.raises(ValueError, match="no annotator_group"):
        contexts(pairs([{}]))
    with pytest.raises(ValueError, match="size is 0"):
        contexts(pairs([{"annotator_group": "ann"}]), size=0)
