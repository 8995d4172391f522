"""Publishing a version: to a folder, to a server that speaks the Hub's protocol, and to an object store."""

import json
import os
import subprocess
import sys
import threading
import urllib.request

import polars as pl
import pytest
from click.testing import CliRunner

from flows.cli import cli
from schemas.errors import UnavailableError, UsageError
from storage.store import Store
from tasks.hub import MARK, publish
from tests.support.hub import Hub

RECIPE = """
name: small
source: "a test"
about: Right and wrong answers of the tiny model, in two splits.
blocks:
  - prompts: arithmetic
    n: 40
  - sample: independent
    policy: embedded
    n: 4
  - judge: math
  - score: mean
  - select: correct_vs_wrong
  - relabel: prompt_clusters
    test: 0.3
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    recipe = folder / "small.yaml"
    recipe.write_text(RECIPE)
    for seed in ("0", "1"):
        ran = CliRunner().invoke(cli, ["run", str(recipe), "--root", str(folder / "lake"), "--seed", seed, "--json"])
        assert ran.exit_code == 0, ran.output
    return str(folder / "lake")


@pytest.fixture
def hub(monkeypatch):
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


def store_rows(lake, version):
    return Store.open(lake, create=False).read("preferences", version=version).collect()


def test_a_folder_holds_a_config_a_format_and_its_splits(lake, tmp_path):
    done = publish(Store.open(lake), "small@v1", str(tmp_path / "out"), license="apache-2.0", page="<p>report</p>")
    rows = store_rows(lake, "small@v1")
    assert sum(done["configs"]["trl_dpo"].values()) == rows.height
    assert set(done["configs"]["trl_dpo"]) == {"train", "test"}
    test = pl.read_parquet(tmp_path / "out" / "trl_dpo" / "test.parquet")
    assert test.height == rows.filter(pl.col("split") == "test").height
    card = (tmp_path / "out" / "README.md").read_text()
    assert "config_name: trl_dpo" in card
    assert "license: apache-2.0" in card
    assert (tmp_path / "out" / "report.html").read_text() == "<p>report</p>"


def test_the_card_names_sources_and_a_version_rolled_back_to_has_one_too(lake, tmp_path):
    store = Store.open(lake)
    rows = store_rows(lake, "small@v1").height
    publish(store, "small@v1", str(tmp_path / "one"))
    card = (tmp_path / "one" / "README.md").read_text()
    for line in (
        f"| prompts | arithmetic | {rows} |",
        f"| chosen answers | embedded | {rows} |",
        "No licence is stated",
    ):
        assert line in card
    back = store.rollback("small@v1", run_id="rollback")
    publish(store, back.name, str(tmp_path / "two"))
    assert f"# small {back.version}" in (tmp_path / "two" / "README.md").read_text()


def test_publishing_again_gives_the_same_bytes_and_something_else_is_not_overwritten(lake, tmp_path):
    store, to = Store.open(lake), tmp_path / "out"
    assert publish(store, "small@v1", str(to))["new"]
    before = {file: file.read_bytes() for file in to.rglob("*") if file.is_file()}
    assert not publish(store, "small@v1", str(to))["new"]
    assert {file: file.read_bytes() for file in to.rglob("*") if file.is_file()} == before
    assert publish(store, "small@v2", str(to))["new"]
    (to / MARK).unlink()
    with pytest.raises(UsageError, match="something else"):
        publish(store, "small@v1", str(to))


def command(lake, hub, tmp_path, version="small@v1"):
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_x",
                                "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
    words = [sys.executable, "-m", "flows.cli", "publish", version, "--to", "hub:me/small", "--root", lake, "--json"]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.parametrize("at", ["create", "upload", "commit", "tag"])
def test_killed_anywhere_and_run_again_a_version_is_one_commit_and_one_tag(lake, hub, tmp_path, at):
    pytest.importorskip("huggingface_hub")
    hub.pause = at
    process = command(lake, hub, tmp_path)
    assert hub.paused.wait(120)
    process.kill()
    process.communicate()
    uploaded = len(hub.large)
    done = finish(command(lake, hub, tmp_path))
    repository = hub.repositories["me/small"]
    assert [commit.title.split()[0] for commit in repository.commits] == ["initial", "small@v1"]
    assert repository.tags == {"v1": repository.commits[1].oid}
    assert repository.private
    assert done["new"] == (at in ("create", "upload"))
    assert sum(line.startswith("PUT /large") for line in hub.seen) == len(hub.large) >= uploaded  # none was sent twice
    local = pl.read_parquet(repository.commits[1].files["parquet/train.parquet"])
    kept = store_rows(lake, "small@v1").filter(pl.col("split") == "train").sort("pair_id")
    assert local["pair_id"].to_list() == kept["pair_id"].to_list()


def test_each_version_is_a_commit_of_its_own_and_old_ones_stay(lake, hub, tmp_path):
    pytest.importorskip("huggingface_hub")
    finish(command(lake, hub, tmp_path))
    finish(command(lake, hub, tmp_path, "small@v2"))
    assert not finish(command(lake, hub, tmp_path))["new"]
    repository = hub.repositories["me/small"]
    assert len(repository.commits) == 3
    assert repository.tags == {"v1": repository.commits[1].oid, "v2": repository.commits[2].oid}
    assert json.loads(repository.commits[2].files[MARK])["version"] == "small@v2"


def test_a_hub_that_refuses_is_an_endpoint_that_failed(lake, tmp_path):
    pytest.importorskip("huggingface_hub")
    gone = Hub()
    gone.server_close()
    process = command(lake, gone, tmp_path)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 4
    assert "the Hub refused me/small" in err


@pytest.mark.slow
def test_what_was_published_loads_with_datasets_as_it_is_in_the_store(lake, hub, tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    publish(Store.open(lake), "small@v1", str(tmp_path / "out"))
    finish(command(lake, hub, tmp_path))
    code = """
