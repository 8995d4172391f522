import pytest

from schemas.messages import assistant
from tasks.judges.regex import regex


def one(text, finish="stop", **settings):
    completion = {"completion_id": "c", "sample_index": 0, "messages": assistant(text), "finish_reason": finish}
    (row,) = regex({}, [completion], **settings)
    return row["outcome"], row["score"]


@pytest.mark.parametrize(
    ("settings", "score"),
    [
        pytest.param({"pattern": r"Answer: \d+"}, 1.0, id="found"),
        pytest.param({"pattern": r"^Answer"}, 1.0, id="at the start of a line"),
        pytest.param({"pattern": r"Because.*5"}, 1.0, id="across lines"),
        pytest.param({"pattern": r"answer"}, 0.0, id="not found"),
        pytest.param({"pattern": r"Answer: \d+", "whole": True}, 0.0, id="not the whole"),
        pytest.param({"pattern": r"Because.*\d", "whole": True}, 1.0, id="the whole"),
        pytest.param({"pattern": r"sorry", "expect": False}, 1.0, id="rightly absent"),
        pytest.param({"pattern": r"Answer", "expect": False}, 0.0, id="wrongly there"),
    ],
)
def test_a_pattern_decides(settings, score):
    assert one("Because.\nAnswer: 5\n", **settings) == ("valid", score)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"pattern": "x"}, ("truncated", None), id="the rest may hold it"),
        pytest.param({"pattern": "a"}, ("valid", 1.0), id="found before the cut"),
        pytest.param({"pattern": "a", "expect": False}, ("valid", 0.0), id="forbidden and there"),
        pytest.param({"pattern": "x", "expect": False}, ("truncated", None), id="forbidden and not there yet"),
        pytest.param({"pattern": "abc", "whole": True}, ("truncated", None), id="the whole is not known"),
    ],
)
def test_a_cut_text_is_judged_only_where_the_rest_changes_nothing(settings, expected):
    assert one("abc", finish="length", **settings) == expected


def test_a_broken_pattern_is_named():
    with pytest.raises(ValueError, match=r"pattern '\(' is not a regular expression"):
        one("abc", pattern="(")
