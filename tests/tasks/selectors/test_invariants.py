"""The invariants of every selector there is, over random worlds. A new selector is in here, or the first test fails."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import text_of
from tasks import recipes, registry
from tasks.filters.identical_texts import identical_texts
from tasks.select import whole
from tests.support.worlds import SAMPLES, Sample, failures, moved, world

DEMOS = {"better": "other", "worse": "own"}


@dataclass(frozen=True)
class Case:
    """A selector with parameters, and which changes of the scores must not change what it selects.

    Args:
        shift: a constant on all scores of one prompt. scale: a factor on all scores.
        lower: its chosen may have the lower score. drops: a failed judgment may cost the prompt its pair.
    """

    params: dict[str, Any] = field(default_factory=dict)
    shift: bool = True
    scale: bool = True
    lower: bool = False
    drops: bool = False


ONE = {"criterion": "a"}
CASES: dict[str, list[Case]] = {
    "active_pairs": [Case(), Case({"by": "best_arm"}), Case({"by": "uncertainty"}), Case({"by": "random"})],
    "advantages": [Case({"keep_constant": True, **ONE}), Case({"baseline": "standardised", **ONE})],
    "agreeing_lists": [Case({"ranking": "a", "other": "b"})],
    "all_pairs": [Case(ONE), Case({"min_probability": 0.7, **ONE}, scale=False), Case({"per_prompt": 2, **ONE})],
    "anchored": [Case(ONE), Case({"chosen": 1.0, "rejected": -1.0, **ONE}),
                 Case({"rejected": "min", "among": 3, **ONE})],
    "annotator_groups": [Case(), Case({"groups": 1})],
    "attributes": [Case({"criteria": ["a", "b"]}), Case({"criteria": ["a"], "standardise": True, "goal": "<{value}>"})],
    "best_vs_random": [Case(ONE), Case({"seed": 3, **ONE})],
    "best_vs_worst": [Case(ONE), Case({"min_margin": 0.5, **ONE}, scale=False)],
    "by_construction": [Case(DEMOS), Case({"by": "policy", "per_prompt": 2, **DEMOS})],
    "constrained": [Case({"reward": "a", "constraints": {"b": 0.0}}, shift=False, lower=True)],
    "correct_vs_wrong": [Case(ONE, shift=False, scale=False), Case({"reuse": True, **ONE}, shift=False, scale=False)],
    "degrees": [Case(ONE)],
    "directed": [Case({"criteria": ("a", "b")}, shift=False)],
    "dominating": [Case({"criteria": ["a", "b"]}),
                   Case({"criteria": ["a", "b"], "smaller_is_better": ["a"]}, lower=True)],
    "extreme_examples": [Case(ONE), Case({"keep": "best_worst", **ONE})],
    "first_error_pairs": [Case(), Case({"per_error": 1})],
    "goal_positions": [Case(ONE)],
    "hierarchical": [Case({"factors": ["a", "b"]}, shift=False)],
    "inferred_values": [Case(), Case({"form": "simple", "solved": False})],
    "knockout": [Case(drops=True)],
    "labelled": [Case(ONE, shift=False, scale=False),
                 Case({"threshold": "median", "balance": "counts", **ONE}, shift=False),
                 Case({"threshold": "mean", "balance": "weights", "words": ("bad", "good"), **ONE})],
    "leaf_pairs": [Case(), Case({"per_depth": 1, "max_depth": 1})],
    "length_debiased": [Case(ONE, scale=False, lower=True)],
    "outcome_examples": [Case(ONE), Case({"balanced": True, **ONE}, shift=False, scale=False)],
    "over_bar": [Case({"bar": 2.0, **ONE}, shift=False, scale=False),
                 Case({"bar": 1.0, "teacher": "other", **ONE}, shift=False, scale=False)],
    "per_criterion": [Case({"criteria": ["a", "b"]}), Case({"criteria": ["a", "b"], "pairs": "all", "stages": True})],
    "quadruples": [Case(ONE), Case({"least": 0.0, **ONE}, shift=False)],
    "ranked_lists": [Case(ONE), Case({"strict": True, "softmax": 1.0, **ONE}), Case({"length": 3, **ONE})],
    "rejection_sampled": [Case(ONE, scale=False), Case({"pairing": "tournament", "keep": 3, **ONE}, scale=False)],
    "right_and_better": [Case({"right": "b", "better": "a"}, shift=False, scale=False)],
    "shaped_rewards": [Case(), Case({"by": "value", "shape": "delta"})],
    "sibling_pairs": [Case(), Case({"take": "all", "by": "share", "soft": "posterior"}), Case({"take": "signed"})],
    "step_labels": [Case(), Case({"kind": "soft", "mixed": True})],
    "suffix_pairs": [Case(), Case({"per_tree": None, "per_start": 2})],
    "token_pairs": [Case(ONE)],
    "tree_lists": [Case(), Case({"mixed": False, "graded": False})],
    "triples": [Case(ONE), Case({"own": "own", **ONE}), Case({"source": "other", **ONE})],
    "varied_lists": [Case(ONE), Case({"most": 1, **ONE}, shift=False)],
    "weighted_examples": [Case(ONE), Case({"off_policy": True, "temperature": 0.5, **ONE})],
}  # fmt: skip
ALL = [pytest.param(name, case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)]
PER_PROMPT = [each for each in ALL if registry.find("select", each.values[0]).mark.scope == "prompt"]
SHIFTED = [each for each in ALL if each.values[1].shift]
SCALED = [each for each in ALL if each.values[1].scale]
few = settings(deadline=None, max_examples=4)


def chosen(name: str, case: Case, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Returns the lean rows of a selector."""
    block = registry.find("select", name)
    rows: pl.DataFrame = block.function(*(tables[table] for table in block.tables), **case.params)
    return rows