import sys, json, datasets
for where, more in ((sys.argv[1], {}), ("me/small", {"revision": "v1"})):
    for config in ("trl_dpo", "parquet"):
        found = datasets.load_dataset(where, config, **more)
        print(json.dumps({name: part.to_list() for name, part in found.items()}, default=str))
"""
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home"),
                                "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_TOKEN": "hf_x"}  # fmt: skip
    words = [sys.executable, "-c", code, str(tmp_path / "out")]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    folder_trl, folder_rows, hub_trl, hub_rows = (json.loads(line) for line in ran.stdout.splitlines())
    assert (folder_trl, folder_rows) == (hub_trl, hub_rows)
    kept = store_rows(lake, "small@v1").drop("dataset", "run_id", "created_at").sort("pair_id")
    for split, rows in folder_rows.items():
        assert rows == json.loads(json.dumps(kept.filter(pl.col("split") == split).to_dicts(), default=str))
        said = [{"role": t["role"], "content": t["content"]} for t in rows[0]["chosen"]]
        assert folder_trl[split][0]["chosen"] == said


@pytest.mark.slow
def test_an_object_store_gets_the_files_the_mark_last_and_nothing_twice(lake, monkeypatch):
    server = pytest.importorskip("moto.server", reason="NOT TESTED: publishing to S3 needs moto[server]")
    there = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    there.start()
    host, port = there.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    try:
        urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/bucket", method="PUT")).close()
        done = publish(Store.open(lake), "small@v1", "s3://bucket/data/small")
        assert (done["new"], done["path"]) == (True, "s3://bucket/data/small/v1")
        assert not publish(Store.open(lake), "small@v1", "s3://bucket/data/small")["new"]
        found = pl.read_parquet(
            "s3://bucket/data/small/v1/parquet/*.parquet", storage_options={"aws_allow_http": "true"}
        )
        assert set(found["pair_id"]) == set(store_rows(lake, "small@v1")["pair_id"])
    finally:
        there.stop()
    with pytest.raises(UnavailableError, match="cannot be written"):
        publish(Store.open(lake), "small@v1", "s3://bucket/data/small")
