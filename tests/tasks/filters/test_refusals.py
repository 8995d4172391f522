import pytest

from tasks.filters.refusals import refusals
from tests.support.pairs import pair, pairs, removed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("I'm sorry, but I can't help with that.", "refusal", id="sorry"),
        pytest.param("I’m really sorry, but I cannot assist.", "refusal", id="typographic"),
        pytest.param("I cannot provide instructions for this.", "refusal", id="cannot"),
        pytest.param("Unfortunately, I am unable to see images.", "refusal", id="unfortunately"),
        pytest.param("As an AI language model, I have no feelings. Still: 4.", "boilerplate", id="language model"),
        pytest.param("Well, as a large language model I think so.", "boilerplate", id="another wording of it"),
        pytest.param("Sorry for the delay! The answer is 4.", None, id="sorry without refusing"),
        pytest.param("The answer is 4. I cannot help but smile.", None, id="not at the start"),
        pytest.param("You cannot divide by zero.", None, id="another subject"),
        pytest.param("I can help with that: 4.", None, id="a willing answer"),
    ],
)
def test_what_is_a_refusal(text, reason):
    found = removed(refusals(pairs(pair("1", text))))
    assert found == ({} if reason is None else {"1": f"{reason} in the chosen"})


def test_a_rejected_refusal_stays_unless_asked_for_and_boilerplate_may_stay():
    rows = pairs(pair("1", "4", "I cannot help with that."), pair("2", "As an AI, I say 4."))
    assert removed(refusals(rows, of="either")) == {
        "1": "refusal in the rejected", "2": "boilerplate in the chosen",
    }  # fmt: skip
    assert removed(refusals(rows, boilerplate=False)) == {}
