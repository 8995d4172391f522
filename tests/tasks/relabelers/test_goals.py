import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import to_rows
from tasks.relabelers.goals import goals
from tests.support.preferences import pairs


def test_two_rows_a_pair_and_the_texts_are_exchanged():
    made = goals(pairs([{"chosen_score": 9.0, "rejected_score": 6.0}]))
    rows = [
        (orjson.loads(row["meta"])["goal"], row["chosen"][0]["content"], row["rejected"][0]["content"], row["flipped"])
        for row in made.to_dicts()
    ]
    assert rows == [(9.0, "text c0", "text r0", None), (6.0, "text r0", "text c0", True)] or rows == [
        (9.0, "text c0", "text r0", False), (6.0, "text r0", "text c0", True),
    ]  # fmt: skip
    assert [row["prompt"][0]["role"] for row in made.to_dicts()] == ["system", "system"]
    assert [row["prompt"][0]["content"] for row in made.to_dicts()] == [
        f"You are an assistant that gives answers of quality {goal} out of 10." for goal in (9, 6)
    ]
    assert {orjson.loads(meta)["of"] for meta in made["meta"]} == {"0"}


def test_a_prompt_with_a_system_message_keeps_it():
    prompt = to_rows([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Question?"}])
    made = goals(pairs([{"prompt": prompt, "chosen_score": 9.5, "rejected_score": 6.0}]), text="Goal {goal}")
    assert [m["content"] for m in made["prompt"][0]] == ["Be brief.\n\nGoal 9.5", "Question?"]


def test_equal_scores_have_no_second_row_and_no_score_no_goal():
    made = goals(pairs([{"chosen_score": 5.0, "rejected_score": 5.0}, {}]))
    assert made["pair_id"].to_list() == ["0", "1"]
    assert [len(prompt) for prompt in made["prompt"]] == [2, 1]


SCORES = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10)), max_size=6)


@settings(deadline=None, max_examples=40)
@given(SCORES)
def test_within_a_pair_the_texts_are_the_same_in_opposite_order_and_ids_are_unique(scores):
    made = goals(pairs([{"chosen_score": float(a), "rejected_score": float(b)} for a, b in scores]))
    assert made.height == sum(2 if a != b else 1 for a, b in scores)
    assert made["pair_id"].n_unique() == made["content_id"].n_unique() == made.height
    for row in made.to_dicts():
        assert orjson.loads(row["meta"])["goal"] == row["chosen_score"]
        assert row["chosen"][0]["content"] == f"text {row['chosen_id']}"


def test_a_text_needs_a_place_for_the_goal():
    with pytest.raises(ValueError, match="needs"):
        goals(pairs([{}]), text="be good")
