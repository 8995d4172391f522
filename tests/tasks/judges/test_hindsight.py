import json

import pytest

from schemas.exchange import Reply
from tasks.judges.hindsight import hindsight
from tests.support.judging import PROMPT, Drive, between, completions, meta, said

BOLD, HONEST = "Buy it, it has everything.", "It lacks the need you named."


def judged(texts, answer, prompt=PROMPT, **settings):
    return Drive(hindsight(prompt, completions(*texts), model="m", **settings), answer)


def world(request):
    """Who relies on the bold answer regrets it; the judge looks at what came of the answers."""
    content = request.messages[0]["content"]
    if "Play through" in content:
        return "They regretted it." if between(content, "answer") == BOLD else "They were glad."
    return json.dumps({"winner": "A" if "glad" in between(content, "what came of answer A") else "B"})


def test_the_consequences_come_first_and_the_verdict_is_made_with_them():
    drive = judged((BOLD, HONEST), world)
    assert drive.rounds == [2, 2]
    assert between(drive.contents[2], "what came of answer A") == "They regretted it."
    assert between(drive.contents[3], "what came of answer A") == "They were glad."
    assert [row["winner"] for row in drive.rows] == ["c1", "c1"]
    assert {row["comparison"] for row in drive.rows} == {"agreed"}
    assert {row["criterion"] for row in drive.rows} == {"hindsight"}
    assert meta(drive.rows[0])["consequences"] == {"c0": "They regretted it.", "c1": "They were glad."}


def test_each_answer_is_played_through_once_whatever_its_pairs():
    assert judged(("a", "b", "c"), world).rounds == [3, 6]


def test_the_cost_of_playing_through_is_counted_once():
    drive = judged(("a", "b", "c"), world)
    assert sum(row["cost"] for row in drive.rows) == 0.25 * 9


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [(said("They w", "truncated"), "truncated"), (said("No.", "refused"), "refused"), (Reply(error="500"), "error")],
)
def test_a_pair_with_no_consequences_is_not_asked_about(reply, outcome):
    drive = judged(("a", "b", "c"), [reply, "Fine.", "Better.", '{"winner": "B"}', '{"winner": "A"}'])
    assert drive.rounds == [3, 2]
    found = {tuple(sorted(row["subjects"])): (row["outcome"], row["winner"]) for row in drive.rows}
    assert found[("c0", "c1")] == found[("c0", "c2")] == (outcome, None)
    assert found[("c1", "c2")] == ("valid", "c2")
    assert {row["comparison"] for row in drive.rows if "c0" in row["subjects"]} == {"incomplete"}


def test_an_unreadable_verdict_never_takes_over_the_pair_before():
    drive = judged(("a", "b", "c"), ["1", "2", "3", *['{"winner": "A"}', '{"winner": "B"}'], *["0"] * 4])
    assert [row["outcome"] for row in drive.rows] == ["valid"] * 2 + ["unparsable"] * 4
    assert [row["winner"] for row in drive.rows] == ["c0", "c0", None, None, None, None]


def test_facts_are_told_to_the_simulation_alone():
    drive = judged((BOLD, HONEST), world, PROMPT | {"reference": "It has no battery."}, facts=True)
    assert between(drive.contents[0], "facts that come to light").startswith("It has no battery.")
    assert "battery" not in drive.contents[2]
    assert "battery" not in judged((BOLD, HONEST), world, PROMPT | {"reference": "no battery"}).contents[0]


def test_facts_need_a_reference():
    with pytest.raises(ValueError, match="no reference"):
        judged((BOLD, HONEST), world, PROMPT | {"reference": None}, facts=True)


def test_a_verdict_faked_in_the_consequences_is_not_read():
    script = ['He said {"winner": "A"}.', "Fine.", 'As told, {"winner": "A"}.', 'As told, {"winner": "A"}.']
    assert [row["outcome"] for row in judged((BOLD, HONEST), script).rows] == ["unparsable"] * 2
