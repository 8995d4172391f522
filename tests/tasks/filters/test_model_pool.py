import polars as pl
import pytest

from tasks.filters.model_pool import model_pool
from tests.support.scored import completions

POOL = completions([
    {"completion_id": f"{p}{m}{k}", "prompt_id": f"p{p}", "policy": f"m{m}"}
    for p in range(60) for m in range(5) for k in range(2)
])  # fmt: skip


def kept(**chosen):
    out = model_pool(POOL, **chosen)
    return POOL.filter(~pl.col("completion_id").is_in(out["row_id"].implode()))


def test_so_many_models_a_prompt_with_all_their_completions():
    left = kept(models=2)
    assert left.group_by("prompt_id").agg(pl.col("policy").n_unique())["policy"].unique().to_list() == [2]
    assert left.height == 60 * 4
    assert left["policy"].n_unique() == 5


def test_the_policy_to_be_trained_is_always_there():
    left = kept(models=2, always=["m3"])
    assert left.filter(policy="m3")["prompt_id"].n_unique() == 60


def test_the_draw_knows_prompt_and_policy_alone():
    part = POOL.filter(pl.col("prompt_id") == "p7").reverse()
    whole = (
        model_pool(POOL, models=2)
        .filter(pl.col("row_id").str.starts_with("7"))
        .filter(pl.col("row_id").str.len_chars() == 3)
    )
    assert model_pool(part, models=2).equals(whole)


def test_a_small_pool_is_kept_and_none_is_refused():
    assert model_pool(POOL, models=5).height == 0
    with pytest.raises(ValueError, match="models is 0"):
        model_pool(POOL, models=0)
