import pytest

from tasks.exports.grouped_pairs import grouped_pairs
from tests.support.preferences import pairs

SHOWN = '{"contexts":["2"],"survey":true}'


def test_a_pair_names_its_group_its_contexts_and_whether_others_disagree():
    rows = grouped_pairs(
        pairs(
            [
                {"chosen_id": "a", "rejected_id": "b", "annotator_group": "u", "meta": SHOWN},
                {"chosen_id": "b", "rejected_id": "a", "annotator_group": "v", "meta": '{"survey":false}'},
                {"chosen_id": "a", "rejected_id": "c", "annotator_group": "u"},
            ]
        )
    )  # fmt: skip
    assert rows["group"].to_list() == ["u", "v", "u"]
    assert rows["contexts"].to_list() == [["2"], [], []]
    assert rows["survey"].to_list() == [True, False, None]
    assert rows["controversial"].to_list() == [True, True, False]


def test_a_context_that_a_filter_took_is_refused():
    with pytest.raises(ValueError, match="a context names the pair gone"):
        grouped_pairs(pairs([{"annotator_group": "u", "meta": '{"contexts":["0","gone"]}'}]))


def test_a_pair_of_nobody_is_refused():
    with pytest.raises(ValueError, match="pair 1: there is no group"):
        grouped_pairs(pairs([{"annotator_group": "u"}, {}]))
