"""The quickstart as it ships: what it publishes, and what can be done with that."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.messages import text_of
from storage.store import Store
from tests.flows.conftest import SCRIPT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Returns the lake of one quickstart, run as a process in an empty folder, and what it printed."""
    folder = tmp_path_factory.mktemp("quickstart")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [SCRIPT, "run", "quickstart", "--json"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return folder / "lake", json.loads(ran.stdout)


@pytest.fixture(scope="module")
def pairs(made: tuple[Path, dict[str, Any]]) -> pl.DataFrame:
    """Returns the pairs of the quickstart."""
    return Store.open(made[0]).read("preferences", version="quickstart@v1").collect()


def _value(question: str) -> int:
    """Returns what the expression in a question comes to, worked out here: first products, then from left to right."""
    numbers = re.search(r"\d+(?: [-+*] \d+)+", question)
    assert numbers, question
    total = 0
    for sign, product in re.findall(r"([-+]?) ?(\d+(?: \* \d+)*)", numbers.group()):
        value = 1
        for factor in product.split(" * "):
            value *= int(factor)
        total += -value if sign == "-" else value
    return total


def _answer(text: str) -> int | None:
    found = re.findall(r"Answer: (-?\d+)\s*$", text)
    return int(found[0]) if len(found) == 1 else None


def test_the_arithmetic_of_these_tests_is_right():
    assert [_value(f"What is {e}?") for e in ("33 - 3 * 5 + 9", "2 * 7 + 46", "6 * 4 - 47", "21 - 40 - 41")] == [
        27, 60, -23, -60
    ]  # fmt: skip


def test_it_makes_at_least_300_pairs_of_at_least_200_prompts(pairs, made):
    assert pairs.height >= 300
    assert pairs["prompt_id"].n_unique() >= 200
    assert made[1]["rows"]["preferences"] == pairs.height
    assert made[1]["outcomes"] == {"math": {"valid": made[1]["rows"]["completions"]}}


def test_every_chosen_answer_is_right_and_every_rejected_one_wrong(pairs):
    for row in pairs.iter_rows(named=True):
        right = _value(text_of(row["prompt"]))
        assert _answer(text_of(row["chosen"])) == right
        assert _answer(text_of(row["rejected"])) != right


def test_no_pair_is_there_twice_and_chosen_differs_from_rejected(pairs):
    texts = [(text_of(r["prompt"]), text_of(r["chosen"]), text_of(r["rejected"])) for r in pairs.iter_rows(named=True)]
    assert len(set(texts)) == len(texts) == pairs["pair_id"].n_unique()
    assert all(chosen != rejected for _, chosen, rejected in texts)


def test_the_log_probabilities_are_those_of_a_model(made):
    found = Store.open(made[0]).read("completions").collect()
    assert found.height == made[1]["rows"]["completions"]
    assert found["logprob"].null_count() == 0
    assert found["logprob"].max() < 0  # type: ignore[operator]


def test_duckdb_alone_opens_the_catalog_and_joins(made):
    with duckdb.connect(str(made[0] / "catalog.duckdb"), read_only=True) as catalog:
        found = catalog.sql("""
            select count(*), sum((chose.score = 1 and refused.score = 0)::int)
            from preferences p
            join completions c on c.completion_id = p.chosen_id
            join completions r on r.completion_id = p.rejected_id
            join judgments chose on chose.subjects[1] = c.completion_id
            join judgments refused on refused.subjects[1] = r.completion_id
        """).fetchall()
    assert found == [(made[1]["rows"]["preferences"],) * 2]


def test_what_was_published_can_be_looked_at_and_taken_out(made, command, tmp_path):
    root = ("--root", made[0])
    pair = made[1]["examples"][0]["pair_id"]

    assert "quickstart@v1  published" in command("report", "quickstart", *root).out
    assert command("sql", "select count(*) n from preferences AS OF v1", *root, "--json").json == [
        {"n": made[1]["rows"]["preferences"]}
    ]
    assert pair in command("lineage", pair[:12], *root).out
    assert command("export", "quickstart@v1", "--to", tmp_path / "out", *root).code == 0
    assert pl.read_parquet(tmp_path / "out" / "**" / "*.parquet").columns == ["prompt", "chosen", "rejected"]


SMALL = ("run", "quickstart", "--set", "prompts.n=60", "--json")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_makes_the_same_dataset_to_the_byte_and_another_seed_another(
    command: Callable[..., Any], tmp_path
):
    digests, exports = [], []
    for root, seed in (("a", 7), ("b", 7), ("c", 8)):
        ran = command(*SMALL, "--seed", seed, "--root", root)
        digests.append(ran.json["digest"])
        for form in ("trl_dpo", "parquet"):
            assert command("export", "quickstart", "--format", form, "--to", f"{root}-{form}", "--root", root).code == 0
        exports.append({**_bytes(tmp_path / f"{root}-trl_dpo"), **_bytes(tmp_path / f"{root}-parquet")})

    assert digests[0] == digests[1] != digests[2]
    assert exports[0] == exports[1] != exports[2]


def test_a_second_run_asks_for_nothing_and_publishes_the_same_rows_as_v2(command):
    first, second = command(*SMALL).json, command(*SMALL).json

    assert (first["calls"]["asked"], second["calls"]["asked"]) == (60, 0)
    assert second["calls"]["from_ledger"] == first["rows"]["completions"] == 360
    assert (second["version"], second["digest"]) == ("v2", first["digest"])
    compared = command("diff", "v1", "v2", "--json").json
    assert (compared["added"], compared["removed"], compared["changed"]) == (0, 0, 0)


def test_a_changed_threshold_and_more_prompts_buy_only_what_is_new(command):
    command(*SMALL)

    other = command("run", "quickstart", "--set", "prompts.n=60", "--set", "select.per_prompt=3", "--json").json
    more = command("run", "quickstart", "--set", "prompts.n=80", "--json").json

    assert other["calls"]["asked"] == 0
    assert more["calls"]["asked"] == 20


def test_the_first_lines_of_a_run_say_what_is_coming_and_the_last_where_to_look(command):
    ran = command(*SMALL[:-1], "--root", "elsewhere")

    assert ran.err.startswith("quickstart: 60 prompts, prompts arithmetic -> sample independent -> judge math -> ")
    assert "\nquickstart@v1  published  (" in ran.out
    assert [line[:5] for line in ran.out.splitlines() if line.startswith("pair ")] == ["pair "] * 5
    assert ran.out.endswith("export quickstart@v1 --format trl_dpo --to ./export --root elsewhere\n")
