import pytest

from tasks.relabelers.write_condition import write_condition
from tests.support.preferences import pairs
from tests.support.scored import completions


def made(chosen, rejected, **more):
    rows = completions([
        {"completion_id": name, "meta": None if c is None else f'{{"condition":"{c}"}}'}
        for name, c in (("c0", chosen), ("r0", rejected))
    ])  # fmt: skip
    return [m["content"] for m in write_condition(pairs([{}]), rows, **more)["prompt"][0]]


def test_what_both_were_told_stands_in_the_prompt():
    assert made("512", "512", text="Think for {condition} tokens.") == ["Think for 512 tokens.", "Question?"]


@pytest.mark.parametrize("conditions", [("a", "b"), ("a", None), (None, None)])
def test_pairs_across_conditions_are_left_alone(conditions):
    assert made(*conditions) == ["Question?"]


def test_a_text_needs_a_place():
    with pytest.raises(ValueError, match="needs"):
        made("a", "a", text="nothing")
