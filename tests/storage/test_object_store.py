"""The same store in an object store: a real HTTP server that speaks S3."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from storage.diff import diff
from storage.sql import StoreError, sql
from storage.store import Store

pytest.importorskip("moto.server", reason="NOT TESTED: a lake in an object store needs `pip install moto[server]`")
pytestmark = pytest.mark.slow

RUN = {"recipe": "quickstart", "recipe_hash": "h1"}


@pytest.fixture(scope="module")
def server():
    """Returns the options of a server with a bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _make_bucket(f"{address}/bucket")
        yield {
            "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
        }  # fmt: skip
    finally:
        process.terminate()
        process.wait()


def _make_bucket(url):
    for _ in range(300):
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not start")


def test_appends_versions_and_upkeep_work_in_an_object_store(server, prompts, pairs):
    store, other = (Store.open("s3://bucket/lake", storage_options=server) for _ in range(2))
    assert store.append("prompts", prompts("a", "b"), run_id="r") == 2
    assert other.append("prompts", prompts("b", "c"), run_id="r") == 1
    assert sorted(store.read("prompts").collect()["prompt_id"]) == ["a", "b", "c"]
    store.publish("d", {"preferences": pairs("a", "b")}, run_id="r1", **RUN)
    other.publish("d", {"preferences": pairs("c")}, run_id="r2", **RUN)
    assert store.read("preferences").collect()["pair_id"].to_list() == ["c"]
    assert sorted(store.read("preferences", version="d@v1").collect()["pair_id"]) == ["a", "b"]
    assert diff(store, "v1", "v2").summary()["removed"] == 2
    assert store.rollback("v1", run_id="r3").name == "d@v3"
    assert store.compact() == {"prompts": 1, "versions": 2}
    assert store.vacuum() == []
    assert store.verify() == []
    with pytest.raises(StoreError, match="SQL reads lakes in a local folder"):
        sql(store, "select 1")


def test_machines_without_a_common_lock_add_each_key_once(server, prompts, monkeypatch):
    monkeypatch.setattr(Store, "exclusive", lambda self, name: contextlib.nullcontext())
    stores = [Store.open("s3://bucket/race", storage_options=server) for _ in range(3)]
    stores[0].append("prompts", prompts("first"), run_id="r")
    added: list[int] = []
    work = [
        threading.Thread(target=lambda s=store: added.append(s.append("prompts", prompts(*"abcdefgh"), run_id="r")))
        for store in stores
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(added) == [0, 0, 8]
    assert stores[0].read("prompts").collect().height == 9
