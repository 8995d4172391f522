"""Thirty recipes over one lake: the same prompts, samples and verdicts, bought once; and what each recipe then takes.

    python -m benchmarks.reuse                     500 prompts x 16 samples, one policy, one judge
    python -m benchmarks.reuse --prompts 40        the same, smaller

Every recipe is a command of its own, as a person would type it, its imports included. The engine counts distinct
request bodies and how often it answered each: every body must be answered once, and all recipes after the first must
ask nothing. Prints a line a recipe and a JSON document last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

import uvloop

from benchmarks.engine import Engine
from benchmarks.engine_replies import words
from benchmarks.w1 import http

HERE = Path(__file__).resolve().parent
RECIPES = (
    "simpo", "sweet-spot", "rs-dpo", "rso", "aot", "brain", "iopo", "meet", "mmpo", "offline-rlhf", "pf-ppo",
    "preference-degree", "reward-augmented", "sdpo", "triple-po", "curated", "mixture-of-judges", "seppo", "heron",
    "afd", "dragon", "scpo", "trpa", "variance-prompts", "oreal", "quickstart", "goal-conditioned-rm", "implicit-prm",
    "dqo", "oreo",
)  # fmt: skip
"""Thirty that sample each prompt by itself, and are judged by one pointwise judge, by rules or by nobody.

Two of them judge the prompts' references too: they buy those verdicts, and nothing else.
"""
SAMPLED = ("n=16", "temperature=1.0", "top_p=1.0", "max_tokens=1024", "logprobs=false")


def speaker() -> Any:
    """Returns what the engine says: a score for the judge; else words and an answer, other ones each time."""
    said: Counter[bytes] = Counter()

    def speak(body: dict[str, Any]) -> str:
        content = str(body["messages"][-1]["content"]).encode()
        if "judge" in body["model"]:
            return json.dumps({"score": 1 + crc32(content) % 10})
        said[content] += 1
        number = crc32(content + b"%d" % said[content])
        return f"{words(number, 80 + number % 500)}\nAnswer: {number % 3}"

    return speak


async def serve(port: int) -> None:
    """Serves the engine until it is told to stop."""
    engine, stop = Engine(), asyncio.Event()
    engine.speak = speaker()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with engine.serve(port=port) as url:
        print(url, flush=True)
        await stop.wait()


def write_prompts(path: Path, count: int) -> None:
    """Writes prompts with references: half of them a number that samples end in, to be judged by rule."""
    rows = [
        {
            "prompt": f"Question {i}: {words(i, 400)}",
            "reference": f"{words(i, 60)} Answer: 1",
            "source": f"s{i % 3}",
            "group": f"variant {i // 2}",
        }
        for i in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def options(name: str, sampled: tuple[str, ...] = SAMPLED) -> list[str]:
    """Returns the settings that make a recipe's samples the shared ones."""
    return [f"independent.{each}" for each in sampled]


def command(name: str, url: str, folder: Path) -> list[str]:
    """Returns the command line of one recipe."""
    sets = [part for each in options(name) for part in ("--set", each)]
    return [
        sys.executable, "-m", "flows.cli", "run", name, "--prompts", str(folder / "prompts.jsonl"), "--root",
        str(folder / "lake"), "--policy", f"openai:{url}:gen?identity=engine", "--judge",
        f"openai:{url}:judge?identity=engine", *sets, "--json",
    ]  # fmt: skip


def main() -> None:
    """Runs the recipes one after the other and prints what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--keep", action="store_true", help="keep the lake, and say where it is")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        uvloop.run(serve(0))
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reuse", "--serve"], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    folder = Path(tempfile.mkdtemp(prefix="reuse-"))
    try:
        write_prompts(folder / "prompts.jsonl", asked.prompts)
        runs = [_timed(name, url, folder) for name in asked.recipes.split(",")]
        print(json.dumps(figures(runs, http(f"{url.removesuffix('/v1')}/stats"))))
    finally:
        server.terminate()
        server.wait()
        print(folder, file=sys.stderr) if asked.keep else shutil.rmtree(folder, ignore_errors=True)


def _timed(name: str, url: str, folder: Path) -> dict[str, Any]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command(name, url, folder), cwd=HERE.parent, capture_output=True, text=True, check=False)
    seconds, after = round(time.monotonic() - began, 2), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if not done.stdout:
        raise SystemExit(f"{name}: exit code {done.returncode}\n{done.stderr}")
    result = json.loads(done.stdout)
    rows = {table: count for table, count in result["rows"].items() if count and table not in ("prompts", "nodes")}
    found = {"recipe": name, "status": result["status"], "seconds": seconds, "cpu_s": round(cpu, 2),
             "asked": result["calls"]["asked"],
             "from_ledger": result["calls"]["from_ledger"], "rows": rows}  # fmt: skip
    print(f"{name:20} {seconds:6.2f} s  CPU {cpu:5.2f} s  asked {found['asked']:6,}  {rows}", flush=True)
    return found


def figures(runs: list[dict[str, Any]], stats: dict[str, Any]) -> dict[str, Any]:
    """Returns the figures of all runs, and what the engine saw of them."""
    later = sorted(run["seconds"] for run in runs[1:])
    return {
        "recipes": len(runs), "not_done": {run["recipe"]: run["status"] for run in runs if run["status"] != "done"},
        "asked_by_the_first": runs[0]["asked"], "asked_by_the_others": sum(run["asked"] for run in runs[1:]),
        "first_s": runs[0]["seconds"], "others_median_s": later[len(later) // 2], "others_slowest_s": later[-1],
        "others_slowest_cpu_s": max(run["cpu_s"] for run in runs[1:]),
        "distinct_bodies": stats["distinct_bodies"], "answers_a_body": stats["answers_per_body_hist"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
