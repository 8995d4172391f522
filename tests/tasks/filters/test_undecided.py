from tasks.filters.undecided import undecided
from tests.support.preferences import pairs


def test_what_nothing_filed_goes():
    rows = pairs([{"level": "safe"}, {}])
    assert undecided(rows).rows() == [("1", "no level", None)]
    assert undecided(rows, by="stage").height == 2
