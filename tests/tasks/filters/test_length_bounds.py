import pytest

from tasks.filters.length_bounds import length_bounds
from tests.support.pairs import pair, pairs, removed

ROWS = pairs(pair("1", "abcd", "ab"), pair("2", "a", "abcdefgh"), pair("3", "", "abc", prompt="why so?"))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({}, {"3": "chosen too short"}, id="an empty answer is too short by default"),
        pytest.param({"least": 0}, {}, id="no bounds"),
        pytest.param({"least": 2}, {"2": "chosen too short", "3": "chosen too short"}, id="on the bound stays"),
        pytest.param({"least": 0, "most": 7}, {"2": "rejected too long"}, id="too long"),
        pytest.param({"least": 0, "most": 7, "of": "chosen"}, {}, id="the chosen only"),
        pytest.param({"least": 2, "of": "prompt"}, {"1": "prompt too short", "2": "prompt too short"}, id="prompts"),
        pytest.param({"least": 2, "of": "prompt", "unit": "words"}, {k: "prompt too short" for k in "12"}, id="words"),
        pytest.param({"least": 0, "ratio": 2}, {"2": "lengths too unlike", "3": "lengths too unlike"}, id="a ratio"),
    ],
)
def test_what_is_taken_out_and_why(params, expected):
    assert removed(length_bounds(ROWS, **params)) == expected


def test_the_length_stands_beside_the_reason_and_a_ratio_below_one_is_refused():
    assert length_bounds(ROWS, least=0, most=7)["value"].to_list() == ["8"]
    assert length_bounds(ROWS.head(2), least=0, ratio=3)["value"].to_list() == ["8.0"]
    with pytest.raises(ValueError, match="at least 1"):
        length_bounds(ROWS, ratio=0.5)
