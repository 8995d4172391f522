from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from schemas.errors import EndpointError
from schemas.exchange import Reply, Request
from tasks.backends.embedded import FOLDER, Embedded
from tasks.backends.specs import open_backend
from tasks.sources.arithmetic import answer, expressions, question

R = TypeVar("R")


def asked(expression: str = "17 + 4 * 5", **changes: Any) -> Request:
    messages = [{"role": "user", "content": question(expression)}]
    return replace(Request(model="embedded", messages=messages, max_tokens=96, seed=5), **changes)


def with_policy(use: Callable[[Embedded], Awaitable[R]], folder: Path | None = None) -> R:
    async def run() -> R:
        policy = Embedded(folder)
        try:
            return await use(policy)
        finally:
            await policy.close()

    return asyncio.run(run())


def answers(*requests: Request) -> list[Reply]:
    async def use(policy: Embedded) -> list[Reply]:
        return list(await asyncio.gather(*map(policy.answer, requests)))

    return with_policy(use)


def test_about_two_thirds_of_the_answers_to_held_back_problems_are_right() -> None:
    problems = expressions(200, 11, split="test")
    replies = answers(*(asked(problem, n=4) for problem in problems))
    right = [
        [choice.text.splitlines()[-1:] == [f"Answer: {answer(problem)}"] for choice in reply.choices]
        for problem, reply in zip(problems, replies, strict=True)
    ]
    assert 0.55 < sum(map(sum, right)) / 800 < 0.80
    assert sum(0 < sum(found) < 4 for found in right) > 50
    greedy = answers(*(asked(problem, temperature=0.0) for problem in problems))
    assert sum(r.text.endswith(f"Answer: {answer(p)}") for r, p in zip(greedy, problems, strict=True)) > 120


def test_a_reply_holds_what_a_ledger_needs() -> None:
    [reply] = answers(asked(n=3, first=2, logprobs=True, top_logprobs=2))
    assert reply.error is None
    assert [choice.index for choice in reply.choices] == [2, 3, 4]
    assert reply.prompt_tokens == 11
    assert reply.latency_s > 0
    assert reply.fingerprint.startswith("embedded/arithmetic@")
    for choice in reply.choices:
        assert choice.logprob == round(sum(token.logprob for token in choice.tokens), 6)
        assert choice.completion_tokens == len(choice.tokens)
        assert len(choice.tokens[0].top) == 2


def test_answers_are_the_same_alone_in_a_crowd_and_after_a_restart() -> None:
    crowd = [asked(problem, n=2, temperature=0.9, seed=i) for i, problem in enumerate(expressions(60, 12))]
    together = [reply.choices for reply in answers(*crowd)]
    order = random.Random(0).sample(range(60), 60)
    again = [reply.choices for reply in answers(*(crowd[i] for i in order))]
    assert [again[order.index(i)] for i in range(60)] == together
    assert answers(crowd[7])[0].choices == together[7]


def test_outcomes_tell_cut_and_empty_answers_from_whole_ones() -> None:
    whole, cut, empty = answers(asked(), asked(max_tokens=3), asked(stop=("Step",)))
    assert (whole.outcome, whole.choices[0].finish_reason) == ("ok", "stop")
    assert (cut.outcome, cut.choices[0].finish_reason) == ("truncated", "length")
    assert (empty.outcome, empty.text) == ("empty", "")


def test_without_a_seed_every_answer_is_fresh() -> None:
    first, second = answers(asked(seed=None, n=8, temperature=2.0), asked(seed=None, n=8, temperature=2.0))
    assert [c.text for c in first.choices] != [c.text for c in second.choices]


def test_what_it_cannot_do_is_an_error_and_no_answer() -> None:
    replies = answers(asked(kind="score"), asked(kind="run"), asked(extra={"beams": 2}), asked("1 + " * 300 + "1"))
    assert [reply.choices for reply in replies] == [()] * 4
    assert "do not end with the assistant's text" in (replies[0].error or "")
    assert "no run requests" in (replies[1].error or "")
    assert "knows no beams" in (replies[2].error or "")
    assert "from 1 to 511 are allowed" in (replies[3].error or "")


def test_the_fingerprint_names_the_weights_and_another_folder_has_another(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(FOLDER, other)
    config = (other / "config.json").read_text("utf-8")
    (other / "config.json").write_text(config.replace("10000.0", "9999.0"), "utf-8")
    shipped, changed = (with_policy(lambda policy: policy.start(), folder) for folder in (None, other))
    assert shipped["model"] == "embedded/arithmetic"
    assert len(shipped["revision"]) == len(shipped["tokenizer"]) == 32
    assert shipped["tokenizer"] == changed["tokenizer"]
    assert shipped["revision"] != changed["revision"]


def test_a_spec_opens_the_shipped_policy_or_another_folder(tmp_path: Path) -> None:
    assert open_backend("embedded").spec == "embedded"
    assert open_backend(f"embedded:{tmp_path}").spec == f"embedded:{tmp_path}"


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("how", ["missing", "cut"])
def test_a_folder_that_cannot_be_served_is_named(tmp_path: Path, broken: str, how: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    if how == "missing":
        (folder / broken).unlink()
    else:
        (folder / broken).write_bytes((folder / broken).read_bytes()[:100])
    with pytest.raises(EndpointError, match=f"cannot serve {folder}"):
        with_policy(lambda policy: policy.start(), folder)


def test_a_worker_that_dies_fails_what_it_had_and_the_next_request_starts_another() -> None:
    async def use(policy: Embedded) -> None:
        await policy.start()
        first = policy._process
        assert first is not None
        waiting = [asyncio.create_task(policy.answer(asked(n=64, temperature=2.0))) for _ in range(20)]
        await asyncio.sleep(0.05)
        first.kill()
        for reply in await asyncio.gather(*waiting):
            assert reply.error == "the embedded policy's worker ended (exit status -9)"
        assert (await policy.answer(asked())).outcome == "ok"
        assert policy._process is not None
        assert policy._process.pid != first.pid

    with_policy(use)


def test_a_request_given_up_harms_no_other() -> None:
    async def use(policy: Embedded) -> None:
        given_up = asyncio.create_task(policy.answer(asked(n=50)))
        other = asyncio.create_task(policy.answer(asked()))
        await policy.start()
        given_up.cancel()
        assert (await other).outcome == "ok"
        assert not policy._pending

    with_policy(use)


def test_the_worker_ends_with_a_killed_parent() -> None:
    program = (
        "import asyncio, os\nfrom tasks.backends.embedded import Embedded\n"
        "async def main():\n    policy = Embedded()\n    await policy.start()\n"
        "    print(policy._process.pid, flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_worker_stays_small() -> None:
    async def use(policy: Embedded) -> int:
        await asyncio.gather(*(policy.answer(asked(problem, n=4)) for problem in expressions(60, 3)))
        assert policy._process is not None
        status = Path(f"/proc/{policy._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    assert with_policy(use) < 400


def test_log_probabilities_of_a_given_text() -> None:
    async def use(policy: Embedded) -> None:
        scored = await policy.score("<|user|>What is 1 + 2 + 3?<|end|>")
        assert "".join(token.text for token in scored) == "What is 1 + 2 + 3?<|end|>"
        assert all(token.logprob < 0 for token in scored)
        with pytest.raises(ValueError, match="the text has 0 tokens"):
            await policy.score("")

    with_policy(use)
