"""``pairwright export`` in every format a version can have."""

import json

import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from flows.cli import cli
from tests.support import trainers

RECIPE = """
name: many
source: pairs, lists and labelled answers of the same samples
about: One dataset with three kinds of rows.
blocks:
  - prompts: arithmetic
    n: 30
  - sample: independent
    policy: embedded
    n: 6
    max_tokens: 96
    logprobs: true
  - score: own_likelihood
  - select: best_vs_worst
  - select: ranked_lists
  - select: labelled
    threshold: median
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    (folder / "many.yaml").write_text(RECIPE)
    ran = CliRunner().invoke(cli, ["run", str(folder / "many.yaml"), "--root", str(folder / "lake"), "--json"])
    assert ran.exit_code == 0, ran.output
    return folder / "lake"


def exported(command, lake, to, form, *more):
    done = command("export", "many", "--format", form, "--to", to, "--root", lake, "--json", *more)
    assert done.code == 0, done.err
    return pl.read_parquet(to / "train.parquet").to_dicts()


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("openrlhf_pairs", trainers.openrlhf_pair),
        ("openrlhf_kto", trainers.openrlhf_unpaired),
        ("openrlhf_prompts", trainers.openrlhf_prompt),
        ("axolotl_kto", trainers.axolotl_unpaired),
        ("verl_prompts", trainers.verl_prompt),
    ],
)
def test_a_trainers_reader_takes_every_row(command, lake, tmp_path, form, read):
    rows = exported(command, lake, tmp_path / form, form)
    assert len(rows) > 5
    assert len([read(row) for row in rows]) == len(rows)


@pytest.mark.parametrize("form", ["llamafactory_pairs", "llamafactory_kto"])
def test_llamafactory_finds_its_entry_beside_the_rows(command, lake, tmp_path, form):
    rows = exported(command, lake, tmp_path / "out", form)
    entry = json.loads((tmp_path / "out" / "dataset_info.json").read_text())["many"]
    assert (tmp_path / "out" / entry["file_name"]).is_file()
    assert all(trainers.llamafactory(row, entry)["responses"] for row in rows)


def test_axolotl_finds_its_configuration_and_a_parameter_changes_the_rows(command, lake, tmp_path):
    rows = exported(command, lake, tmp_path / "out", "axolotl_pairs", "--set", "strip=true")
    assert yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text())["rl"] == "dpo"
    for row in rows:
        _, chosen, rejected = trainers.axolotl_pair(row)
        assert chosen == f"{row['chosen'][-1]['content']}<|im_end|>"
        assert rejected != chosen


def test_what_a_version_does_not_hold_is_refused_with_what_it_can_be(command, lake, tmp_path):
    done = command("export", "many", "--format", "trl_stepwise", "--to", tmp_path / "out", "--root", lake)
    assert done.code == 2
    assert "takes steps; what it can be exported as: attribute_rows" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("setting", "why"), [("by=size", "parameter 'by'"), ("margin=1", "no parameter 'margin'"), ("by=[", "not YAML")]
)
def test_a_parameter_that_is_none_is_refused(command, lake, tmp_path, setting, why):
    done = command(
        "export", "many", "--format", "trl_reward", "--set", setting, "--to", tmp_path / "out", "--root", lake
    )
    assert done.code == 2
    assert why in done.err


@pytest.mark.parametrize("form", ["trl-dpo", "trl_kto", "trl_sft", "llamafactory_pairs"])
def test_an_export_joins_a_dataset_made_of_its_own_rows(command, lake, tmp_path, form):
    datasets = pytest.importorskip("datasets")
    rows = exported(command, lake, tmp_path / "out", form)
    ours = datasets.Dataset.from_parquet(str(tmp_path / "out" / "train.parquet"), cache_dir=str(tmp_path / "cache"))
    theirs = datasets.Dataset.from_list(rows)
    assert len(datasets.concatenate_datasets([theirs, ours])) == 2 * len(rows)
    assert len(datasets.interleave_datasets([ours, theirs])) == 2 * len(rows)


def test_rows_left_out_of_an_export_are_listed_with_the_reason(command, lake, tmp_path):
    skipped = tmp_path / "skipped.jsonl"
    strict = exported(command, lake, tmp_path / "all", "axolotl_pairs", "--set", "strip=true")
    done = command(
        "export", "many", "--format", "axolotl_pairs", "--to", tmp_path / "out", "--root", lake, "--json",
        "--skip-bad", skipped,
    )  # fmt: skip
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in skipped.read_text("utf-8").splitlines()]
    assert done.json["rows"] + done.json["skipped"] == len(strict)
    assert done.json["skipped"] == len(lines)
    assert all(line["reason"] for line in lines)


def test_a_jsonl_export_gives_the_same_numbers_to_the_last_bit(command, lake, tmp_path):
    rows = exported(command, lake, tmp_path / "out", "weighted_pairs", "--jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()]
    assert lines == rows


def test_without_a_format_it_is_what_suits_the_rows(command, lake, tmp_path):
    recipe = tmp_path / "lists.yaml"
    kept = RECIPE.replace("name: many", "name: lists").replace("  - select: best_vs_worst\n", "")
    recipe.write_text(kept.replace("  - select: labelled\n    threshold: median\n", ""))
    assert command("run", recipe, "--root", lake).code == 0
    assert command("export", "lists", "--to", tmp_path / "out", "--root", lake, "--json").json["format"] == "list_rows"
    assert command("export", "many", "--to", tmp_path / "two", "--root", lake, "--json").json["format"] == "trl_dpo"
    done = command("publish", "lists", "--to", tmp_path / "three", "--root", lake, "--no-report", "--json")
    assert list(done.json["configs"]) == ["list_rows"]


def test_a_publication_holds_what_each_trainer_wants_beside_its_rows(command, lake, tmp_path):
    forms = ("--format", "trl_dpo", "--format", "llamafactory_pairs")
    done = command("publish", "many", "--to", tmp_path / "out", "--root", lake, "--no-report", "--json", *forms)
    assert list(done.json["configs"]) == ["trl_dpo", "llamafactory_pairs"]
    beside = {path.name for path in (tmp_path / "out" / "llamafactory_pairs").iterdir()}
    assert beside == {"train.parquet", "dataset_info.json"}
