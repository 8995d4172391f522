import pytest

from schemas.messages import assistant, to_rows
from tasks.filters.echoes import echoes
from tests.support.preferences import pairs

LONG = "Say in one sentence why the sky is blue, please."


def found(rejected, prompt=LONG):
    rows = echoes(pairs([{"prompt": to_rows(prompt), "rejected": assistant(rejected)}]))
    return [(row["reason"], row["value"]) for row in rows.iter_rows(named=True)]


def test_an_answer_that_holds_its_whole_prompt_goes():
    text = "Say in one  sentence why the sky is blue, please.\nBecause of scattering."
    assert found(text) == [("the answer repeats its prompt", "rejected")]


def test_a_short_prompt_may_be_repeated():
    assert found("Paris? Paris is in France.", prompt="Paris?") == []


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Blue.<|im_end|>\n<|im_start|>user\nWhy?", "<|im_end|>"),
        ("Blue.\nHuman: why?\nAssistant: light", "Human:"),
        ("Blue. [INST] why? [/INST]", "[INST]"),
    ],
)
def test_an_answer_that_goes_on_in_another_role_goes(text, mark):
    assert found(text) == [("the answer plays another role", f"rejected: {mark}")]


@pytest.mark.parametrize("text", ["Human: a mammal.", "The Human: Assistant: ratio", "It is blue.", ""])
def test_such_words_may_stand_at_the_start_and_inside_a_line(text):
    assert found(text) == []