def full(name: str, case: Case, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Returns the rows as they are published: texts joined, equal and empty texts taken out."""
    lean, kind = chosen(name, case, tables), registry.find("select", name).mark.makes
    rows = whole(kind, lean, tables, "invariants") if lean.height else lean
    if kind == "preferences" and rows.height:
        rows = rows.filter(~pl.col("pair_id").is_in(identical_texts(rows)["row_id"].implode()))
    return rows


def who(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Returns whom each row names, without numbers."""
    names = (
        "prompt_id",
        "chosen_id",
        "rejected_id",
        "completion_id",
        "completion_ids",
        "completions",
        "annotator_group",
    )
    held = [name for name in names if name in rows.columns]
    return sorted((tuple(map(str, row)) for row in rows.select(held).iter_rows()), key=str)


def test_every_selector_has_its_cases():
    assert set(CASES) == {name for name, block in registry.family("select").items() if ":" not in name}


def test_every_recipe_of_pairs_takes_out_equal_and_empty_texts():
    for name in recipes.known():
        recipe = recipes.load(name)
        makes = {registry.find("select", spec.name).mark.makes for spec in recipe.of("select")}
        filters = {spec.name for spec in recipe.of("filter")}
        assert "preferences" not in makes or "identical_texts" in filters, name


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES)
def test_a_pair_is_two_real_answers_to_one_prompt_that_say_different_things(name, case, samples):
    tables = world(samples)
    rows = full(name, case, tables)
    if "chosen" not in rows.columns:
        return
    asked = dict(tables["prompts"].select("prompt_id", "messages").iter_rows())
    for row in rows.iter_rows(named=True):
        texts = [" ".join(unicodedata.normalize("NFC", text_of(row[side])).split()) for side in ("chosen", "rejected")]
        assert all(texts)
        assert texts[0] != texts[1]
        assert row["prompt"] == asked[row["prompt_id"]]
        assert {row[side][-1]["role"] for side in ("chosen", "rejected")} == {"assistant"}


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES)
def test_the_chosen_does_not_score_lower_and_no_pair_stands_both_ways(name, case, samples):
    rows = chosen(name, case, world(samples))
    if "chosen_id" not in rows.columns:
        return
    both = {"chosen_score", "rejected_score"} <= set(rows.columns)
    assert case.lower or not both or not rows.filter(pl.col("chosen_score") <= pl.col("rejected_score")).height
    more = ["prompt_id", *(name for name in ("annotator_group",) if name in rows.columns)]
    keys = rows.select("chosen_id", "rejected_id", *more).rows()
    assert len(set(keys)) == len(keys)
    assert not {(one, other, *more) for one, other, *more in keys} & {(other, one, *more) for one, other, *more in keys}


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES, st.integers(0, 99))
def test_the_order_of_the_candidates_does_not_matter(name, case, samples, seed):
    tables = world(samples)
    mixed = {key: table.sample(fraction=1, shuffle=True, seed=seed) for key, table in tables.items()}
    assert chosen(name, case, mixed).equals(chosen(name, case, tables))


@pytest.mark.parametrize(("name", "case"), SHIFTED)
@few
@given(SAMPLES)
def test_a_constant_on_one_prompts_scores_changes_nothing(name, case, samples):
    tables = world(samples)
    assert who(chosen(name, case, moved(tables, shift=4.0))) == who(chosen(name, case, tables))


@pytest.mark.parametrize(("name", "case"), SCALED)
@few
@given(SAMPLES, st.sampled_from([0.5, 8.0]))
def test_a_factor_on_the_scores_leaves_ranks_and_deviations_as_they_are(name, case, samples, factor):
    tables = world(samples)
    assert who(chosen(name, case, moved(tables, factor=factor))) == who(chosen(name, case, tables))


