"""Bad input: one clear message, a non-zero exit, and nothing half-written."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

ROW = '{"prompt": "2 + 3?", "reference": "5"}\n'
FILES = {
    "empty.jsonl": b"",
    "blank.jsonl": b"\n \n",
    "broken.jsonl": f'{ROW}\n{{"prompt": "7 - 3?", \n{ROW}'.encode(),
    "list.jsonl": b"[1, 2]\n",
    "column.jsonl": b'{"question": "2 + 3?", "reference": "5"}\n',
    "type.jsonl": f'{ROW}{{"prompt": 17, "reference": "5"}}\n'.encode(),
    "struct.jsonl": b'{"prompt": {"text": "2 + 3?"}, "reference": "5"}\n',
    "messages.jsonl": b'{"prompt": [{"content": "2 + 3?"}], "reference": "5"}\n',
    "reference.jsonl": f'{ROW}{{"prompt": "7 - 3?"}}\n'.encode(),
    "ids.jsonl": b'{"prompt_id": "a", "prompt": "1?", "reference": "1"}\n{"prompt_id": "a", "prompt": "2?", '
    b'"reference": "2"}\n',
    "not.parquet": b"PAR1 but not really",
    "cut.jsonl.gz": gzip.compress(ROW.encode() * 99)[:40],
    "torn.jsonl.gz": gzip.compress(ROW.encode() * 99)[:20] + b"\xff" * 20,
    "notes.txt": b"hello",
    "latin.jsonl": '{"prompt": "wie groß?", "reference": "5"}\n'.encode("latin-1"),
}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jsonl", "missing.jsonl: no such file"),
        ("folder", "folder: the folder holds no data file (parquet, arrow, jsonl, ndjson, json, csv, tsv)"),
        ("empty.jsonl", "empty.jsonl: the file is empty"),
        ("blank.jsonl", "blank.jsonl: the file has no rows"),
        ("broken.jsonl", "broken.jsonl, line 3 (row 2): not JSON: unexpected end of data"),
        ("list.jsonl", "list.jsonl, line 1: expected an object, found list"),
        (
            "column.jsonl",
            "column.jsonl, field 'prompt': no column 'prompt'; map it with --map prompt=COLUMN (There are: "
            "question, reference)",
        ),
        (
            "type.jsonl",
            "type.jsonl, row 2, field 'prompt': not a prompt: expected text or a list of messages, found int",
        ),
        (
            "struct.jsonl",
            "struct.jsonl, row 1, field 'prompt': not a prompt: expected text or a list of messages, found dict",
        ),
        ("messages.jsonl", "messages.jsonl, row 1, field 'prompt': not a prompt: message 0"),
        (
            "reference.jsonl",
            "reference.jsonl, row 2, field 'reference': judge 'math' needs 'reference' on every prompt; "
            "map it with --map reference=COLUMN",
        ),
        (
            "ids.jsonl",
            "ids.jsonl, row 2, field 'prompt_id': id 'a' already names another prompt in row 1; ids must be unique",
        ),
        ("not.parquet", "not.parquet: not Parquet: "),
        ("cut.jsonl.gz", "cut.jsonl.gz: cannot be read: "),
        ("torn.jsonl.gz", "torn.jsonl.gz: cannot be read: "),
        ("notes.txt", "notes.txt: unknown format .txt; known are .parquet, .jsonl, .ndjson, .json, .csv"),
        ("latin.jsonl", "latin.jsonl, line 1: not JSON: "),
    ],
)
def test_a_bad_prompt_file_is_one_message_and_leaves_no_lake(command, tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    if name in FILES:
        (tmp_path / name).write_bytes(FILES[name])

    ran = command("run", "quickstart", "--prompts", name)

    assert ran.code == 2
    assert ran.err.startswith(f"pairwright: {message}")
    assert ran.err.count("\n") == 1
    assert ran.out == ""
    assert not (tmp_path / "lake").exists()


RECIPE = """\
name: mine
source: "nowhere"
about: A recipe to be broken in many ways.
blocks:
  - prompts: arithmetic
    n: 2
  - sample: independent
    policy: embedded
  - judge: math
  - score: mean
  - select: correct_vs_wrong
