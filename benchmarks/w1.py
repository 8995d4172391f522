"""W1: prompts x 8 samples, a verdict a sample, best-worst pairs, published; and how busy the engine was meanwhile.

    python -m benchmarks.w1                        2,000 prompts: busy share, client CPU a call, peak memory
    python -m benchmarks.w1 --prompts 20000        the same at another size: memory must not grow with it
    python -m benchmarks.w1 --faults 0.02 --malformed 0.01
    python -m benchmarks.w1 --kills 5              kill -9 at random moments, the same command again each time
    python -m benchmarks.w1 --prompts 500 --kills 4 --series 25     a hundred of them, over fresh lakes
    python -m benchmarks.w1 --prompts 150000 --watch 60    a soak: memory, descriptors and threads once a minute

The engine simulator (``benchmarks.engine``) has 256 slots and serves a sequence in about 0.2 s; "busy" is the sum of
all service times over slots times the span from the first request to the last answer. CPU and memory are the client
process's own, its imports and worker processes included. Every figure is of one run of one machine: compare ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WORDS = ("data", "proof", "graph", "number", "find", "show", "value", "given", "each", "sum", "path", "tree", "set")


def http(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns the JSON that a URL answers."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as response:
        found: dict[str, Any] = json.loads(response.read())
    return found


def engine(options: list[str]) -> tuple[subprocess.Popen[bytes], str]:
    """Starts an engine simulator on a free port; returns it and its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.engine", "--port", str(port), *options]
    process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            http(f"{url}/stats")
        except OSError:
            time.sleep(0.1)
        else:
            return process, url
    raise SystemExit("the engine simulator did not start")


def write_prompts(path: Path, count: int, seed: int) -> None:
    """Writes prompts of about a hundred words."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for i in range(count):
            words = " ".join(rng.choice(WORDS) for _ in range(100))
            file.write(json.dumps({"prompt": f"Question {i}: {words}"}) + "\n")


def command(url: str, folder: Path, concurrency: int) -> list[str]:
    """Returns the client's command line."""
    asked = f"concurrency={concurrency}&start={concurrency}&identity=engine"  # another port is the same engine
    return [
        sys.executable, "-m", "flows.cli", "run", str(HERE / "w1.yaml"), "--prompts", str(folder / "prompts.jsonl"),
        "--policy", f"openai:{url}/v1:mock-gen?{asked}", "--judge", f"openai:{url}/v1:mock-judge-score?{asked}",
        "--root", str(folder / "lake"), "--json",
    ]  # fmt: skip


def run(call: list[str], kill_after_s: float | None = None, watch_s: float = 0.0) -> dict[str, Any]:
    """Runs the client once and returns its exit code, seconds, CPU seconds, peak memory and printed result."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    watched: list[dict[str, Any]] = []
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(call, cwd=HERE.parent, stdout=out, start_new_session=True)
        while watch_s:
            try:
                process.wait(watch_s)
                break
            except subprocess.TimeoutExpired:
                watched.append({"at_s": round(time.monotonic() - began), **held(process.pid)})
        if kill_after_s is not None:
            try:
                process.wait(kill_after_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        out.seek(0)
        text = out.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "code": code, "seconds": time.monotonic() - began, "cpu_s": cpu, "peak_mb": after.ru_maxrss / 1024,
        "result": json.loads(text) if code == 0 else {}, "watched": watched,
    }  # fmt: skip


def held(pid: int) -> dict[str, Any]:
    """Returns what a process holds now: resident memory, open descriptors, sockets among them, and threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    opened = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            opened.append(os.readlink(descriptor))
    return {
        "rss_mb": int(status["VmRSS"].split()[0]) // 1024, "descriptors": len(opened),
        "sockets": sum(name.startswith("socket:") for name in opened), "threads": int(status["Threads"]),
    }  # fmt: skip


def main() -> None:
    """Runs the workload and prints what it measured as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--faults", type=float, default=0.0, help="share of attempts that fail: 429, 500, dropped")
    parser.add_argument("--malformed", type=float, default=0.0, help="share of verdicts that cannot be read")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--series", type=int, default=1, help="times to do it all, each in a fresh lake")
    parser.add_argument("--watch", type=float, default=0.0, help="seconds between two looks at what the client holds")
    args = parser.parse_args()
    share = str(args.faults / 3)
    faults = ["--fault-429", share, "--fault-500", share, "--fault-drop", share]
    server, url = engine([*faults, "--fault-malformed", str(args.malformed)])
    rng = random.Random(args.seed)
    try:
        for _ in range(args.series):
            print(json.dumps(series(url, args, rng), indent=1), flush=True)
    finally:
        server.terminate()
        server.wait()


def series(url: str, args: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    """Returns the figures of one lake, from its first start to the run's end."""
    http(f"{url}/reset", {})
    with tempfile.TemporaryDirectory(prefix="w1-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_prompts(folder / "prompts.jsonl", args.prompts, args.seed)
        call = command(url, folder, args.concurrency)
        kills = [run(call, 2.0 + 20.0 * rng.random() * args.prompts / 2000) for _ in range(args.kills)]
        done = run(call, watch_s=args.watch)
        return figures(done, kills, http(f"{url}/stats"))


def figures(done: dict[str, Any], kills: list[dict[str, Any]], stats: dict[str, Any]) -> dict[str, Any]:
    """Returns the figures of one run."""
    result = done["result"]
    asked = result["calls"]["asked"]
    return {
        "rows": result["rows"], "outcomes": result["outcomes"], "calls": result["calls"],
        "busy": stats["utilisation"], "ideal_s": stats["ideal_s"], "span_s": stats["span_s"],
        "wall_s": round(done["seconds"], 2), "client_cpu_s": round(done["cpu_s"], 2),
        "client_cpu_ms_a_call": round(1000 * done["cpu_s"] / max(asked, 1), 3), "peak_mb": round(done["peak_mb"]),
        "kills": sum(kill["code"] != 0 for kill in kills), "answers_a_body": stats["answers_per_body_hist"],
        "digest": result["digest"], "watched": done["watched"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