def test_a_factor_on_the_scores_changes_what_a_probability_decides():
    tables = world([Sample("p", "4", 1.0, 0.0), Sample("p", "5", 0.0, 0.0)])
    rule = Case({"min_probability": 0.85, **ONE})  # sigmoid(1) = .73, sigmoid(2) = .88
    assert chosen("all_pairs", rule, tables).height == 0
    assert chosen("all_pairs", rule, moved(tables, factor=2.0)).height == 1


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES)
def test_a_failed_judgment_is_no_score(name, case, samples):
    if not {"scores", "judgments"} & set(registry.find("select", name).tables):
        return
    tables = world(samples)
    with_failures, without = (chosen(name, case, each) for each in (failures(tables), tables))
    assert with_failures.equals(without) or (case.drops and set(who(with_failures)) < set(who(without)))


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES)
def test_the_same_input_gives_the_same_bytes(name, case, samples):
    written = []
    for _ in range(2):
        sink = io.BytesIO()
        full(name, case, world(samples)).write_parquet(sink)
        written.append(sink.getvalue())
    assert written[0] == written[1]


@pytest.mark.parametrize(("name", "case"), PER_PROMPT)
@few
@given(SAMPLES)
def test_shards_of_prompts_give_the_same_rows(name, case, samples):
    tables = world(samples)
    parts = [{key: table.filter(pl.col("prompt_id") == prompt) for key, table in tables.items()} for prompt in "pqr"]
    made = [chosen(name, case, part) for part in parts]
    assert pl.concat([part for part in made if part.height] or made[:1]).equals(chosen(name, case, tables))


@pytest.mark.parametrize(("name", "case"), ALL)
@few
@given(SAMPLES)
def test_a_row_is_in_its_prompts_split_and_leads_back_to_its_completions(name, case, samples):
    tables = world(samples)
    rows = full(name, case, tables)
    split = dict(tables["prompts"].select("prompt_id", "split").iter_rows())
    owner = dict(tables["completions"].select("completion_id", "prompt_id").iter_rows())
    owner |= dict(tables["nodes"].select("node_id", "prompt_id").iter_rows())
    for row in rows.iter_rows(named=True):
        assert row["split"] == split[row["prompt_id"]]
        assert row["recipe"] == "invariants"
        ids = [row.get("chosen_id"), row.get("completion_id"), *(row.get("completion_ids") or ())]
        ids += [] if name == "quadruples" else [row.get("rejected_id")]
        assert {owner[each] for each in ids if each is not None} <= {row["prompt_id"]}


@pytest.mark.parametrize(("name", "case"), ALL)
@pytest.mark.parametrize("scores", [(0.0,), (1.0, 1.0, 1.0), (0.0, 1.0), (-5.0, 5.0, 5.0)], ids=str)
def test_every_number_is_finite_even_where_nothing_differs(name, case, scores):
    tables = world([Sample("p", text, score, score) for text, score in zip("abc", scores, strict=False)])
    rows = full(name, case, tables)
    for column, kind in rows.schema.items():
        values = rows[column].drop_nulls()
        values = values.explode().drop_nulls() if isinstance(kind, pl.List) and kind.inner == pl.Float64 else values
        assert values.dtype != pl.Float64 or values.is_finite().all(), column
    for column, low, high in (("p_chosen", 0, 1), ("weight", 0, float("inf")), ("margin", 0, float("inf"))):
        if column in rows.columns and not (case.lower and column == "margin"):
            assert rows[column].drop_nulls().is_between(low, high).all()
    if "meta" in rows.columns:
        assert all(b"NaN" not in orjson.dumps(orjson.loads(text)) for text in rows["meta"].drop_nulls())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "case"), ALL)
@settings(deadline=None, max_examples=25)
@given(SAMPLES, st.integers(0, 99))
def test_all_of_this_in_many_more_worlds(name, case, samples, seed):
    def hold(test: Any, *more: Any) -> None:
        test.hypothesis.inner_test(name, case, samples, *more)

    hold(test_a_pair_is_two_real_answers_to_one_prompt_that_say_different_things)
    hold(test_the_chosen_does_not_score_lower_and_no_pair_stands_both_ways)
    hold(test_the_order_of_the_candidates_does_not_matter, seed)
    hold(test_a_failed_judgment_is_no_score)
    hold(test_a_row_is_in_its_prompts_split_and_leads_back_to_its_completions)
    if case.shift:
        hold(test_a_constant_on_one_prompts_scores_changes_nothing)
    if case.scale:
        hold(test_a_factor_on_the_scores_leaves_ranks_and_deviations_as_they_are, 8.0)
    if registry.find("select", name).mark.scope == "prompt":
        hold(test_shards_of_prompts_give_the_same_rows)