"""


@pytest.mark.parametrize(
    ("replaced", "by", "message"),
    [
        pytest.param(
            "correct_vs_wrong",
            "correct_vs_wrogn",
            "there is no block select: correct_vs_wrogn; did you mean 'correct_vs_wrong'? There are: ",
            id="unknown block",
        ),
        pytest.param(
            "    n: 2\n",
            "    nn: 2\n",
            "recipe mine, block prompts: arithmetic: no parameter 'nn'; did you mean 'n'? There are: ",
            id="misspelt parameter",
        ),
        pytest.param(
            "    n: 2\n",
            "    n: many\n",
            "recipe mine, block prompts: arithmetic, parameter 'n': Input should "
            "be a valid integer, unable to parse string as an integer, found 'many'",
            id="wrong type",
        ),
        pytest.param(
            "  - judge: math\n",
            "",
            "recipe mine: select: correct_vs_wrong needs scores, and no block judges "
            "the completions; add a judge before it (",
            id="no judge",
        ),
        pytest.param(
            "  - score: mean\n",
            "",
            "recipe mine: select: correct_vs_wrong needs scores, and no block makes "
            "them of the judgments; add a scorer before it (",
            id="no scorer",
        ),
        pytest.param(
            "  - select: correct_vs_wrong\n", "", "recipe mine: nothing is selected; add one of ", id="no selector"
        ),
        pytest.param(
            "policy: embedded",
            "policy: embeded",
            "'embeded' names no backend; did you mean 'embedded'? There are: ",
            id="misspelt backend",
        ),
        pytest.param(
            "policy: embedded",
            'policy: ""',
            "recipe mine, block sample: independent names no policy; give --policy SPEC",
            id="no policy",
        ),
        pytest.param(
            "about:",
            "abuot:",
            "mine.yaml: no field 'abuot' in a recipe; did you mean 'about'? There are: ",
            id="misspelt field",
        ),
        pytest.param(
            "name: mine",
            "name: yours",
            "mine.yaml: the recipe calls itself 'yours'; name and file must agree",
            id="another name",
        ),
        pytest.param("  - score: mean", "  - score: [mean", "mine.yaml, line ", id="broken YAML"),
        pytest.param(
            "prompts: arithmetic\n    n: 2",
            "prompts: arithmetic\n    n: 0",
            "recipe mine, block prompts: arithmetic: n is 0, expected at least 1",
            id="a value the block refuses",
        ),
    ],
)
def test_a_bad_recipe_is_one_message_and_leaves_no_lake(command, tmp_path, replaced, by, message):
    assert replaced in RECIPE
    (tmp_path / "mine.yaml").write_text(RECIPE.replace(replaced, by))

    ran = command("run", "./mine.yaml")

    assert ran.code == 2
    assert ran.err.startswith(f"pairwright: {message}")
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "quickstrat"], "no recipe 'quickstrat'; did you mean 'quickstart'? There are: "),
        (["run", "none.yaml"], "none.yaml: no such recipe file"),
        (
            ["run", "quickstart", "--set", "select.per_prompts=2"],
            "recipe quickstart, block select: correct_vs_wrong: no "
            "parameter 'per_prompts'; did you mean 'per_prompt'? There are: ",
        ),
        (["run", "quickstart", "--set", "selct.per_prompt=2"], "--set selct.per_prompt=2: no block 'selct'"),
        (["run", "quickstart", "--set", "per_prompt"], "--set per_prompt: expected block.param=value"),
        (
            ["run", "quickstart", "--budget", "5"],
            "--budget 5: '5' is not like 5usd, 100000calls, 2000000tokens or 30min",
        ),
        (
            ["run", "quickstart", "--map", "promt=q"],
            "--map promt=q: no field 'promt'; did you mean 'prompt'? There are: ",
        ),
        (["run", "quickstart", "--policy", "openai:nowhere"], "openai:nowhere: expected openai:URL:MODEL, such as "),
        (["run", "replay"], "recipe replay brings no prompts of its own; give --prompts FILE, or --data FILE"),
        (
            ["run", "replay", "--data", "a.jsonl", "--prompts", "b.jsonl"],
            "--data brings its own prompts; give --prompts or --data, not both",
        ),
        (
            ["run", "replay", "--data", "a.jsonl", "--policy", "embedded"],
            "--data replays recorded completions; leave out --policy",
        ),
        (["block", "list", "--verb", "jugde"], "no verb 'jugde'; did you mean 'judge'? There are: "),
        (["block", "show", "judge", "maths"], "there is no block judge: maths; did you mean 'math'? There are: "),
    ],
)
def test_a_bad_argument_is_one_message(command, tmp_path, arguments, message):
    ran = command(*arguments)

    assert ran.code == 2
    assert ran.err.startswith(f"pairwright: {message}")
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            '{"prompt": "1?", "reference": "1", "completion": 1}',
            "row 2, field 'completion': expected the completion's text, found int",
        ),
        (
            '{"prompt": "1?", "reference": "1", "completion": "1", "label": "yes"}',
            "row 2, field 'label': expected true or false, found 'yes'",
        ),
        (
            '{"prompt": "1?", "reference": "1", "completion": "1", "label": 0.7}',
            "row 2, field 'label': expected true or false, found 0.7; map a graded column as score",
        ),
    ],
)
def test_a_bad_recorded_completion_is_one_message_with_its_row(command, tmp_path, row, message):
    good = '{"prompt": "1?", "reference": "1", "completion": "1"}'
    (tmp_path / "recorded.jsonl").write_text(f"{good}\n{row}\n")

    ran = command("run", "replay", "--data", "recorded.jsonl")

    assert (ran.code, ran.message) == (2, f"pairwright: recorded.jsonl, {message}")
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("words", [["versions"], ["sql", "select 1"], ["report", "quickstart"], ["lineage", "abc"]])
def test_looking_at_a_lake_that_is_not_there_says_so_and_makes_none(command, tmp_path, words):
    ran = command(*words, "--root", "nowhere")

    assert ran.code == 4
    assert (
        ran.err == f"pairwright: there is no lake at {tmp_path / 'nowhere'}; run a recipe first, or choose another "
        "--root\n"
    )
    assert not (tmp_path / "nowhere").exists()


def test_a_root_that_is_a_file_is_refused_and_stays_as_it_is(command, tmp_path):
    root = Path(tmp_path / "lake")
    root.write_text("mine")

    ran = command("run", "quickstart", "--root", "lake")

    assert (ran.code, ran.message) == (4, f"pairwright: {root} is a file; the root of a lake is a folder")
    assert root.read_text() == "mine"
