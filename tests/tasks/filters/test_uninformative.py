import polars as pl
import pytest

from tasks.filters.uninformative import uninformative
from tests.support.preferences import pairs


def table(**prompts):
    rows = [(name, value) for name, values in prompts.items() for value in values]
    return pl.DataFrame({
        "prompt_id": [name for name, _ in rows], "completion_id": [str(i) for i in range(len(rows))],
        "criterion": "good", "scorer": "mean", "score": [float(value) for _, value in rows],
    })  # fmt: skip


PAIRS = pairs([{"prompt_id": name} for name in ("p", "p", "q", "r")])


def test_pairs_of_prompts_whose_scores_are_all_the_same_go():
    found = uninformative(PAIRS, table(p=[1, 0, 1, 0], q=[1, 1, 1], r=[1]))
    assert found.rows() == [("2", "its prompt's scores hardly vary", "0.0")]


def test_the_variance_of_right_and_wrong_is_p_times_1_less_p():
    found = uninformative(PAIRS, table(p=[1, 0, 0, 0], q=[1, 1, 0, 0]), least=0.2)
    assert found.rows() == [("0", "its prompt's scores hardly vary", "0.1875"),
                            ("1", "its prompt's scores hardly vary", "0.1875")]  # fmt: skip


def test_a_share_of_the_prompts_stays_the_most_varied():
    scores = table(p=[1, 0], q=[9, 0], r=[5, 0])
    assert uninformative(PAIRS, scores, keep=0.34)["row_id"].to_list() == ["0", "1", "3"]
    assert uninformative(PAIRS, scores, keep=0.67)["row_id"].to_list() == ["0", "1"]
    assert uninformative(PAIRS, scores, keep=1.0).height == 0


def test_prompts_that_have_no_pair_take_no_place():
    assert uninformative(PAIRS.head(2), table(p=[1, 0], z=[9, 0]), keep=1.0).height == 0
    assert uninformative(PAIRS.head(3), table(p=[1, 0], q=[5, 0], z=[9, 0]), keep=0.5)["row_id"].to_list() == ["0", "1"]


def test_parameters_have_ranges_and_scores_are_of_one_kind():
    with pytest.raises(ValueError, match="keep 0"):
        uninformative(PAIRS, table(p=[1]), keep=0)
    two = pl.concat([table(p=[1]), table(p=[1]).with_columns(criterion=pl.lit("long"))])
    with pytest.raises(ValueError, match="several kinds"):
        uninformative(PAIRS, two)
