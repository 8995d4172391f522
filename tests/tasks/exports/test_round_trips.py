"""Every stepwise format leads back to the rows, and they to the nodes, that it was made of."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from tasks.exports import math_shepherd, openr, prm800k, step_dpo, trl_stepwise
from tasks.exports._kept import nodes
from tasks.selectors.first_error_pairs import first_error_pairs
from tests.support.nodes import tree
from tests.support.stepdpo import pairs
from tests.support.steprows import ANY, rows, searched

FORMATS: list[Any] = [
    pytest.param(module, getattr(module, module.__name__.rpartition(".")[2]), id=module.__name__.rpartition(".")[2])
    for module in (trl_stepwise, prm800k, math_shepherd, openr)
]
LABELS = {"a": 0.75, "a/R": 1.0, "a/x": 0.0, "a/x/W": 0.0, "b": 0.0, "b/W": 0.0}


@pytest.mark.parametrize(("module", "export"), FORMATS)
def test_an_exported_row_leads_back_to_every_node_on_its_path(module: Any, export: Any, tmp_path: Any) -> None:
    file = tmp_path / "train.parquet"
    export(rows(), keep=True).write_parquet(file)
    found = nodes(module.back(pl.read_parquet(file)))
    source = {row["node_id"]: row for row in searched().iter_rows(named=True)}
    assert set(found) == set(source) - {"root"}
    for name, node in found.items():
        for column in ("prompt_id", "tree_id", "parent_id", "depth", "text", "value", "visits"):
            assert node[column] == source[name][column], (name, column)
        assert (node["rollouts"], node["successes"]) == (
            source[name]["rollouts"] or 0, source[name]["successes"] or 0,
        )  # fmt: skip
        assert node["label"] == LABELS[name]


@pytest.mark.parametrize(("module", "export"), FORMATS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(table=ANY)
def test_whatever_the_texts_rows_come_back_as_they_were(module: Any, export: Any, table: pl.DataFrame) -> None:
    found = {row["step_row_id"]: row for row in module.back(export(table, keep=True))}
    assert found == {row["step_row_id"]: row for row in table.iter_rows(named=True)}
    assert export(table).equals(export(table, keep=True).drop("pairwright"))


@pytest.mark.parametrize(("module", "export"), FORMATS)
def test_rows_exported_without_it_say_how_to_get_it(module: Any, export: Any) -> None:
    with pytest.raises(ValueError, match="without --set keep=true"):
        module.back(export(rows()))


@pytest.mark.parametrize(("module", "export"), FORMATS)
def test_a_row_without_a_label_for_each_step_is_refused(module: Any, export: Any) -> None:
    short = rows().with_columns(labels=pl.lit([1.0], pl.List(pl.Float64)))
    with pytest.raises(ValueError, match="steps stand against 1 labels"):
        export(short)


@pytest.mark.parametrize(("module", "export"), FORMATS)
def test_no_rows_give_the_same_columns(module: Any, export: Any) -> None:
    assert export(rows().clear()).schema == export(rows()).schema


def test_step_pairs_come_back_as_they_were() -> None:
    found = pairs()
    exported = step_dpo.step_dpo(found, keep=True)
    assert {row["pair_id"]: row for row in step_dpo.back(exported)} == {
        row["pair_id"]: row for row in found.iter_rows(named=True)
    }


def test_a_step_pair_names_the_nodes_it_was_made_of() -> None:
    steps = {
        "ok": {"rollouts": 4, "successes": 2}, "ok/bad": {"rollouts": 4, "successes": 0, "meta": {"first_error": True}},
        "ok/fix": {"rollouts": 4, "successes": 3},
    }  # fmt: skip
    (pair,) = first_error_pairs(tree(steps)).iter_rows(named=True)
    assert (pair["chosen_id"], pair["rejected_id"], pair["prefix"]) == ("ok/fix", "ok/bad", "ok\n")
