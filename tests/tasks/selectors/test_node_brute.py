"""Every extraction over nodes, held against what brute force finds on small random trees."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selectors.first_error_pairs import first_error_pairs
from tasks.selectors.inferred_values import inferred_values
from tasks.selectors.shaped_rewards import shaped_rewards
from tasks.selectors.sibling_pairs import sibling_pairs
from tasks.selectors.step_labels import step_labels
from tasks.selectors.suffix_pairs import suffix_pairs
from tasks.selectors.tree_lists import tree_lists
from tests.support.brute import SMALL, Rows, children, ends, frame, path, share, text
from tests.support.nodes import meta, pairs

QUICK = settings(deadline=None, max_examples=60)


def noted(rows: Rows, name: str, key: str) -> Any:
    return json.loads(rows[name]["meta"]).get(key)


def family(rows: Rows) -> list[list[str]]:
    """Returns the children of every step."""
    return [children(rows, name) for name in rows]


@QUICK
@given(SMALL, st.sampled_from(["value", "share", "self_evaluation"]), st.sampled_from([0.0, 0.5]), st.integers(0, 2))
def test_all_sibling_pairs(rows: Rows, by: Any, gap: float, visits: int) -> None:
    def number(name: str) -> float | None:
        return share(rows, name) if by == "share" else rows[name][by]

    expected = {
        (one, other)
        for siblings in family(rows) for one, other in permutations(siblings, 2)
        if None not in (number(one), number(other)) and number(one) - number(other) > gap  # type: ignore[operator]
        and min(rows[one]["visits"], rows[other]["visits"]) >= visits
    }  # fmt: skip
    found = sibling_pairs(frame(rows), by=by, take="all", min_gap=gap, min_visits=visits)
    assert set(pairs(found)) == expected
    for row in found.iter_rows(named=True):
        assert row["prefix"] + row["chosen"][0]["content"] == text(rows, row["chosen_id"])
        assert row["prefix"] + row["rejected"][0]["content"] == text(rows, row["rejected_id"])
        assert row["margin"] == pytest.approx(number(row["chosen_id"]) - number(row["rejected_id"]))  # type: ignore[operator]


@QUICK
@given(SMALL)
def test_best_against_worst_of_every_step(rows: Rows) -> None:
    found = dict(pairs(sibling_pairs(frame(rows))))
    for siblings in family(rows):
        known = {name: rows[name]["value"] for name in siblings if rows[name]["value"] is not None}
        known = {name: value for name, value in known.items() if rows[name]["visits"] >= 1}
        told = [(one, other) for one, other in found.items() if one in siblings]
        if len(set(known.values())) < 2:
            assert told == []
        else:
            ((one, other),) = told
            assert (known[one], known[other]) == (max(known.values()), min(known.values()))


@QUICK
@given(SMALL)
def test_pairs_of_opposite_sign(rows: Rows) -> None:
    def able(siblings: list[str], end: bool) -> list[str]:
        return [
            name for name in siblings
            if rows[name]["value"] is not None and rows[name]["visits"] and rows[name]["terminal"] is end
        ]  # fmt: skip

    expected, ending = set(), 0
    for siblings in family(rows):
        inner = able(siblings, False)
        expected |= {(a, b) for a in inner for b in inner if rows[a]["value"] > 0 > rows[b]["value"]}
        values = [rows[name]["value"] for name in able(siblings, True)]
        ending += bool(values) and max(values) > 0 > min(values)
    found = sibling_pairs(frame(rows), take="signed", end_scale=0.3)
    steps = {pair for pair in pairs(found) if not rows[pair[0]]["terminal"]}
    assert steps == expected
    assert found.height - len(steps) == ending
    for row in found.iter_rows(named=True):
        assert abs(row["chosen_score"]) <= (0.3 if rows[row["chosen_id"]]["terminal"] else 1.0)


@QUICK
@given(SMALL, st.sampled_from([0.0, 0.5]), st.sampled_from([1, 4]))
def test_first_errors_against_what_mends_them(rows: Rows, least: float, rollouts: int) -> None:
    expected = set()
    for error in rows:
        if not noted(rows, error, "first_error") or rows[error]["parent_id"] is None:
            continue
        for step in children(rows, rows[error]["parent_id"]):
            good = share(rows, step)
            if noted(rows, step, "first_error") or good is None or (rows[step]["rollouts"] or 0) < rollouts:
                continue
            if good >= least and good > (share(rows, error) or 0.0):
                expected.add((step, error))
    assert set(pairs(first_error_pairs(frame(rows), min_share=least, min_rollouts=rollouts))) == expected


@QUICK
@given(SMALL, st.integers(0, 2))
def test_right_endings_against_wrong_ones(rows: Rows, shared: int) -> None:
    expected = {}
    for right, wrong in permutations(ends(rows), 2):
        if rows[right]["reward"] >= 0.5 > rows[wrong]["reward"]:
            common = [a for a, b in zip(path(rows, right), path(rows, wrong), strict=False) if a == b]
            if len(common) >= shared:
                expected[right, wrong] = "".join(rows[name]["text"] for name in common)
    found = suffix_pairs(frame(rows), min_depth=shared, per_tree=None, per_start=99)
    assert dict(zip(pairs(found), found["prefix"], strict=True)) == expected
    for row in found.iter_rows(named=True):
        assert row["prefix"] + row["chosen"][0]["content"] == text(rows, row["chosen_id"])


@QUICK
@given(SMALL, st.booleans(), st.booleans(), st.sampled_from(["hard", "soft"]))
def test_labels_of_every_path(rows: Rows, inner: bool, cut: bool, kind: Any) -> None:
    expected = {}
    for name, row in rows.items():
        if row["parent_id"] is None or not (row["terminal"] or (inner and not children(rows, name))):
            continue
        labels: list[float] = []
        steps = path(rows, name)
        wrong = [noted(rows, step, "first_error") for step in steps]
        for place, step in enumerate(steps):
            value = share(rows, step)
            if kind == "hard" and any(wrong):
                label: float | None = float(place < wrong.index(True))
            elif value is None or kind == "soft":
                label = value
            elif rows[step]["terminal"]:
                label = float(value >= 0.5)
            else:
                label = float((rows[step]["successes"] or 0) >= 1)
            if label is None:
                break
            labels.append(label)
            if cut and label == 0:
                break
        if labels:
            expected.setdefault(tuple(steps[: len(labels)]), labels)
    found = step_labels(frame(rows), kind=kind, inner=inner, cut=cut)
    told = {tuple(row["node_ids"]): labels for row, labels in zip(meta(found), found["labels"].to_list(), strict=True)}
    assert told == expected
    for row in meta(found):
        assert row["root_id"] == "root"
        assert row["visits"] == [rows[step]["visits"] for step in row["node_ids"]]
        assert row["values"] == [rows[step]["value"] for step in row["node_ids"]]


EXTRACTIONS = [sibling_pairs, first_error_pairs, suffix_pairs, step_labels, inferred_values, shaped_rewards, tree_lists]


@pytest.mark.parametrize("extract", EXTRACTIONS, ids=lambda block: block.__name__)
@settings(deadline=None, max_examples=30)
@given(rows=SMALL, seed=st.integers(0, 99))
def test_neither_the_order_of_rows_nor_a_second_run_changes_anything(extract: Any, rows: Rows, seed: int) -> None:
    nodes = frame(rows)
    assert extract(nodes).equals(extract(nodes.sample(fraction=1.0, shuffle=True, seed=seed)))


@pytest.mark.parametrize("extract", EXTRACTIONS, ids=lambda block: block.__name__)
@settings(deadline=None, max_examples=30)
@given(rows=SMALL)
def test_what_nobody_judged_becomes_no_label(extract: Any, rows: Rows) -> None:
    """An end whose check failed, and a step without a rollout or value, is on no side of a pair and in no list."""
    found = extract(frame(rows))
    if found.is_empty():
        return
    if "chosen_id" in found.columns:
        by = found["criterion"].to_list()
        for row, kind in zip(found.iter_rows(named=True), by, strict=True):
            for side in ("chosen_id", "rejected_id"):
                known = {"share": share(rows, row[side]), "reward": rows[row[side]]["reward"]}
                told = known.get(kind, rows[row[side]]["value"])
                assert told is not None or noted(rows, row[side], "first_error")
    elif "completion_ids" in found.columns:
        assert all(rows[name]["reward"] is not None for ids in found["completion_ids"] for name in ids)
    else:
        assert all(None not in labels for labels in found["labels"].to_list())
