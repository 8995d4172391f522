"""Conforming: what fits a table, and what is said of what does not."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.errors import DataError
from schemas.tables import JUDGMENTS, PROMPTS, SCORES, TABLES, conform

SCORE = {
    "dataset": "d", "completion_id": "c", "prompt_id": "p", "criterion": "correct", "scorer": "mean", "score": 1.0,
    "judgments": 1, "run_id": "r", "created_at": None,
}  # fmt: skip


def scores(**changed: object) -> pl.DataFrame:
    row = SCORE | {"created_at": pl.Series([0]).cast(pl.Datetime("us", "UTC"))[0]} | changed
    return pl.DataFrame([row])


def test_a_conformed_frame_has_exactly_the_schema_and_absent_nullable_columns_are_null() -> None:
    table = conform(SCORES, scores())
    assert table.schema == SCORES.schema
    assert table["standard_error"].to_pylist() == [None]


def test_numbers_are_cast_where_nothing_is_lost() -> None:
    assert conform(SCORES, scores(judgments=3.0))["judgments"].to_pylist() == [3]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(scores(extra=1), r"field 'extra': table scores has no such column", id="unknown column"),
        pytest.param(scores().drop("score"), r"field 'score': table scores needs this column", id="missing column"),
        pytest.param(
            pl.concat([scores(), scores(completion_id=None)], how="vertical_relaxed"),
            r"row 2, field 'completion_id': null is not allowed", id="null",
        ),
        pytest.param(scores(judgments="many"), r"row 1, field 'judgments': found 'many'", id="wrong type"),
        pytest.param(scores(judgments=1.5), r"row 1, field 'judgments': found 1.5", id="a fraction is no integer"),
        pytest.param(pl.concat([scores(), scores()]), r"row 1, field 'scorer': .* twice", id="key twice"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_by_column_row_and_value(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        conform(SCORES, frame)


def test_a_value_outside_the_allowed_ones_is_named_with_them() -> None:
    required = {"judgment_id": ["a", "b"], "prompt_id": ["p", "p"], "judge": ["j", "j"], "fingerprint": ["f", "f"]}
    shown = {"kind": ["pointwise", "pointwise"], "subjects": [["c"], ["c"]], "criterion": ["x", "x"]}
    with pytest.raises(DataError, match=r"row 2, field 'outcome': found 'maybe', allowed are valid, tie, refused"):
        conform(JUDGMENTS, pl.DataFrame({**required, **shown, "outcome": ["valid", "maybe"]}))


def test_the_file_is_named_where_rows_came_from_one() -> None:
    with pytest.raises(DataError, match=r"^prompts\.jsonl, row 1, field 'prompt_id': null"):
        conform(PROMPTS, pl.DataFrame({"prompt_id": [None]}), file="prompts.jsonl")


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_table_has_a_key_of_required_columns_and_says_when_a_row_was_made(table) -> None:  # type: ignore[no-untyped-def]
    for name in (*table.key, "created_at"):
        assert not table.schema.field(name).nullable
    assert table.empty().height == 0
