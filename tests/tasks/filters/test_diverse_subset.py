import numpy as np
import polars as pl
import pytest

from schemas.messages import to_rows
from tasks.filters.diverse_subset import diverse_subset, farthest_first
from tests.support.preferences import pairs


def test_each_next_row_is_the_farthest_from_those_before():
    angles = np.radians([0, 10, 90, 100, 180])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    nearest, cosine = farthest_first(rows, 3, 0)
    assert nearest.tolist() == [0, 0, 2, 2, 4]
    assert cosine[1] == pytest.approx(np.cos(np.radians(10)), abs=1e-6)


def table(*prompts):
    return pairs([
        {"pair_id": f"{i}{letter}", "prompt_id": f"p{i}", "prompt": to_rows(text)}
        for i, text in enumerate(prompts) for letter in "ab"
    ])  # fmt: skip


def test_one_prompt_of_each_kind_stays_with_all_its_pairs():
    kinds = ("bake bread at home", "fix a python bug", "appeal to a court")
    rows = table(*(f"{kind} {end}" for kind in kinds for end in ("now", "today", "soon")))
    found = diverse_subset(rows, keep=3)
    stays = sorted(set(rows["pair_id"]) - set(found["row_id"]))
    assert len(stays) == 6
    assert [int(name[0]) // 3 for name in stays] == [0, 0, 1, 1, 2, 2]
    assert found["reason"].unique().to_list() == ["not among the most diverse prompts"]
    assert diverse_subset(rows, keep=9).height == 0


def test_vectors_of_a_model_may_be_given(tmp_path):
    file = tmp_path / "vectors.parquet"
    pl.DataFrame({"key": ["p0", "p1", "p2"], "vector": [[1.0, 0.0], [0.99, 0.1], [0.0, 1.0]]}).write_parquet(file)
    found = diverse_subset(table("a", "b", "c"), keep=2, vectors=str(file))
    assert set(found["row_id"].str.slice(0, 1)) < {"0", "1"}
    with pytest.raises(ValueError, match="keep 0"):
        diverse_subset(table("a"), keep=0)
