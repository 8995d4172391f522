"""What holds for every selector, whatever the scores."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selectors.all_pairs import all_pairs
from tasks.selectors.best_vs_worst import best_vs_worst
from tasks.selectors.correct_vs_wrong import correct_vs_wrong

SELECTORS = [
    pytest.param(best_vs_worst, {}, id="best_vs_worst"),
    pytest.param(all_pairs, {}, id="all_pairs"),
    pytest.param(all_pairs, {"min_probability": 0.7, "per_prompt": 2}, id="all_pairs over a probability"),
    pytest.param(correct_vs_wrong, {}, id="correct_vs_wrong"),
    pytest.param(correct_vs_wrong, {"reuse": True, "per_prompt": 3}, id="correct_vs_wrong with reuse"),
]
RANKED = [
    pytest.param(best_vs_worst, {}, id="best_vs_worst"),
    pytest.param(all_pairs, {}, id="all_pairs"),
    pytest.param(all_pairs, {"per_prompt": 10**6}, id="all_pairs with a cap that does not bind"),
]
ROW = st.tuples(
    st.sampled_from("pqr"),
    st.integers(0, 5),
    st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]) | st.floats(-5, 5).map(lambda value: round(value, 3)),
    st.sampled_from(["stop", "stop", "stop", "length", "refused"]),
)
ROWS = st.lists(ROW, max_size=14)


def tables(rows):
    ids = [f"{i * 7919 % 97:02d}" for i in range(len(rows))]
    data = [
        {"prompt_id": prompt, "completion_id": name, "content_id": f"t{text}", "finish_reason": reason, "score": score}
        for name, (prompt, text, score, reason) in zip(ids, rows, strict=True)
    ]
    schema = {name: pl.String for name in ("prompt_id", "completion_id", "content_id", "finish_reason")}
    frame = pl.DataFrame(data, schema=schema | {"score": pl.Float64})
    scores = frame.select("completion_id", "prompt_id", "score", criterion=pl.lit("c"), scorer=pl.lit("mean"))
    return frame.drop("score"), scores


@pytest.mark.parametrize(("select", "chosen"), SELECTORS)
@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_the_chosen_outscores_the_rejected_and_both_are_whole_answers_of_the_prompt(select, chosen, rows):
    completions, scores = tables(rows)
    known = {
        row["completion_id"]: row for row in completions.join(scores, on=["completion_id", "prompt_id"]).to_dicts()
    }
    pairs = select(completions, scores, **chosen).to_dicts()
    for pair in pairs:
        one, other = known[pair["chosen_id"]], known[pair["rejected_id"]]
        assert one["prompt_id"] == other["prompt_id"] == pair["prompt_id"]
        assert one["content_id"] != other["content_id"]
        assert {one["finish_reason"], other["finish_reason"]} == {"stop"}
        assert (pair["chosen_score"], pair["rejected_score"]) == (one["score"], other["score"])
        assert pair["margin"] == one["score"] - other["score"] > 0
    keys = {(pair["chosen_id"], pair["rejected_id"]) for pair in pairs}
    assert len(keys) == len(pairs)
    assert not keys & {(rejected, best) for best, rejected in keys}


@pytest.mark.parametrize(("select", "chosen"), SELECTORS)
@settings(deadline=None, max_examples=60)
@given(ROWS, st.randoms())
def test_row_order_and_other_prompts_do_not_matter(select, chosen, rows, random):
    completions, scores = tables(rows)
    whole = select(completions, scores, **chosen)
    seed = random.randrange(99)
    shuffled = select(completions.sample(fraction=1, shuffle=True, seed=seed), scores.reverse(), **chosen)
    assert shuffled.equals(whole)
    parts = [
        select(*(table.filter(pl.col("prompt_id") == name) for table in (completions, scores)), **chosen)
        for name in "pqr"
    ]
    assert pl.concat(parts).equals(whole)


@pytest.mark.parametrize(("select", "chosen"), RANKED)
@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from([0.25, 8.0]))
def test_a_monotone_rescale_leaves_rank_based_pairs_unchanged(select, chosen, rows, factor):
    completions, scores = tables(rows)
    ids = ["prompt_id", "chosen_id", "rejected_id"]
    plain = select(completions, scores, **chosen).select(ids)
    cubed = scores.with_columns(score=pl.col("score") ** 3 * factor - 4)
    stretched = scores.with_columns(score=pl.col("score") * factor)
    assert select(completions, stretched, **chosen).select(ids).equals(plain)
    ranks = cubed["score"].n_unique() == scores["score"].n_unique()  # the cube of a tiny score may round to a tie
    assert not ranks or select(completions, cubed, **chosen).select(ids).equals(plain)


@pytest.mark.parametrize(("select", "chosen"), SELECTORS)
def test_nothing_in_gives_nothing_out_with_the_same_columns(select, chosen):
    full = select(*tables([("p", 0, 1.0, "stop"), ("p", 1, -1.0, "stop")]), **chosen)
    none = select(*tables([]), **chosen)
    assert full.height == 1
    assert none.height == 0
    assert none.schema == full.schema
