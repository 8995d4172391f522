import pytest

from schemas.messages import assistant, to_rows
from tasks.exports.quadruple_rows import quadruple_rows
from tests.support.exported import chat
from tests.support.preferences import pairs


def half(side, own, other):
    return {
        "prompt": to_rows(f"x{side}?"), "chosen": assistant(own), "rejected": assistant(other),
        "meta": f'{{"quadruple":"p1+p2","side":{side}}}',
    }  # fmt: skip


def test_two_pairs_are_one_quadruple():
    assert quadruple_rows(pairs([half(2, "y2", "y1"), half(1, "y1", "y2")])).to_dicts() == [
        {
            "quadruple": "p1+p2", "x1": chat(("user", "x1?")), "x2": chat(("user", "x2?")),
            "y1": chat(("assistant", "y1")), "y2": chat(("assistant", "y2")),
        }
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [[half(1, "y1", "y2")], [{}], [half(1, "y1", "y2"), half(2, "y2", "z")]])
def test_a_half_alone_is_refused(rows):
    with pytest.raises(ValueError, match="pair 0: the other half of its quadruple is not there"):
        quadruple_rows(pairs(rows))
