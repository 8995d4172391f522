import pytest

from schemas.messages import to_rows
from tasks.exports.verl_prompts import verl_prompts
from tests.support.exported import chat, prompts, scores
from tests.support.trainers import verl_prompt

SCORES = scores(("p0", "a", 0.0), ("p0", "b", 1.0), ("p1", "c", 1.0))


def test_its_reader_finds_prompt_source_and_truth():
    asked = prompts(
        {"reference": "4", "source": "sums", "task": "math", "split": "test"},
        {"tests": "assert f(1) == 2", "messages": to_rows(chat(("system", "Code."), ("user", "f?")))},
    )
    rows = verl_prompts(SCORES, asked).to_dicts()
    ask = "<|im_start|>user\nQ?<|im_end|>\n<|im_start|>assistant\n"
    assert verl_prompt(rows[0]) == (ask, "sums", "4")
    assert verl_prompt(rows[1])[1:] == ("pairwright", "assert f(1) == 2")
    assert rows[0]["ability"] == "math"
    assert rows[0]["extra_info"] == {
        "index": 0, "prompt_id": "p0", "rewards": [0.0, 1.0], "mean_reward": 0.5, "split": "test",
    }  # fmt: skip
    assert [row["extra_info"]["index"] for row in rows] == [0, 1]


def test_a_rule_needs_something_to_check_against():
    with pytest.raises(ValueError, match="prompt p1: there is no reference answer"):
        verl_prompts(SCORES, prompts({"reference": "4"}, {}))
    assert verl_prompts(SCORES, prompts({"reference": "4"}, {}), style="model").height == 2
