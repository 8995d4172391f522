import pytest

from tasks.exports.attribute_rows import attribute_rows
from tests.support.exported import examples

TWO = '{"attributes":{"help":3.5,"brief":null}}'


def test_scores_stand_by_name_and_a_missing_one_is_null():
    rows = attribute_rows(examples({"meta": TWO, "reward": 3.5}))
    assert rows["attr_scores"].to_list() == [{"help": 3.5, "brief": None}]
    assert rows["reward"].to_list() == [3.5]


def test_other_attributes_than_the_first_rows_are_refused():
    with pytest.raises(ValueError, match="example e1: its attributes are not help, brief"):
        attribute_rows(examples({"meta": TWO}, {"meta": '{"attributes":{"help":1.0}}'}))


def test_an_example_without_attributes_is_refused():
    with pytest.raises(ValueError, match="example e0: there are no attributes"):
        attribute_rows(examples({"reward": 1.0}))


def test_no_examples_give_no_rows():
    assert attribute_rows(examples()).height == 0
