import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS, JUDGMENTS, PREFERENCES, PROMPTS, Table, conform
from tasks.gates import _bounds, _suite
from tasks.gates.basics import basics

STAMP = {"run_id": "r", "created_at": datetime(2026, 1, 1, tzinfo=UTC)}


def frame(table: Table, rows):
    filled = pl.DataFrame([row | STAMP for row in rows]) if rows else table.empty()
    made = pl.from_arrow(conform(table, filled))
    assert isinstance(made, pl.DataFrame)
    return made


def pair(pair_id="1", chosen="right: 4", rejected="wrong: 55", **other):
    ids = {"pair_id": pair_id, "prompt_id": "p", "chosen_id": "c", "rejected_id": "d", "recipe": "r", "dataset": "d"}
    ids["content_id"] = pair_id
    texts = {"prompt": to_rows("2+2?"), "chosen": assistant(chosen), "rejected": assistant(rejected)}
    return ids | texts | {"chosen_score": 1.0, "rejected_score": 0.0} | other


def judgment(number, outcome="valid", comparison=None, judge="math"):
    ids = {"judgment_id": str(number), "prompt_id": "p", "judge": judge, "fingerprint": "f", "kind": "pointwise"}
    return ids | {"subjects": ["c"], "criterion": "correct", "outcome": outcome, "comparison": comparison}


COMPLETION = {"prompt_id": "p", "policy": "m", "fingerprint": "f", "sample_index": 0, "content_id": "x"}
COMPLETION |= {"messages": assistant("4"), "finish_reason": "stop"}
STORE = (
    frame(COMPLETIONS, [COMPLETION | {"completion_id": name} for name in "cd"]),
    frame(PROMPTS, [{"prompt_id": "p", "messages": to_rows("2+2?")}]),
)


def failed(pairs, judgments=(), **limits):
    checks = basics(frame(PREFERENCES, pairs), *STORE, frame(JUDGMENTS, list(judgments)), **limits)
    return {(row["name"], row["severity"]) for row in checks.filter(~pl.col("success")).to_dicts()}


def test_sound_pairs_pass_every_check():
    checks = basics(frame(PREFERENCES, [pair()]), *STORE, frame(JUDGMENTS, [judgment(0)]))
    assert checks["success"].all()
    assert checks.row(0, named=True) == {
        "name": "pairs", "severity": "block", "success": True, "observed": 1.0, "allowed": ">= 1",
        "says": "there are enough pairs",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        pytest.param([], {"pairs"}, id="no pair at all"),
        pytest.param([pair("1"), pair("2")], {"duplicate_pairs"}, id="a pair twice under two ids"),
        pytest.param([pair(rejected=" right:\n4 ")], {"identical_texts"}, id="the same text up to whitespace"),
        pytest.param(
            [pair(chosen="x" * 70, rejected="x" * 63 + "\n" + "x" * 7)], set(), id="a space more is another text"
        ),
        pytest.param([pair(chosen="y " * 70, rejected="y\n" * 70)], {"identical_texts"}, id="the same long text"),
        pytest.param(
            [pair(chosen="e\u0301", rejected="\u00e9")], {"identical_texts"}, id="the same text up to composition"
        ),
        pytest.param([pair(rejected="")], {"empty_texts"}, id="an empty text"),
        pytest.param([pair(chosen_score=0.0, rejected_score=1.0)], {"outscored"}, id="the rejected outscores"),
        pytest.param([pair(chosen_score=float("nan"))], {"nan_scores"}, id="a score that is no number"),
        pytest.param([pair(chosen_id="gone")], {"lost_completions"}, id="a completion that is not there"),
        pytest.param([pair(prompt_id="gone")], {"lost_completions", "lost_prompts"}, id="a prompt that is not there"),
    ],
)
def test_a_defect_blocks(pairs, names):
    found = failed(pairs)
    assert {(name, "block") for name in names} <= found
    assert {name for name, severity in found if severity == "block"} == names


def test_the_library_logs_nothing(caplog):
    with caplog.at_level("INFO"):
        assert failed([pair()]) == set()
    assert not [record for record in caplog.records if record.name.startswith("great_expectations")]


def test_a_flipped_pair_may_be_outscored():
    assert failed([pair(chosen_score=0.0, rejected_score=1.0, flipped=True)]) == set()


