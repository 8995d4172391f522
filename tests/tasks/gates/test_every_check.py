"""Every check of every gate: a planted violation that it blocks, beside a clean set that passes all of them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import COMPLETIONS, JUDGMENTS, PREFERENCES, PROMPTS, conform
from tasks.gates._rows import offending
from tasks.gates.basics import basics
from tasks.gates.trust import trust
from tests.support.pairs import pair

STAMP = {"run_id": "r", "created_at": datetime(2026, 1, 1, tzinfo=UTC), "dataset": "d"}
COUNT = 40


def frame(table, rows):
    stamp = {name: value for name, value in STAMP.items() if name in table.schema.names}
    filled = pl.DataFrame([row | stamp for row in rows], infer_schema_length=None) if rows else table.empty()
    made = pl.from_arrow(conform(table, filled))
    assert isinstance(made, pl.DataFrame)
    return made


def clean():
    words = [" ".join(f"w{i}-{j}" for j in range(20)) for i in range(COUNT)]
    preferences = [
        pair(str(i), chosen=f"a right answer {i}" + " so" * (i % 2), rejected=f"the wrong answer {i}", prompt=words[i],
             prompt_id=f"p{i}", margin=1.0 + i % 5, strength=0.5, chosen_score=2.0, rejected_score=1.0,
             chosen_policy="m", rejected_policy="m", split="train")
        for i in range(COUNT)
    ]  # fmt: skip
    completions = [
        {"completion_id": row[f"{side}_id"], "prompt_id": row["prompt_id"], "policy": "m", "fingerprint": "f",
         "sample_index": 0, "content_id": row[f"{side}_id"], "messages": row[side], "finish_reason": "stop"}
        for row in preferences for side in ("chosen", "rejected")
    ]  # fmt: skip
    judgments = [
        {"judgment_id": str(i), "prompt_id": "p0", "judge": "j", "fingerprint": "f", "kind": "pairwise",
         "subjects": ["c0", "r0"], "criterion": "good", "outcome": "valid", "winner": "cr"[i % 2] + "0", "score": None,
         "comparison": "agreed"}
        for i in range(COUNT)
    ]  # fmt: skip
    rated = {"kind": "pointwise", "criterion": "rated", "winner": None, "comparison": None}
    judgments += [row | rated | {"judgment_id": f"s{i}", "score": float(i % 5)} for i, row in enumerate(judgments)]
    prompts = [{"prompt_id": f"p{i}", "messages": to_rows(words[i])} for i in range(COUNT)]
    return {"preferences": preferences, "completions": completions, "prompts": prompts, "judgments": judgments,
            "previous": [dict(row) for row in preferences]}  # fmt: skip


def change(table, count=COUNT, **more):
    def plant(tables):
        for row in tables[table][:count]:
            row |= more

    return plant


def again(**more):
    def plant(tables):
        row = tables["preferences"][0]
        tables["preferences"].append(row | {"pair_id": "again", "content_id": "again"} | more)

    return plant


def outcome(name):
    return change("judgments", 20, outcome=name, winner=None, score=None)


def copied(tables):
    for i in range(10):
        row = tables["preferences"][i]
        tables["preferences"].append(row | {"pair_id": f"x{i}", "prompt_id": f"x{i}"})


def longer(tables):
    for i, row in enumerate(tables["preferences"]):
        row["chosen"] = assistant(f"a much longer answer than the other one {i}")


def nothing(tables):
    tables["preferences"].clear()


ITEM = "w3-1 w3-2 w3-3 w3-4 w3-5 w3-6 w3-7"  # fourteen words, for a hyphen parts two
PLANTED = {
    "basics": {
        "pairs": nothing,
        "duplicate_ids": lambda rows: rows.with_columns(pair_id=pl.lit("0")),
        "duplicate_pairs": again(),
        "empty_texts": change("preferences", 1, rejected=assistant(" ")),
        "identical_texts": change("preferences", 1, chosen=assistant("x y"), rejected=assistant("x  y")),
        "outscored": change("preferences", 1, chosen_score=0.5),
        "nan_scores": change("preferences", 1, chosen_score=float("nan")),
        "lost_completions": change("preferences", 1, chosen_id="gone"),
        "lost_prompts": change("prompts", 1, prompt_id="gone"),
        "error_rate": outcome("error"),
        "unparsable_rate": outcome("unparsable"),
        "truncated_rate": outcome("truncated"),
        "refused_rate": outcome("refused"),
        "contradicted_rate": change("judgments", 30, comparison="contradicted"),
        "length_win_rate": longer,
        "schema_faults": lambda rows: rows.drop("content_id").cast({"margin": pl.Int64}),
    },
    "trust": {
        "flip_rate": change("judgments", 30, comparison="contradicted"),
        "first_shown_excess": change("judgments", winner="c0"),
        "identity_rate": change("preferences", 4, chosen=assistant("I am ChatGPT, so yes.")),
        "saturated_rate": lambda tables: [row.update(score=4.0) for row in tables["judgments"][COUNT : COUNT + 30]],
        "weak_rate": change("preferences", 20, strength=-0.1),
        "even_rate": change("preferences", 20, rejected_score=2.0),
        "unlike_length": change("preferences", 20, meta='{"unlike":"length gap"}'),
        "unlike_texts": change("preferences", 20, meta='{"a":1,"unlike":"texts"}'),
        "unlike_task": change("preferences", 20, meta='{"unlike":"task"}'),
        "unlike_agreement": change("preferences", 20, meta='{"unlike":"agreement"}'),
        "split_leaks": again(split="test"),
        "near_duplicate_share": copied,
        "benchmark_overlaps": lambda _tables: None,
        "margin_drift": change("previous", margin=30.0),
        "length_drift": change("previous", chosen=assistant("y" * 400)),
        "policy_drift": change("previous", chosen_policy="another"),
    },
}
GATES = {"basics": basics, "trust": trust}
NEEDS = {
    "basics": ("preferences", "completions", "prompts", "judgments"), "trust": ("preferences", "judgments", "previous")
}  # fmt: skip
SCHEMAS = {"preferences": PREFERENCES, "completions": COMPLETIONS, "prompts": PROMPTS, "judgments": JUDGMENTS,
           "previous": PREFERENCES}  # fmt: skip


def checks(name, tables, **params):
    given = [frame(SCHEMAS[table], tables[table]) if isinstance(tables[table], list) else tables[table]
             for table in NEEDS[name]]  # fmt: skip
    return {row["name"]: row for row in GATES[name](*given, **params).to_dicts()}


@pytest.mark.parametrize("name", GATES)
def test_there_is_a_planted_violation_of_every_check(name):
    written = json.loads(Path(f"tasks/gates/{name}.json").read_text())["expectations"]
    assert {check["kwargs"]["column"] for check in written} == PLANTED[name].keys()


@pytest.mark.parametrize("name", GATES)
def test_the_clean_set_passes_every_check(name):
    found = checks(
        name, clean(), **({"against": ("an item of many words that nobody has",)} if name == "trust" else {})
    )
    assert [row["name"] for row in found.values() if not row["success"]] == []


@pytest.mark.parametrize(("name", "check"), [(name, check) for name, held in PLANTED.items() for check in held])
def test_a_planted_violation_is_blocked_or_only_warned_of_where_that_is_wanted(name, check):
    tables = clean()
    if check in ("schema_faults", "duplicate_ids"):  # no table takes such rows, a file may hold them
        tables["preferences"] = PLANTED[name][check](frame(PREFERENCES, tables["preferences"]))
    else:
        PLANTED[name][check](tables)
    params = {"against": (ITEM,)} if check == "benchmark_overlaps" else {}
    found = checks(name, tables, blocks=(check,), **params)
    assert (found[check]["success"], found[check]["severity"]) == (False, "block")
    if check == "schema_faults":
        assert found[check]["says"].endswith("content_id is missing; margin is BIGINT, not DOUBLE")
    else:
        assert checks(name, tables, warns=(check,), **params)[check]["severity"] == "warn"


@pytest.mark.parametrize(("name", "check"), [(name, check) for name, held in PLANTED.items() for check in held])
def test_the_rows_behind_a_planted_violation_are_found(name, check):
    rows = clean()
    odd = check in ("schema_faults", "duplicate_ids")
    if not odd:
        PLANTED[name][check](rows)
    tables = {table: frame(SCHEMAS[table], held) for table, held in rows.items()}
    if odd:
        tables["preferences"] = PLANTED[name][check](tables["preferences"])
    found = offending(name, check, tables, {"threshold": 0.8, "against": (ITEM,), "run": 13}, most=5)
    assert 1 <= found.height <= 5
    single = {"empty_texts", "identical_texts", "outscored", "nan_scores", "lost_completions", "lost_prompts",
              "duplicate_pairs", "duplicate_ids", "split_leaks", "benchmark_overlaps"}  # fmt: skip
    assert found.height == 1 or check not in single


def test_nothing_lies_behind_checks_that_hold():
    tables = {table: frame(SCHEMAS[table], held) for table, held in clean().items()}
    params = {"threshold": 0.8, "against": ("nobody has these words in a row",), "run": 13}
    always = {"pairs", "schema_faults", "first_shown_excess", "length_win_rate", "saturated_rate", "margin_drift",
              "length_drift", "policy_drift"}  # fmt: skip
    for name, held in PLANTED.items():
        for check in held.keys() - always:
            assert not offending(name, check, tables, params).height, check
    with pytest.raises(ValueError, match="has no rows for a check 'colour'; it has pairs, duplicate_ids"):
        offending("basics", "colour", tables, params)


def test_a_check_that_is_not_there_cannot_be_made_to_block():
    with pytest.raises(ValueError, match="name 'colour'; each may name once one of flip_rate"):
        checks("trust", clean(), blocks=("colour",))
    with pytest.raises(ValueError, match="name 'flip_rate'"):
        checks("trust", clean(), blocks=("flip_rate",), warns=("flip_rate",))


def test_benchmark_items_may_stand_in_a_file(tmp_path):
    (tmp_path / "items.txt").write_text(ITEM + "\n")
    assert checks("trust", clean(), against=str(tmp_path / "items.txt"))["benchmark_overlaps"]["observed"] == 1
