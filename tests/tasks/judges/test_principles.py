import json

import pytest

from tasks.judges.principles import CONSTITUTION, principles
from tests.support.judging import PROMPT, Drive, between, completions, meta, prefers


def judged(texts, answer, prompt=PROMPT, **settings):
    return Drive(principles(prompt, completions(*texts), model="m", **settings), answer)


def test_every_principle_is_asked_in_both_orders_at_once():
    drive = judged(("2", "9"), prefers("2"))
    assert drive.rounds == [6]
    assert [meta(row)["principle"] for row in drive.rows] == [name for name in sorted(CONSTITUTION) for _ in (1, 2)]
    assert len({row["comparison_id"] for row in drive.rows}) == 3
    assert {row["comparison"] for row in drive.rows} == {"agreed"}
    assert CONSTITUTION["harmless"] in drive.contents[0]


def test_principles_may_disagree_and_vote_under_one_criterion():
    def verdict(request):
        content = request.messages[0]["content"]
        wanted = "safe" if "less harm" in content else "bold"
        return json.dumps({"winner": "A" if between(content, "answer A") == wanted else "B"})

    drive = judged(("safe", "bold"), verdict)
    won = {meta(row)["principle"]: row["winner"] for row in drive.rows}
    assert won == {"harmless": "c0", "helpful": "c1", "honest": "c1"}
    assert {row["criterion"] for row in drive.rows} == {"overall"}


def test_apart_each_principle_is_a_criterion():
    drive = judged(("2", "9"), prefers("2"), apart=True)
    assert {row["criterion"] for row in drive.rows} == set(CONSTITUTION)


def test_the_drawn_principle_depends_on_the_prompt_and_the_seed_alone():
    drawn = {
        (p, seed): judged(("2", "9"), "A", PROMPT | {"prompt_id": f"p{p}"}, draw=1, seed=seed).rows[0]["meta"]
        for p in range(12) for seed in range(2)
    }  # fmt: skip
    again = judged(("7", "9"), "A", PROMPT | {"prompt_id": "p3"}, draw=1, seed=1)
    assert again.rounds == [2]
    assert again.rows[0]["meta"] == drawn[3, 1]
    assert len(set(drawn.values())) == 3


@pytest.mark.parametrize("settings", [{"principles": {}}, {"draw": 4}, {"draw": -1}])
def test_principles_that_are_not_there_are_refused(settings):
    with pytest.raises(ValueError, match="principles"):
        judged(("2", "9"), "A", **settings)


def test_equal_answers_are_not_compared():
    assert judged(("2", "2"), "A").requests == []
