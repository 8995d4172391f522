"""Where a result cannot go, and numbers and names that nothing can be made of: one message, and nothing is left."""

from __future__ import annotations

import shutil

import pytest

from flows.cli import main

RECIPE = """
name: small
source: "a test"
about: Right and wrong answers of the tiny model.
blocks:
  - prompts: arithmetic
    n: 12
  - sample: independent
    policy: embedded
    n: 4
  - judge: math
  - score: mean
  - select: correct_vs_wrong
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake with one version, which nothing here changes."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.yaml").write_text(RECIPE)
    with pytest.raises(SystemExit) as ended:
        main(["run", str(folder / "small.yaml"), "--root", str(folder / "lake"), "--json"])
    assert not ended.value.code
    return folder / "lake"


@pytest.mark.parametrize(
    "words",
    [
        ["report", "small", "--html", "taken/page.html"],
        ["report", "small", "--html", "folder"],
        ["report", "small", "--html", "/proc/none/page.html"],
        ["sql", "select 1", "--format", "csv", "--to", "taken/a.csv"],
        ["sql", "select 1", "--format", "parquet", "--to", "folder"],
        ["export", "small", "--to", "taken/out"],
        ["export", "small", "--to", "/proc/none"],
        ["publish", "small", "--to", "taken/out"],
        ["ledger", "export", "taken/a.parquet"],
        ["embed", "small", "--model", "openai:http://127.0.0.1:9/v1:m", "--to", "taken"],
    ],
    ids=" ".join,
)
def test_a_place_that_cannot_be_written_to_is_one_message_and_stays_as_it_is(command, tmp_path, lake, words):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "folder").mkdir()
    before = sorted(path.name for path in tmp_path.rglob("*"))

    ran = command(*words, "--root", lake)

    assert ran.code == 4
    assert "cannot be read or written: " in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["versions", "smal"], "there is no dataset 'smal' here: did you mean 'small'?"),
        (["publish", "small", "--to", "ftp://there"], "ftp://there: a version goes to a folder, to hub:ORG/NAME, or "),
        (["vacuum", "--keep-hours", "nan"], "found keep_hours nan, the least is 1.0"),
        (["vacuum", "--keep-hours", "inf"], "found keep_hours inf, the least is 1.0"),
    ],
)
def test_what_nothing_can_be_made_of_is_refused(command, tmp_path, lake, words, message):
    ran = command(*words, "--root", lake)

    assert ran.code == 2
    assert ran.err.startswith(f"pairwright: {message}")
    assert not (tmp_path / "ftp:").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--publish", "a b"], "'a b' cannot name a dataset: "),
        (["--publish", "../a"], "'../a' cannot name a dataset: "),
        (
            ["--set", "sample.temperature=nan"],
            "recipe quickstart, block sample: independent, parameter 'temperature': expected 0 or more, found nan",
        ),
        (
            ["--set", "sample.temperature=-1"],
            "recipe quickstart, block sample: independent, parameter 'temperature': expected 0 or more, found -1.0",
        ),
        (
            ["--set", "sample.max_tokens=0"],
            "recipe quickstart, block sample: independent, parameter 'max_tokens': expected 1 or more, found 0",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["run", "plan"])
def test_what_a_run_would_fail_on_at_its_end_is_refused_before_it_begins(command, tmp_path, verb, words, message):
    ran = command(verb, "quickstart", *words)

    assert (ran.code, ran.err.startswith(f"pairwright: {message}")) == (2, True), ran.err
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(("name", "value"), [("WORKERS", "two"), ("WORKERS", "-3"), ("ASK_ABOVE", "much")])
def test_a_setting_that_is_none_is_named(command, name, value):
    ran = command("run", "quickstart", "--limit", "1", **{f"PAIRWRIGHT_{name}": value})

    assert (ran.code, ran.message.startswith(f"pairwright: PAIRWRIGHT_{name}: Input should be ")) == (2, True), ran.err


@pytest.mark.parametrize("words", [["report", "small"], ["export", "small", "--to", "out"], ["verify", "small"]])
def test_a_broken_data_file_is_one_message(command, tmp_path, lake, words):
    shutil.copytree(lake, tmp_path / "copy")
    (broken,) = (tmp_path / "copy" / "preferences").glob("dataset=small/*.parquet")
    broken.write_bytes(b"x" * 100)

    ran = command(*words, "--root", "copy")

    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert "parquet" in ran.err.lower()
    assert not (tmp_path / "out").exists()
    whole = command("verify", "--root", "copy")
    assert (whole.code, f"small@v1 has a file that is no Parquet: {broken}" in whole.err) == (4, True), whole.err


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_what_a_sampler_refuses_names_recipe_and_block(command, verb):
    ran = command(verb, "quickstart", "--set", "sample.n=0")

    assert ran.code == 2
    assert ran.message.startswith("pairwright: recipe quickstart, block sample: independent")
    assert ran.message.endswith("n is 0; at least one sample a prompt is needed")


def test_what_a_search_refuses_names_recipe_and_block(command, tmp_path):
    (tmp_path / "sums.jsonl").write_text('{"prompt": "What is 20 + 7 - 9?", "reference": "18"}\n')

    ran = command("run", "math-shepherd", "--prompts", "sums.jsonl", "--policy", "embedded", "--set", "search.n=0")

    assert ran.code == 2
    assert ran.message.startswith("pairwright: recipe math-shepherd, block search: step_rollouts, prompt ")


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv", "broken.json", "noise.parquet", "noise.txt"])
def test_a_list_of_benchmark_items_that_cannot_be_read_is_one_message(command, tmp_path, name):
    content = {"empty": b"", "broken": b'[{"a":', "noise": bytes(range(256))}[name.partition(".")[0]]
    (tmp_path / name).write_bytes(content)
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n')

    ran = command("audit-dataset", "pairs.jsonl", "--against", name)

    assert ran.code == 2
    assert ran.err.startswith(f"pairwright: filter decontaminate: {name} cannot be read as benchmark items: ")
