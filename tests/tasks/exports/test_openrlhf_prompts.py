import pytest

from tasks.exports.openrlhf_prompts import openrlhf_prompts
from tests.support.exported import prompts, scores
from tests.support.trainers import openrlhf_prompt

ASKED = prompts({"reference": "4", "source": "sums"}, {}, {"reference": "9"})
SCORES = scores(("p0", "b", 1.0), ("p0", "a", 0.0), ("p1", "c", 0.5), ("p2", "d", None))


def test_its_reader_finds_prompt_reference_and_source():
    rows = openrlhf_prompts(SCORES, ASKED).to_dicts()
    ask = "<|im_start|>user\nQ?<|im_end|>\n<|im_start|>assistant\n"
    assert [openrlhf_prompt(row) for row in rows] == [(ask, "4", "sums"), (ask, "", "default")]


def test_rewards_stand_by_completion_with_their_mean():
    rows = openrlhf_prompts(SCORES, ASKED)
    assert rows["rewards"].to_list() == [[0.0, 1.0], [0.5]]
    assert rows["mean_reward"].to_list() == [0.5, 0.5]


def test_several_criteria_need_a_name():
    both = SCORES.vstack(scores(("p0", "a", 3.0), criterion="d"))
    with pytest.raises(ValueError, match="there are scores by c, d; name the criterion"):
        openrlhf_prompts(both, ASKED)
    assert openrlhf_prompts(both, ASKED, criterion="d")["rewards"].to_list() == [[3.0]]
    with pytest.raises(ValueError, match="no scores by 'e'; there are c, d"):
        openrlhf_prompts(both, ASKED, criterion="e")
