"""From lean pairs to whole preference rows, and what curation takes out."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.blocks import row_filter, selector
from schemas.errors import RecipeError
from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS, PREFERENCES, PROMPTS
from tasks.curate import curate
from tasks.registry import _block
from tasks.score import Step
from tasks.select import LOG, select, whole

IDS = ("a", "b", "c")


def tables() -> dict[str, pl.DataFrame]:
    prompts = pl.DataFrame(
        {"prompt_id": ["p2", "p1"], "messages": [to_rows("two?"), to_rows("one?")], "source": ["s", "s"]},
    )
    completions = pl.DataFrame(
        {
            "completion_id": list(IDS), "prompt_id": ["p1", "p1", "p2"], "policy": ["x", "y", "x"],
            "messages": [assistant(i) for i in IDS], "content_id": list("ABC"), "logprob": [-1.0, -2.0, None],
        },
    )  # fmt: skip
    types = {name: dtype for name, dtype in PROMPTS.empty().schema.items() if name not in LOG}
    prompts = prompts.with_columns(pl.lit(None, t).alias(n) for n, t in types.items() if n not in prompts.columns)
    types = {name: dtype for name, dtype in COMPLETIONS.empty().schema.items() if name not in LOG}
    completions = completions.with_columns(
        pl.lit(None, t).alias(n) for n, t in types.items() if n not in completions.columns
    )
    return {"prompts": prompts, "completions": completions}


@selector
def first_two(completions: pl.DataFrame) -> pl.DataFrame:
    """Returns a over b, and c over c's twin."""
    return pl.DataFrame(
        {"prompt_id": ["p1", "p2"], "chosen_id": ["a", "c"], "rejected_id": ["b", "c"], "margin": [1.0, 0.0]}
    )


@row_filter
def no_margin(preferences: pl.DataFrame, *, least: float = 0.5) -> pl.DataFrame:
    """Returns the pairs whose margin is below the least."""
    low = preferences.filter(pl.col("margin") < least)
    return low.select(row_id="pair_id", reason=pl.lit("margin"), value=pl.col("margin").cast(pl.String))


def step(function: object, **params: object) -> Step:
    return Step(_block(function), params, "mine")  # type: ignore[arg-type]


def pairs_of(*selectors: object) -> pl.DataFrame:
    lean = select(tables(), [step(selector) for selector in selectors])["preferences"]
    return whole("preferences", lean, tables(), "mine")


def test_a_pair_gets_its_texts_policies_and_log_probabilities_from_its_ids_in_the_prompts_order() -> None:
    pairs = pairs_of(first_two)
    assert pairs.columns == [name for name in PREFERENCES.schema.names if name not in LOG]
    assert pairs["prompt_id"].to_list() == ["p2", "p1"]
    row = pairs.row(1, named=True)
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("a", "b")
    assert (row["chosen_policy"], row["rejected_policy"], row["chosen_logprob"]) == ("x", "y", -1.0)
    assert (row["recipe"], row["source"], row["margin"]) == ("mine", "s", 1.0)
    assert pairs["pair_id"].n_unique() == 2


def test_the_same_pair_chosen_by_two_selectors_is_one_row() -> None:
    assert pairs_of(first_two, first_two).height == 2


def test_what_a_filter_names_is_taken_out_and_written_down_and_the_rest_stays() -> None:
    pairs = pairs_of(first_two)
    kept, removed = curate({"preferences": pairs}, [step(no_margin, least=0.5)])
    assert kept["preferences"]["prompt_id"].to_list() == ["p1"]
    assert removed.drop("row_id").to_dicts() == [
        {"block": "no_margin", "reason": "margin", "table": "preferences", "value": "0.0"}
    ]
    assert {*kept["preferences"]["pair_id"], *removed["row_id"]} == {*pairs["pair_id"]}


def test_a_blocks_complaint_names_the_recipe_and_the_block() -> None:
    @selector
    def complains(completions: pl.DataFrame) -> pl.DataFrame:
        raise ValueError("n is 0")

    with pytest.raises(RecipeError, match="recipe mine, block select: complains: n is 0"):
        pairs_of(complains)
