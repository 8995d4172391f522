import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.filters.identical_texts import identical_texts
from tests.support.pairs import pair, pairs

SCHEMA = {name: PREFERENCES.empty().schema[name] for name in ("pair_id", "chosen", "rejected")}


def table(*pairs):
    rows = [
        {"pair_id": str(i), "chosen": assistant(one), "rejected": assistant(other)}
        for i, (one, other) in enumerate(pairs)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("four", "four", True, id="equal"),
        pytest.param("four ", "\nfour", True, id="whitespace around"),
        pytest.param("It is\n\n four", "It is four", True, id="whitespace within"),
        pytest.param("cafe\u0301", "caf\u00e9", True, id="composed and decomposed"),
        pytest.param("four", "Four", False, id="case counts"),
        pytest.param("four", "four.", False, id="a stop counts"),
        pytest.param("", " ", True, id="both empty"),
        pytest.param("x" * 63 + "  y", "x" * 63 + "\ty", True, id="whitespace where the quick look ends"),
        pytest.param(" " * 99 + "four", "four", True, id="more whitespace than the quick look sees"),
        pytest.param("x" * 99 + "1", "x" * 99 + "2", False, id="a difference behind the quick look"),
        pytest.param("ice cream", "icecream", False, id="a space between words counts"),
    ],
)
def test_texts_are_the_same_up_to_whitespace_and_composition(one, other, same):
    assert identical_texts(table((one, other)))["row_id"].to_list() == (["0"] if same else [])


def test_every_turn_counts_and_the_text_is_named():
    call = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]
    rows = [{"pair_id": "0", "chosen": to_rows(call), "rejected": to_rows(call[:1])}]
    assert identical_texts(pl.DataFrame(rows, schema=SCHEMA)).height == 0
    assert identical_texts(table(("x" * 200, "x" * 200)))["value"].to_list() == ["x" * 100]


TEXT = st.text(alphabet="ab \n\te\u0301\u00e9", max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_kept_and_removed_are_the_input_a_second_pass_removes_nothing_and_sides_mirror(pairs):
    rows = table(*pairs)
    removed = identical_texts(rows)
    kept = rows.join(removed, left_on="pair_id", right_on="row_id", how="anti")
    assert kept.height + removed.height == len(pairs)
    assert identical_texts(kept).height == 0
    assert identical_texts(table(*((other, one) for one, other in pairs)))["row_id"].equals(removed["row_id"])
    assert identical_texts(rows.reverse()).equals(removed)


def test_a_pair_with_an_answer_that_says_nothing_goes():
    found = identical_texts(pairs(pair("1", "yes", " \n"), pair("2", "", "no"), pair("3", "yes", "no")))
    assert found.select("row_id", "reason", "value").rows() == [
        ("1", "a text is empty", "yes"),
        ("2", "a text is empty", "no"),
    ]
