"""How fast the embedded policy samples, as ratios between engines measured in one run on one core.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python -m benchmarks.embedded_policy

Engines: ours (NumPy, exact sums), the same through its worker process, the same arithmetic in plain single precision
on onnxruntime (needs ``onnx``), and ``generate`` of transformers (needs ``torch``); the last two are left out with a
word where they are not installed. The onnxruntime engine keeps a full batch of equal length and does nothing but the
model and the draw: an upper bound of what an engine on it would reach. The last lines say how long the driver's event
loop is kept waiting with the policy in a thread and in its process.
"""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from schemas.exchange import Request
from tasks.backends.batch import ROWS, Batch
from tasks.backends.embedded import FOLDER, Embedded
from tasks.sources.arithmetic import expressions, question

PROBLEMS, SAMPLES, LONGEST = 100, 6, 96
Timed = tuple[int, float, float]


def messages(expression: str) -> list[dict[str, str]]:
    """Returns the prompt of a problem."""
    return [{"role": "user", "content": question(expression)}]


def asked(expression: str) -> dict[str, Any]:
    """Returns the request of a problem as the batch takes it."""
    return {
        "kind": "chat", "messages": messages(expression), "prefix": None, "n": SAMPLES, "first": 0, "extra": {},
        "temperature": 1.0, "top_p": 1.0, "max_tokens": LONGEST, "stop": (), "seed": 1, "logprobs": False,
        "top_logprobs": 0, "tools": (),
    }  # fmt: skip


def timed(run: Callable[[], int]) -> Timed:
    """Returns tokens, wall seconds and CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    tokens = run()
    return tokens, time.perf_counter() - wall, time.process_time() - cpu


def in_process(batch: Batch) -> int:
    """Returns the tokens sampled by a batch in this process."""
    tokens: list[int] = []
    for expression in expressions(PROBLEMS, 1):
        batch.ask(asked(expression), lambda reply: tokens.extend(c["completion_tokens"] for c in reply["choices"]))
    while batch.busy:
        batch.step()
    return sum(tokens)


async def through_worker(policy: Embedded) -> int:
    """Returns the tokens sampled by the backend's worker process."""
    replies = await asyncio.gather(
        *(
            policy.answer(
                Request(model="embedded", messages=messages(expression), n=SAMPLES, seed=1, max_tokens=LONGEST)
            )
            for expression in expressions(PROBLEMS, 1)
        )
    )
    return sum(choice.completion_tokens for reply in replies for choice in reply.choices)


def on_transformers() -> int:
    """Returns the tokens sampled by transformers, in batches of as many rows."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(FOLDER, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32)
    model.train(False)
    texts = [
        tokenizer.apply_chat_template(messages(expression), tokenize=False, add_generation_prompt=True)
        for expression in expressions(PROBLEMS, 1)
        for _ in range(SAMPLES)
    ]
    tokens = 0
    for start in range(0, len(texts), ROWS):
        given = tokenizer(texts[start : start + ROWS], return_tensors="pt", padding=True)
        given.pop("token_type_ids", None)
        with torch.inference_mode():
            made = model.generate(**given, do_sample=True, top_k=0, max_new_tokens=LONGEST)
        made = made[:, given["input_ids"].shape[1] :]
        tokens += int((made != tokenizer.pad_token_id).sum())
    return tokens


def on_onnxruntime(steps: int = 60) -> int:
    """Decodes a full batch from position 13 on, ``steps`` tokens a row."""
    from benchmarks.onnx_llama import session

    run, cache = session(FOLDER, ROWS)
    random = np.random.default_rng(0)
    ids = np.full((ROWS, 1), 20, dtype=np.int64)
    for at in range(13, 13 + steps):
        room = -(-(at + 1) // 16) * 16
        logits, keys, values = run(ids, at, [part[:, :, :, :room] for part in cache])
        for part, new in zip(cache, (keys, values), strict=True):
            part[:, :, :, at] = new[:, :, :, 0]
        mass = np.exp(logits - logits.max(axis=1, keepdims=True))
        below = np.cumsum(mass, axis=1)
        ids = (below <= random.random((ROWS, 1)) * below[:, -1:]).sum(axis=1, keepdims=True).astype(np.int64)
    return ROWS * steps


def loop_delays(work: Callable[[asyncio.Event], Any]) -> list[float]:
    """Returns how late a timer of 2 ms fires, in ms, while the loop also computes 1 ms at each tick."""

    async def run() -> list[float]:
        done, late = asyncio.Event(), []
        worker = asyncio.ensure_future(work(done))
        while not done.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            late.append((time.perf_counter() - began - 0.002) * 1e3)
            busy = time.perf_counter()
            while time.perf_counter() - busy < 0.001:
                pass
        await worker
        return late

    return asyncio.run(run())


async def in_thread(done: asyncio.Event) -> None:
    """Samples in a thread beside the loop."""
    batch, loop = Batch(FOLDER), asyncio.get_running_loop()

    def work() -> None:
        wall = time.perf_counter()
        print(f"    in a thread: {in_process(batch) / (time.perf_counter() - wall):,.0f} tokens/s")
        loop.call_soon_threadsafe(done.set)

    thread = threading.Thread(target=work)
    thread.start()
    await done.wait()
    thread.join()


async def in_worker(done: asyncio.Event) -> None:
    """Samples in the backend's own process."""
    policy = Embedded()
    await policy.start()
    wall = time.perf_counter()
    print(f"    in a process: {await through_worker(policy) / (time.perf_counter() - wall):,.0f} tokens/s")
    done.set()
    await policy.close()


def main() -> None:
    """Prints one line an engine."""
    batch = Batch(FOLDER)
    in_process(batch)
    rows: dict[str, Timed] = {"ours": timed(lambda: in_process(batch))}

    async def measured() -> Timed:
        policy = Embedded()
        await policy.start()
        wall = time.perf_counter()
        tokens = await through_worker(policy)
        took = time.perf_counter() - wall
        await policy.close()
        return tokens, took, float("nan")

    rows["ours, through the worker"] = asyncio.run(measured())
    for name, needs, run in (
        ("onnxruntime, single precision, no scheduling", "onnx onnxruntime", on_onnxruntime),
        ("transformers generate", "torch transformers", on_transformers),
    ):
        if not all(map(importlib.util.find_spec, needs.split())):
            print(f"{name}: left out, it needs {needs}")
        else:
            run()
            rows[name] = timed(run)
    base = rows["ours"]
    for name, (tokens, wall, cpu) in rows.items():
        ratio = (tokens / wall) / (base[0] / base[1])
        print(f"{name}: {tokens / wall:,.0f} tokens/s, {tokens / cpu:,.0f} a CPU second, {ratio:.2f} of ours")
    for name, work in (("thread", in_thread), ("process", in_worker)):
        late = loop_delays(work)
        middle, worst = statistics.median(late), max(late)
        print(f"event loop with the policy in a {name}: median {middle:.2f} ms late, worst {worst:.1f} ms")


if __name__ == "__main__":
    main()
