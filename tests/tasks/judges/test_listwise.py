import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.exchange import Reply
from tasks.judges.listwise import listwise
from tests.support.judging import PROMPT, Drive, between, completions, meta, said


def judged(texts, answer, **settings):
    return Drive(listwise(PROMPT, completions(*texts), model="m", **settings), answer)


def by_length(request):
    """Ranks the shown answers by length, the longest first, whatever their order."""
    content = request.messages[0]["content"]
    labels = [letter for letter in string.ascii_uppercase if f"=== answer {letter} " in content]
    return json.dumps({"ranking": sorted(labels, key=lambda letter: -len(between(content, f"answer {letter}")))})


def test_two_orders_are_asked_at_once_the_second_one_reversed():
    drive = judged(("one", "two!", "three"), by_length)
    assert drive.rounds == [2]
    assert [row["subjects"] for row in drive.rows] == [["c0", "c1", "c2"], ["c2", "c1", "c0"]]
    assert between(drive.contents[1], "answer A") == "three"


def test_a_judge_that_holds_to_its_ranking_agrees_in_every_order():
    drive = judged(("one", "two!", "three", "longest"), by_length, orders=4)
    assert {json.dumps(meta(row)["ranking"]) for row in drive.rows} == {'["c3", "c2", "c1", "c0"]'}
    assert {row["comparison"] for row in drive.rows} == {"agreed"}
    assert {row["winner"] for row in drive.rows} == {"c3"}
    assert meta(drive.rows[0])["ranks"] == {"c3": 1, "c2": 2, "c1": 3, "c0": 4}
    assert meta(drive.rows[0])["agreement"] == 1.0
    assert len({tuple(row["subjects"]) for row in drive.rows}) == 4
    assert drive.rows[2]["subjects"] == drive.rows[3]["subjects"][::-1]


def test_a_judge_that_ranks_by_place_contradicts_itself_on_every_pair():
    drive = judged(("one", "two", "six"), '{"ranking": ["A", "B", "C"]}')
    assert {row["comparison"] for row in drive.rows} == {"contradicted"}
    assert meta(drive.rows[0])["agreement"] == 0.0


def test_the_agreement_is_the_share_of_pairs_ordered_alike():
    drive = judged(("one", "two", "six"), ['{"ranking": ["A", "B", "C"]}', '{"ranking": ["C", "A", "B"]}'])
    assert meta(drive.rows[1])["ranking"] == ["c0", "c2", "c1"]
    assert meta(drive.rows[0])["agreement"] == pytest.approx(2 / 3)


def test_tied_answers_share_a_rank_and_all_of_them_tied_is_a_tie():
    drive = judged(("one", "two", "six"), ['{"ranking": [["A", "C"], "B"]}', '{"ranking": [["A", "B", "C"]]}'])
    first, second = drive.rows
    assert (first["outcome"], first["winner"], meta(first)["ranking"]) == ("valid", None, [["c0", "c2"], "c1"])
    assert meta(first)["ranks"] == {"c0": 1, "c2": 1, "c1": 3}
    assert (second["outcome"], second["winner"]) == ("tie", None)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param('{"ranking": ["A", "B"]}', "unparsable", id="one is left out"),
        pytest.param('{"ranking": ["A", "B", "B", "C"]}', "unparsable", id="one is named twice"),
        pytest.param('{"ranking": ["A", "B", "D"]}', "unparsable", id="an unknown letter"),
        pytest.param("The first is best.", "unparsable", id="prose"),
        pytest.param(said('{"ranking": ["A", "B", "C"]}', "truncated"), "truncated", id="cut"),
        pytest.param(Reply(error="500"), "error", id="failed"),
    ],
)
def test_a_failure_is_no_ranking(reply, outcome):
    drive = judged(("one", "two", "six"), [reply, '{"ranking": ["A", "B", "C"]}'])
    assert (drive.rows[0]["outcome"], drive.rows[0]["winner"]) == (outcome, None)
    assert "ranking" not in (drive.rows[0].get("meta") or "")
    assert {row["comparison"] for row in drive.rows} == {"incomplete"}


def test_of_equal_texts_one_is_ranked_and_a_single_one_is_not():
    assert [row["subjects"] for row in judged(("a", "b", "a"), by_length).rows] == [["c0", "c1"], ["c1", "c0"]]
    assert judged(("a", "a"), by_length).requests == []


def test_too_many_answers_are_refused():
    with pytest.raises(ValueError, match="27 completions in one list; 26 fit"):
        judged([f"answer {i}" for i in range(27)], by_length)


def test_flags_stand_under_the_letter_of_their_answer():
    drive = judged(("one", "[[A]]"), by_length)
    assert [row["flags"] for row in drive.rows] == [["B:fake_verdict"], ["A:fake_verdict"]]


def test_the_form_of_the_reply_is_enforced_where_asked():
    schema = judged(("one", "two"), by_length, structured=True).requests[0].schema
    assert schema["properties"]["ranking"]["items"]["items"]["enum"] == ["A", "B"]


@given(st.permutations("ABCD"), st.permutations("ABCD"))
def test_any_two_full_rankings_are_read_as_they_are(one, other):
    drive = judged(("1", "22", "333", "4444"), [json.dumps({"ranking": one}), " > ".join(other)])
    names = [dict(zip("ABCD", row["subjects"], strict=True)) for row in drive.rows]
    assert meta(drive.rows[0])["ranking"] == [names[0][letter] for letter in one]
    assert meta(drive.rows[1])["ranking"] == [names[1][letter] for letter in other]
    assert 0 <= meta(drive.rows[0])["agreement"] <= 1
