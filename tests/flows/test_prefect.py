"""Nightly, as deployed: a real Prefect server, a work pool, prefect.yaml, and a real worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from storage.store import Store

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
OFTEN = """
  - name: often
    entrypoint: flows.generate.generate
    parameters: {recipe: quickstart, root: often, settings: [prompts.n=20]}
    work_pool: {name: cpu}
    schedules: [{interval: 15}]
    concurrency_limit: 1
"""


class Server:
    """A Prefect server with its own home, and what is asked of it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder, self.api = folder, f"http://127.0.0.1:{port}/api"
        own = {
            "HOME": folder / "prefect",
            "API_URL": self.api,
            "SERVER_ANALYTICS_ENABLED": "false",
            "CLI_COLORS": "false",
            "SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
        }
        self.environment = {**environment, **{f"PREFECT_{name}": str(value) for name, value in own.items()}}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.begin("server", "start", "--host", "127.0.0.1", "--port", str(port))
        self.wait(lambda: self.get("/health"), 240)

    def begin(self, *arguments: str) -> None:
        """Starts a Prefect process that goes on, with its output in a file."""
        with (self.folder / f"{arguments[0]}.log").open("wb") as log:
            command = [sys.executable, "-m", "prefect", *arguments]
            self.processes.append(
                subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log,
                                 start_new_session=True)
            )  # fmt: skip

    def prefect(self, *arguments: str) -> str:
        """Runs a Prefect command to its end and returns what it said."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        ran = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def get(self, path: str, body: Any = None) -> Any:
        """Returns what the API says."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def wait(self, found: Any, seconds: float) -> Any:
        """Returns the first true answer; connection errors count as none."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if answer := found():
                    return answer
            except OSError:
                pass
            time.sleep(0.5)
        logs = "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("*.log"))
        pytest.fail(f"not within {seconds} s\n{logs}")

    def nightly(self, **parameters: Any) -> dict[str, Any]:
        """Schedules a run of the deployment in two seconds, and returns it once it has ended."""
        given = [part for name, value in parameters.items() for part in ("--param", f"{name}={json.dumps(value)}")]
        self.prefect("deployment", "run", "generate/nightly", "--start-in", "2 seconds", *given)
        flow_run = max(self.get("/flow_runs/filter", {}), key=lambda run: run["created"])

        def ended() -> Any:
            run = self.get(f"/flow_runs/{flow_run['id']}")
            return run if run["state_type"] in OVER else None

        found: dict[str, Any] = self.wait(ended, 400)
        return found

    def stop(self) -> None:
        """Ends the worker, then the server."""
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yields a server with the pool and the deployments of prefect.yaml, and a worker on the pool."""
    folder = tmp_path_factory.mktemp("prefect") / "a clone"
    folder.mkdir()
    (folder / "prefect.yaml").write_text((ROOT / "prefect.yaml").read_text() + OFTEN)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAIRWRIGHT_", "PREFECT_"))}
    running = Server(folder, {**kept, "HOME": str(folder.parent), "PWD": str(folder)})
    try:
        running.prefect("work-pool", "create", "cpu", "--type", "process")
        running.prefect("deploy", "--all")
        running.begin("worker", "start", "--pool", "cpu")
        yield running
    finally:
        running.stop()


def test_the_nightly_deployment_publishes_and_a_second_night_asks_for_nothing(server):
    deployed = server.get("/deployments/name/generate/nightly")
    assert deployed["entrypoint"] == "flows.generate.generate"
    assert [found["schedule"]["cron"] for found in deployed["schedules"]] == ["0 2 * * *"]

    nights = [server.nightly(), server.nightly()]

    assert [night["state_type"] for night in nights] == ["COMPLETED", "COMPLETED"], nights
    store = Store.open(server.folder / "lake")
    versions = store.versions("quickstart")
    assert versions["version"].to_list() == ["v1", "v2"]
    assert versions["rows"][0] >= 300
    assert versions["digest"].n_unique() == 1
    runs = store.read("runs").collect().sort("created_at")
    calls = [orjson.loads(text) for text in runs["calls"]]
    assert [found["asked"] for found in calls] == [600, 0]
    assert [found["from_ledger"] for found in calls] == [0, 3600]
    assert runs.select(pl.col("status").unique()).item() == "done"
    shards = server.get("/task_runs/filter", {"flow_runs": {"id": {"any_": [nights[0]["id"]]}}})
    assert {task["state_type"] for task in shards} == {"COMPLETED"}
    artifacts = server.get("/artifacts/filter", {"flow_runs": {"id": {"any_": [nights[1]["id"]]}}})
    kinds = {found["type"]: found for found in artifacts}
    assert set(kinds) == {"progress", "table", "markdown"}
    assert kinds["progress"]["data"] == 100
    assert "quickstart@v2  published" in kinds["markdown"]["data"]


def test_a_schedule_fires_by_itself_and_its_run_completes(server):
    often = server.get("/deployments/name/generate/often")

    def fired() -> Any:
        runs = server.get("/flow_runs/filter", {"deployments": {"id": {"any_": [often["id"]]}}})
        return [run for run in runs if run["state_type"] in OVER]

    run = server.wait(fired, 400)[0]
    assert (run["state_type"], run["auto_scheduled"]) == ("COMPLETED", True), run["state"]
    assert Store.open(server.folder / "often").versions("quickstart")["version"].to_list()[0] == "v1"
    server.prefect("deployment", "schedule", "pause", "generate/often", often["schedules"][0]["id"])


def test_a_refusal_fails_the_flow_run_with_its_reason_and_leaves_no_published_version(server):
    night = server.nightly(settings=["prompts.n=20", "gate.min_pairs=100000"], publish="refused", root="other")

    assert night["state_type"] == "FAILED"
    assert "in quarantine as refused@q1" in night["state"]["message"]
    assert Store.open(server.folder / "other").versions("refused")["status"].to_list() == ["quarantined"]


def test_run_on_prefect_from_the_command_line_shows_on_the_server_and_prints_the_same_document(server, start):
    run = start("run", "quickstart", "--set", "prompts.n=20", "--on", "prefect", "--json", **server.environment)
    out, err = run.communicate(timeout=300)

    assert run.returncode == 0, err
    found = json.loads(out)
    assert (found["status"], found["version"], found["calls"]["asked"]) == ("done", "v1", 20)
    shown = [flow for flow in server.get("/flow_runs/filter", {}) if flow["deployment_id"] is None]
    assert [(flow["name"], flow["state_type"]) for flow in shown] == [("quickstart", "COMPLETED")]