@pytest.mark.parametrize(
    ("meta", "names"),
    [
        pytest.param('{"not_applicable":true}', set(), id="an aspect that does not apply is no refusal"),
        pytest.param(None, {("refused_rate", "block")}, id="a refusal is one"),
        pytest.param('{"finish":"stop"}', {("refused_rate", "block")}, id="and so it is with another note"),
    ],
)
def test_an_answer_not_applicable_is_no_refusal(meta, names):
    rows = [judgment(n, "refused" if n < 4 else "valid") | {"meta": meta} for n in range(10)]
    assert failed([pair()], rows) == names


def test_the_worst_judge_decides_a_rate():
    good = [judgment(i, judge="good") for i in range(98)]
    bad = [judgment(98, "error", judge="bad"), judgment(99, judge="bad")]
    assert failed([pair()], good + bad) == {("error_rate", "block")}
    assert failed([pair()], good + bad, max_error_rate=0.5) == set()


@pytest.mark.parametrize("outcome", ["unparsable", "truncated", "refused"])
def test_each_outcome_has_its_ceiling(outcome):
    rows = [judgment(0, outcome), judgment(1)]
    assert failed([pair()], rows) == {(f"{outcome}_rate", "block")}
    assert failed([pair()], rows, **{f"max_{outcome}_rate": 0.5}) == set()


def test_contradictions_and_length_only_warn():
    rows = [judgment(i, comparison="contradicted") for i in range(2)] + [judgment(3, comparison="incomplete")]
    found = failed([pair(chosen="the longer text of the two")], rows)
    assert found == {("contradicted_rate", "warn"), ("length_win_rate", "warn")}


def test_the_four_ways_to_give_a_table_agree(tmp_path):
    preferences, judgments = frame(PREFERENCES, [pair()]), frame(JUDGMENTS, [judgment(0, "error")])
    preferences.write_parquet(tmp_path / "p.parquet")
    ways = [preferences, preferences.lazy(), preferences.to_arrow(), [str(tmp_path / "p.parquet")]]
    results = [basics(way, *STORE, judgments) for way in ways]
    assert all(result.equals(results[0]) for result in results)


def test_a_check_that_cannot_be_computed_raises_instead_of_refusing(tmp_path):
    check = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "nope", "max_value": 0}}
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps({"name": "broken", "expectations": [check]}))
    with pytest.raises(ValueError, match="'nope' could not be computed"):
        _suite.checked(suite, {"pairs": 1.0}, {})


def test_a_query_that_gives_a_null_raises():
    with pytest.raises(ValueError, match="without nulls"):
        _suite.measured("select null as pairs", {})


def test_every_check_of_the_file_says_what_it_asks_and_reads_a_number_of_the_query():
    written = json.loads(Path("tasks/gates/basics.json").read_text())["expectations"]
    query = Path("tasks/gates/basics.sql").read_text()
    for check in written:
        assert check["description"]
        assert f"as {check['kwargs']['column']}" in query or check["kwargs"]["column"] == "schema_faults"


@pytest.mark.parametrize("name", ["basics", "trust"])
def test_numbers_within_their_bounds_pass_as_great_expectations_passes_them(name):
    suite = Path(f"tasks/gates/{name}.json")
    written = json.loads(suite.read_text())
    limits = {
        bound["$PARAMETER"]: 0.5
        for each in written["expectations"] for bound in each["kwargs"].values() if isinstance(bound, dict)
    }  # fmt: skip
    numbers = {}
    for each in written["expectations"]:
        bounds = {key: limits.get(b["$PARAMETER"]) if isinstance(b, dict) else b for key, b in each["kwargs"].items()}
        numbers[each["kwargs"]["column"]] = float(bounds.get("min_value", bounds.get("max_value")))
    quick = _bounds.within(written["expectations"], numbers, limits)
    assert quick is not None
    assert quick.equals(_suite._validated(name, written, numbers, limits))


@pytest.mark.parametrize("found", [1.0, float("nan"), None], ids=["too much", "not a number", "not measured"])
def test_what_is_not_plainly_within_bounds_is_left_to_great_expectations(found):
    check = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "x", "max_value": 0}}
    numbers = {} if found is None else {"x": found}
    assert _bounds.within([check], numbers, {}) is None
    assert _bounds.within([check | {"type": "expect_column_max_to_be_between"}], {"x": 0.0}, {}) is None
