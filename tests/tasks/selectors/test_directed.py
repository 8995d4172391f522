import orjson
import pytest

from tasks.selectors.directed import directed
from tests.support.scored import scored

REWARDS = {"help": [80, 70, 60], "length": [20, 60, 70]}


def made(angle, rewards=REWARDS, **chosen):
    return directed(*scored(rewards), criteria=("help", "length"), angles=(angle,), text="{0} {1}", **chosen)


@pytest.mark.parametrize(("angle", "weights"), [(0.0, "100 0"), (15.0, "97 26"), (30.0, "87 50"), (45.0, "71 71")])
def test_the_direction_as_whole_weights(angle, weights):
    assert made(angle)["conditioning"].to_list() == [weights]


def test_the_best_along_thirty_degrees():
    found = made(30.0)
    assert found["completion_id"].to_list() == ["001"]
    assert found["reward"].to_list() == pytest.approx([90.6218], abs=6e-5)
    note = orjson.loads(found["meta"][0])
    assert note["rewards"] == [70.0, 60.0]
    assert sum(each**2 for each in note["v"]) == pytest.approx(1.0)


@pytest.mark.parametrize(("reward", "along"), [([80], 79.282), ([60], 86.9615)])
def test_the_others_along_thirty_degrees(reward, along):
    other = {80: 20, 60: 70}[reward[0]]
    assert made(30.0, {"help": reward, "length": [other]})["reward"][0] == pytest.approx(along, abs=6e-5)


def test_a_floor_for_the_first_reward():
    assert made(30.0, least=71.0).height == 0
    assert made(0.0, least=71.0)["completion_id"].to_list() == ["000"]


def test_each_prompt_draws_its_own_direction():
    prompts = [f"{i}" for i in range(200)]
    tables = scored({"help": [1.0] * 200, "length": [1.0] * 200}, prompt_id=prompts)
    angles = [orjson.loads(meta)["angle"] for meta in directed(*tables, criteria=("help", "length"))["meta"]]
    assert {angle: 25 < angles.count(angle) < 75 for angle in (0, 15, 30, 45)} == dict.fromkeys((0, 15, 30, 45), True)


def test_no_angle_is_refused():
    with pytest.raises(ValueError, match="angles are empty"):
        directed(*scored(REWARDS), criteria=("help", "length"), angles=())
