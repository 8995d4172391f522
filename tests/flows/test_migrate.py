"""A lake that an older program made, in the hands of this one: found, verified, carried over, left alone when newer."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from flows.opening import older
from flows.plan import Request, make
from storage import formats
from storage.ledger import Ledger
from storage.store import Store

OLDER = Path(__file__).resolve().parents[1] / "data" / "lake-e268629.tar.gz"
DIGESTS = {
    "oaif": "cbc29134e353d43d5bbeff29421b7fcf",
    "trusted": "17b297426b273e57f9a69083b4788862",
    "replay": "43b65ed37adfc1abf611e175c97a4799",
    "quickstart": "38f87a167aa60204a7908ea3575894a1",
    "mcts-dpo": "e6f3efdcdeb2b7b47d1a089aa29de970",
    "by-name": "b2f175c9d35b3c404cba5aa325f1e514",
}
WORDS = ("--policy", "openai:{0}:words", "--judge", "openai:{0}:judge-pair")
HERE = "http://127.0.0.1:8417/v1"


def at(url: str) -> list[str]:
    return [word.format(url) for word in WORDS]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    with tarfile.open(OLDER) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "lake"


def test_a_version_of_an_older_lake_is_verified_before_it_is_brought_over_and_changes_nothing(command, lake):
    assert command("verify", "by-name@v1", "--json").json["rebuilt"] == DIGESTS["by-name"]
    assert not (lake / formats.FILE).exists()


@pytest.mark.parametrize(
    "name",
    [
        "trusted",
        "by-name",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("oaif", "replay", "quickstart", "mcts-dpo")),
    ],
)
def test_a_version_of_an_older_lake_is_verified_once_it_is_brought_over(command, lake, name):
    assert command("migrate").code == 0

    found = command("verify", f"{name}@v1", "--json").json

    assert (found["identical"], found["rebuilt"], found["missing_calls"]) == (True, DIGESTS[name], 0)
    assert command("verify").out == "the lake is whole\n"
    assert command("ledger", "verify").out == "the ledger is whole\n"


def test_an_audit_is_carried_over_once_where_its_judge_reads_every_answer_as_before(command, lake):
    first, second = command("migrate").out.splitlines(), command("migrate").out.splitlines()

    assert first[0].startswith("the lake at ./lake has format 2 now")
    assert first[1:] == [
        "the audit of judge 'pairwise' on gold.jsonl counts for the judge of today: all 12 verdicts are the same"
    ]
    assert second == ["the lake at ./lake has format 2 already"]
    audits = Store.open(lake).read("audits").collect()
    assert audits["accuracy"].to_list() == [audits["accuracy"][0]] * 2
    assert audits["fingerprint"].n_unique() == 2


def test_an_audit_whose_judge_reads_an_answer_otherwise_does_not_count(command, lake, monkeypatch):
    from flows import carried

    compared = carried._verdicts
    monkeypatch.setattr(
        carried, "_verdicts", lambda rows: compared([{**row, "winner": "A"} if i == 3 else row for i, row in
                                                     enumerate(rows)] if isinstance(rows, list) else rows)
    )  # fmt: skip

    lines = command("migrate").out.splitlines()

    assert "does not count for the judge of today (2 of 12 verdicts read otherwise)" in lines[1]
    assert Store.open(lake).read("audits").collect().height == 1


@pytest.mark.parametrize("url", [HERE, "http://localhost:8417/v1/", "http://LOCALHOST:8417/v1"])
@pytest.mark.parametrize(
    ("prompts", "dataset"), [("prompts.jsonl", "oaif"), ("sums.jsonl", "by-name")], ids=["by number", "by name"]
)
def test_a_finished_run_of_an_older_lake_plans_no_call_however_its_endpoint_is_spelt(
    command, lake, url, prompts, dataset
):
    planned = command("plan", "oaif", "--prompts", prompts, *at(url), "--pilot", "0", "--publish", dataset, "--json")

    assert planned.json["in_ledger"] >= 12
    assert planned.json["calls"] == 0
    assert [row["answers_to_buy"] for row in planned.json["models"]] == [0, 0]


def test_a_corrected_reference_buys_no_answer_again_on_an_older_lake(command, lake, tmp_path):
    rows = [json.loads(line) for line in (tmp_path / "sums.jsonl").read_text().splitlines()]
    corrected = tmp_path / "corrected.jsonl"
    corrected.write_text("\n".join(json.dumps({**row, "reference": "none", "group": "g"}) for row in rows))

    planned = command("plan", "oaif", "--prompts", corrected, *at("http://localhost:8417/v1"), "--pilot", "0", "--json")

    assert [row["answers_to_buy"] for row in planned.json["models"]] == [0, 0]


def test_the_search_and_the_embedded_policy_of_an_older_lake_ask_nothing_again(command, lake):
    ran = command("run", "quickstart", "--set", "prompts.n=8", "--json")

    assert "had format 1 and has format 2 now" in ran.err or formats.format_of(Store.open(lake).root) == 2
    assert (ran.json["calls"]["asked"], ran.json["digest"]) == (0, DIGESTS["quickstart"])
    tree = command(
        "run", "mcts-dpo", "--prompts", "sums.jsonl", "--policy", "embedded", "--set", "mcts.simulations=4",
        "--set", "mcts.rollouts=2", "--json",
    ).json  # fmt: skip
    assert (tree["calls"]["asked"], tree["digest"]) == (0, DIGESTS["mcts-dpo"])


@pytest.mark.parametrize("words", [("versions",), ("run", "quickstart", "--set", "prompts.n=2"), ("migrate",)])
def test_a_lake_of_a_newer_format_is_left_alone_with_one_line(command, lake, words):
    (lake / formats.FILE).write_text('{"format": 7}')

    ran = command(*words)

    assert ran.code == 4
    assert "has format 7, and this Pairwright knows up to 2: install a newer Pairwright" in ran.message
    assert ran.message.count("\n") == 0


def test_a_new_lake_has_its_format_and_no_elders(command, tmp_path):
    assert command("run", "quickstart", "--set", "prompts.n=2", "--json").code == 0
    store = Store.open(tmp_path / "lake")
    assert formats.format_of(store.root) == formats.FORMAT
    assert formats.elders(store) == {}
    assert older(store, make(Request("quickstart"))) == ({}, {})


def test_the_first_program_is_told_that_the_ledger_is_newer(lake):
    import sqlite3
    from contextlib import closing

    Ledger.open(lake / "ledger.sqlite").close()
    with closing(sqlite3.connect(lake / "ledger.sqlite")) as connection:
        assert connection.execute("pragma user_version").fetchone() == (3,)
