"""Solutions whose first wrong step people marked become a dataset of steps, whole and counted."""

from __future__ import annotations

import json

import pytest

from flows import plan as planning
from schemas.errors import DataError
from storage.store import Store

MISTAKES = [
    {"task": "sort", "input": "b a", "steps": ["look", "swap", "a b"], "mistake_index": None, "answer_correct": True},
    {"task": "sort", "input": "d c", "steps": ["look", "", "d c"], "mistake_index": 2, "answer_correct": False},
    {"task": "add", "input": "1 + 1", "steps": ["1 + 1 = 3", "2"], "mistake_index": 0, "answer_correct": True},
    {"task": "add", "input": "2 + 2", "steps": ["4"], "mistake_index": 7, "answer_correct": True},
]
FIRST = [
    {"question": "q", "steps": ["Step 1: a", "Step 2: b", "Step 3: c"], "first_error_step": "2"},
    {"question": "q", "steps": ["Step 1: a", "Step 2: d", "Step 3: e"], "first_error_step": "3"},
    {"question": "r", "steps": ["Step 1: a"], "first_error_step": "1"},
]
ZERO = ("--set", "recorded_steps.counted_from=0", "--set", "recorded_steps.unmarked=right")


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_every_solution_is_a_row_of_steps_or_says_why_not(command, tmp_path):
    data = write(tmp_path / "mistakes.jsonl", MISTAKES)
    fields = "prompt=input,completion=steps,first_error=mistake_index,label=answer_correct,task=task"
    words = ["run", "recorded-steps", "--data", data, "--map", fields, *ZERO, "--json"]
    ran = command(*words)
    assert ran.code == 0, ran.err
    assert (ran.json["rows"]["completions"], ran.json["rows"]["steps"], ran.json["calls"]["asked"]) == (4, 3, 0)
    rows = Store.open(str(tmp_path / "lake")).read("steps", version="recorded-steps").collect()
    assert sorted(zip(rows["completions"].to_list(), rows["labels"].to_list(), strict=True)) == [
        (["1 + 1 = 3\n", "2"], [0.0, 0.0]),
        (["look\n", "\n", "d c"], [1.0, 1.0, 0.0]),
        (["look\n", "swap\n", "a b"], [1.0, 1.0, 1.0]),
    ]
    how = "select json_extract_string(meta, '$.marked') as marked, count(*) as n from completions group by 1 order by 1"
    assert command("sql", how, "--json").json == [
        {"marked": "error", "n": 2}, {"marked": "none", "n": 1}, {"marked": "unreadable", "n": 1},
    ]  # fmt: skip
    assert command(*words).json["digest"] == ran.json["digest"]
    page = tmp_path / "page.html"
    assert command("report", "recorded-steps", "--html", page).code == 0
    assert "swap" in page.read_text(encoding="utf-8")
    assert command("export", "recorded-steps", "--format", "prm800k", "--to", tmp_path / "out").code == 0


def test_a_null_is_no_label_unless_the_data_are_said_to_mean_one(command, tmp_path):
    data = write(tmp_path / "mistakes.jsonl", MISTAKES)
    fields = "prompt=input,completion=steps,first_error=mistake_index"
    words = ["run", "recorded-steps", "--data", data, "--map", fields, "--set", "recorded_steps.counted_from=0"]
    assert command(*words, "--json").json["rows"]["steps"] == 2


def test_solutions_that_part_after_common_steps_make_a_pair(command, tmp_path):
    (tmp_path / "parted.yaml").write_text(
        "name: parted\nsource: none\nabout: Marked steps against marked errors.\nblocks:\n"
        "  - search: recorded_steps\n    policy: ''\n  - select: first_error_pairs\n    marked: true\n"
    )
    data = write(tmp_path / "first.jsonl", FIRST)
    fields = "prompt=question,completion=steps,first_error=first_error_step"
    ran = command("run", "./parted.yaml", "--data", data, "--map", fields, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["rows"]["nodes"] == 8  # two roots, five steps of the first problem, one of the second
    (row,) = Store.open(str(tmp_path / "lake")).read("preferences", version="parted").collect().to_dicts()
    assert (row["prefix"], row["chosen"][0]["content"], row["rejected"][0]["content"]) == (
        "Step 1: a\n", "Step 2: d\n", "Step 2: b\n",
    )  # fmt: skip


def test_a_critic_is_shown_the_steps_as_they_were_listed(command, serve_engine, tmp_path):
    served = serve_engine()
    served.engine.speak = lambda body: "First Error Step: 3" if "=== step 3 " in str(body) else "First Error Step: N/A"
    (tmp_path / "criticised.yaml").write_text(
        "name: criticised\nsource: none\nabout: Solutions with fewer wrong steps win.\nblocks:\n"
        "  - sample: recorded\n    policy: ''\n  - judge: first_wrong_step\n    model: ''\n"
        "  - score: mean\n  - select: best_vs_worst\n"
    )
    rows = [{"prompt": "q", "steps": ["a", "", "b"]}, {"prompt": "q", "steps": ["a\n\nb"]}]
    words = ["run", "./criticised.yaml", "--data", write(tmp_path / "two.jsonl", rows), "--map", "completion=steps"]
    ran = command(*words, "--judge", f"openai:{served.url}:m", "--json")
    assert ran.code == 0, ran.err
    said = "select score, json_extract(meta, '$.steps')::int as steps from judgments order by 1"
    assert command("sql", said, "--json").json == [
        {"score": pytest.approx(2 / 3), "steps": 3}, {"score": 1.0, "steps": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"steps": ["a", 2]}, "expected the completion's text, found list of other than texts"),
        ({"steps": ["a"], "first_error": True}, "expected a step's number, found True"),
        ({"steps": ["a"], "first_error": [1]}, "expected a step's number, found [1]"),
    ],
)
def test_what_is_no_step_and_no_number_names_its_row(tmp_path, row, says):
    data = write(tmp_path / "bad.jsonl", [{"prompt": "q", **row}])
    request = planning.Request(recipe="recorded-steps", data=data, mapping={"completion": "steps"})
    with pytest.raises(DataError) as error:
        planning.make(request)
    assert says in str(error.value)
    assert "row 1" in str(error.value)
