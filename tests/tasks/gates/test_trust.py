import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.messages import assistant
from schemas.tables import JUDGMENTS, PREFERENCES, conform
from tasks.gates.trust import trust
from tests.support.pairs import pair

STAMP = {"run_id": "r", "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
TINY = "org/tiny-1b"
WORDS = [f"w{i}" for i in range(3000)]


def frame(table, rows):
    filled = pl.DataFrame([row | STAMP for row in rows], infer_schema_length=None) if rows else table.empty()
    made = pl.from_arrow(conform(table, filled))
    assert isinstance(made, pl.DataFrame)
    return made


def some(count=40, **more):
    return [
        pair(str(i), chosen="a right answer" + "!" * (i % 3), prompt=" ".join(WORDS[20 * i : 20 * i + 20]), dataset="d",
             margin=1.0 + i % 5, strength=0.5, chosen_score=2.0 + i % 5, rejected_score=1.0, chosen_policy=TINY,
             rejected_policy=TINY, split="train") | more
        for i in range(count)
    ]  # fmt: skip


def judgments(count=40, **more):
    return [
        {"judgment_id": str(i), "prompt_id": "p", "judge": "j", "fingerprint": "f", "kind": "pointwise",
         "subjects": ["c"], "criterion": "good", "outcome": "valid", "score": float(i % 5)} | more
        for i in range(count)
    ]  # fmt: skip


def duels(winners, comparison="agreed"):
    return [
        {"judgment_id": f"d{i}", "prompt_id": "p", "judge": "j", "fingerprint": "f", "kind": "pairwise",
         "subjects": ["c", "r"], "criterion": "good", "outcome": "valid", "winner": w, "comparison": comparison}
        for i, w in enumerate(winners)
    ]  # fmt: skip


def checks(pairs, judged=None, before=(), **limits):
    given = judgments() if judged is None else judged
    found = trust(frame(PREFERENCES, pairs), frame(JUDGMENTS, given), frame(PREFERENCES, list(before)), **limits)
    return {row["name"]: row for row in found.to_dicts()}


def failed(*given, **limits):
    return {(name, row["severity"]) for name, row in checks(*given, **limits).items() if not row["success"]}


def changed(rows, count, **more):
    return [row | more for row in rows[:count]] + rows[count:]


def test_a_clean_set_passes_every_check_alone_and_beside_the_version_before():
    assert failed(some()) == set()
    assert failed(some(), judgments() + duels("cr" * 20), some()) == set()
    assert failed([], [], []) == set()
    assert failed(some(), [], some(), against=("what is the capital of the country next to mine and why",)) == set()


@pytest.mark.parametrize(
    ("pairs", "judged", "names"),
    [
        pytest.param(some(), duels("cr" * 20, "contradicted"), {"flip_rate"}, id="the order decides"),
        pytest.param(changed(some(), 4, chosen=assistant("I am ChatGPT.")), None, {"identity_rate"}, id="a name"),
        pytest.param(changed(some(), 4, rejected=assistant("Tiny-1B says no")), None, {"identity_rate"}, id="own name"),
        pytest.param(some(), judgments(30, score=4.0) + judgments(10), None, id="saturated"),
        pytest.param(changed(some(), 10, strength=-0.1), None, {"weak_rate"}, id="against their label"),
        pytest.param(changed(some(), 10, strength=None, p_chosen=0.4), None, {"weak_rate"}, id="improbable"),
        pytest.param(changed(some(), 4, chosen_score=1.0), None, {"even_rate"}, id="equal scores"),
        pytest.param([*some(), some(1)[0] | {"pair_id": "x", "split": "test"}], None, {"split_leaks"}, id="two splits"),
        pytest.param([*some(), *(row | {"prompt_id": "q" + row["prompt_id"], "pair_id": "x" + row["pair_id"]}
                     for row in some(10))], None, {"near_duplicate_share"}, id="prompts nearly alike"),
    ],
)  # fmt: skip
def test_a_planted_violation_blocks(pairs, judged, names):
    if names is None:
        judged = [row | {"judgment_id": str(i)} for i, row in enumerate(judged)]
        names = {"saturated_rate"}
    assert failed(pairs, judged) == {(name, "block") for name in names}


def test_an_overlap_with_a_benchmark_blocks():
    item = "Please say: " + " ".join(WORDS[40:60])
    assert failed(some(), against=(item,)) == {("benchmark_overlaps", "block")}
    assert checks(some(), against=(item,))["benchmark_overlaps"]["observed"] == 1


def test_position_and_drift_warn():
    assert failed(some(), duels("c" * 30)) == {("first_shown_excess", "warn")}
    older = [
        row | {"margin": row["margin"] + 9, "chosen_policy": "x", "chosen": assistant("y" * 500)} for row in some()
    ]
    names = {"margin_drift", "length_drift", "policy_drift"}
    assert failed(some(), None, older) == {(name, "warn") for name in names}
    half = [row | {"chosen_policy": "x"} for row in some(20)] + some()[20:]
    assert checks(some(), None, half)["policy_drift"]["observed"] == pytest.approx(0.5)


def test_right_and_wrong_are_no_saturation():
    assert failed(some(), judgments(score=1.0)) == set()


def test_every_check_of_the_file_says_what_it_asks():
    written = json.loads(Path("tasks/gates/trust.json").read_text())["expectations"]
    assert all(check["description"] for check in written)
    assert len(written) == len(checks(some()))
