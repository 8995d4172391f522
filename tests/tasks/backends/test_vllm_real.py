"""A real vLLM serves the embedded checkpoint. Slow: each engine takes about a minute to start.

The engine's environment is made by ``./dev vllm`` when it is not there; without an index that fails, loudly.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from flows import plan
from flows.run import run
from schemas.exchange import Request
from storage.store import Store
from tasks.backends import vllm_options, vllm_process
from tasks.backends.embedded import FOLDER, Embedded
from tasks.backends.openai import OpenAI
from tasks.backends.vllm import VLLM
from tasks.backends.vllm_keeper import SOCKET

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PROMPT = [{"role": "user", "content": "3 + 4 * 2"}]


@pytest.fixture(scope="module")
def python():
    """The interpreter that has vLLM."""
    try:
        return vllm_options.interpreter(vllm_options.parse("vllm:m"))
    except vllm_options.MissingEngineError:
        made = subprocess.run(["./dev", "vllm"], cwd=ROOT, capture_output=True, text=True, timeout=3000, check=False)
    if made.returncode:
        pytest.fail(f"vLLM cannot be installed here, so nothing is known about it: {made.stderr[-2000:]}")
    return vllm_options.interpreter(vllm_options.parse("vllm:m"))


@pytest.fixture(scope="module")
def runtime():
    folder = Path(tempfile.mkdtemp(prefix="pw"))
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    yield folder
    tempfile.tempdir = before
    for socket in folder.glob(f"*/*/{SOCKET}"):
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and str(socket.parent).encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGTERM)
    end = time.monotonic() + 30
    while any(folder.glob(f"*/*/{SOCKET}")) and time.monotonic() < end:
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def spec(python, runtime):
    """One engine for all tests of this file: it lingers from one to the next."""
    return f"vllm:{FOLDER}?python={python}&dtype=float32&linger_s=300&window_s=3000&restarts=4&args=--enforce-eager"


def asked(spec, *requests):
    """Returns the replies, asked for at the same time."""

    async def use():
        backend = VLLM(spec)
        try:
            await backend.start()
            return await asyncio.gather(*(backend.answer(request) for request in requests))
        finally:
            await backend.close()

    replies = asyncio.run(use())
    assert [reply.error for reply in replies] == [None] * len(replies)
    return replies


def ask(messages=PROMPT, **fields):
    return Request(model="vllm:m", messages=messages, **{"max_tokens": 64, "seed": 5, **fields})


def test_samples_are_seeded_one_by_one_and_bring_their_log_probabilities(spec):
    four, two, again = asked(
        spec, ask(n=4, logprobs=True, top_logprobs=2), ask(n=2, first=2, logprobs=True), ask(n=4, logprobs=True)
    )
    texts = [choice.text for choice in four.choices]
    assert len(set(texts)) > 1
    assert [choice.text for choice in again.choices] == texts
    assert [(choice.index, choice.text) for choice in two.choices] == list(enumerate(texts))[2:]
    for choice in four.choices:
        assert choice.outcome == "ok"
        assert choice.text.startswith("Step 1: ")
        assert choice.logprob == pytest.approx(sum(token.logprob for token in choice.tokens))
        assert choice.completion_tokens == len(choice.tokens)
        assert all(len(token.top) >= 2 for token in choice.tokens)
    assert four.prompt_tokens > 0


def test_log_probabilities_are_those_of_the_embedded_backend(spec):
    async def embedded():
        backend = Embedded()
        reply = await backend.answer(ask(n=8, logprobs=True))
        text = await backend.score(f"{PROMPT[0]['content']} = 11")
        await backend.close()
        return reply, text

    theirs, text = asyncio.run(embedded())
    given = [
        Request(model="vllm:m", kind="score", messages=[*PROMPT, {"role": "assistant", "content": choice.text}],
                logprobs=True)
        for choice in theirs.choices
    ]  # fmt: skip
    *ours, raw = asked(spec, *given, Request(model="vllm:m", kind="score", text="3 + 4 * 2 = 11", logprobs=True))
    same = 0
    for choice, reply in zip(theirs.choices, ours, strict=True):
        mine = reply.choices[0]
        if [token.text for token in mine.tokens] == [token.text for token in choice.tokens]:
            same += 1  # the rest was sampled in other pieces than the tokenizer cuts the same text into
            assert [t.logprob for t in mine.tokens] == pytest.approx([t.logprob for t in choice.tokens], abs=1e-3)
            assert mine.value == pytest.approx(choice.logprob, abs=1e-3)
    assert same >= 4
    assert [token.logprob for token in raw.choices[0].tokens] == pytest.approx([t.logprob for t in text], abs=1e-3)


def test_a_sampled_answer_scores_what_it_was_sampled_with(spec):
    (sampled,) = asked(spec, ask(n=4, logprobs=True))
    talks = [[*PROMPT, {"role": "assistant", "content": choice.text}] for choice in sampled.choices]
    scored = asked(spec, *(Request(model="vllm:m", kind="score", messages=talk) for talk in talks))
    same = [
        reply.choices[0].value == pytest.approx(choice.logprob, abs=1e-3)
        for choice, reply in zip(sampled.choices, scored, strict=True)
    ]
    assert sum(same) >= 2  # one that was sampled in other pieces than the tokenizer cuts its text into is another


def test_an_endpoint_scores_given_text_by_every_way_it_has_as_the_managed_engine_does(spec):
    talk = [*PROMPT, {"role": "assistant", "content": "Step 1: 4 * 2 = 8\nStep 2: 3 + 8 = 11\nAnswer: 11"}]
    given = [
        Request(model="m", kind="score", messages=talk, logprobs=True),
        Request(model="m", kind="score", messages=PROMPT, prefix="Step 1: 4 * 2 = 8\n", logprobs=True),
        Request(model="m", kind="score", text="3 + 4 * 2 = 11", logprobs=True),
    ]

    async def at_its_url():
        async with opened_at(spec) as url:
            routes, plain = OpenAI(f"openai:{url}:policy"), OpenAI(f"openai:{url}:policy")
            plain.scores._found = True  # as where only what is below /v1 can be reached
            try:
                return [[await backend.answer(request) for request in given] for backend in (routes, plain)]
            finally:
                await routes.close()
                await plain.close()

    expected = asked(spec, *given)
    for replies in asyncio.run(at_its_url()):
        assert [reply.error for reply in replies] == [None] * 3
        for reply, other in zip(replies, expected, strict=True):
            assert reply.choices[0].value == pytest.approx(other.choices[0].value, abs=1e-3)
            assert len(reply.choices[0].tokens) == len(other.choices[0].tokens)


@contextlib.asynccontextmanager
async def opened_at(spec):
    """The base URL of a managed engine, while somebody holds it."""
    backend = VLLM(spec)
    try:
        await backend.start()
        yield backend._urls[0]
    finally:
        await backend.close()


def test_a_prefix_is_continued_and_not_repeated(spec):
    whole, rest = asked(spec, ask(temperature=0.0), ask(temperature=0.0, prefix="Step 1: 4 * 2 = 8\n"))
    assert whole.text == "Step 1: 4 * 2 = 8\n" + rest.text


@pytest.mark.parametrize("kind", ["chat", "complete"])
def test_a_limit_beyond_the_context_gives_what_fits(spec, kind):
    request = ask(max_tokens=100_000, temperature=0.0)
    if kind == "complete":
        request = Request(model="vllm:m", kind="complete", text="1 + 1", max_tokens=100_000, temperature=0.0)
    (reply,) = asked(spec, request)
    assert reply.choices[0].completion_tokens > 0
    assert reply.outcome in ("ok", "truncated")


def test_an_answer_follows_its_schema(spec):
    schema = {
        "type": "object", "properties": {"winner": {"enum": ["A", "B"]}}, "required": ["winner"],
        "additionalProperties": False,
    }  # fmt: skip
    shape = {"whitespace_pattern": "", "disable_any_whitespace": True}
    replies = asked(spec, *(ask(schema={"enum": ["yes", "no"]}, seed=seed) for seed in range(8)))
    assert {json.loads(reply.text) for reply in replies} <= {"yes", "no"}
    (verdict,) = asked(
        spec, ask(schema=schema, max_tokens=400, extra={"structured_outputs": {"json": schema, **shape}})
    )
    assert verdict.outcome in ("ok", "truncated")


def _prompts(folder, count):
    file = folder / "prompts.jsonl"
    lines = [orjson.dumps({"prompt": f"{i % 40 + 3} + {i % 7 + 2} * {i % 9 + 1}"}) for i in range(count)]
    file.write_bytes(b"\n".join(dict.fromkeys(lines)))
    return file


def _ran(recipe, spec, judge, root, file, kill=False):
    """Returns the result of a run, and what it left; ``kill`` ends the engine once some answers are there."""
    made = plan.make(plan.Request(recipe=recipe, prompts=file, policy=spec, judge=judge))
    over = threading.Event()

    @contextlib.contextmanager
    def watch(driver, _counts):
        def murder():
            while driver.tally.answered < 40 and not over.is_set():
                time.sleep(0.01)
            (backend,) = (b for b in made.backends.values() if isinstance(b, VLLM))
            os.kill(backend._lease.state.groups[0], signal.SIGKILL)

        thread = threading.Thread(target=murder)
        if kill:
            thread.start()
        yield
        over.set()
        if kill:
            thread.join()

    result = run(made, str(root), watch=watch)
    completions = Store.open(str(root)).read("completions").collect()
    return result, completions.with_columns(text=pl.col("messages").list.get(0).struct.field("content"))


def test_a_killed_engine_costs_rs_dpo_a_restart_and_no_answer(spec, tmp_path, serve_engine, caplog):
    judge = f"openai:{serve_engine().url}:judge-score"
    file = _prompts(tmp_path, 120)
    calm, calmly = _ran("rs-dpo", spec, judge, tmp_path / "calm", file)
    caplog.clear()
    result, answers = _ran("rs-dpo", spec, judge, tmp_path / "killed", file, kill=True)
    assert "was ended by SIGKILL" in caplog.text
    assert (result.status, result.calls["failed"]) == ("done", 0)
    assert answers.height == calmly.height == 16 * len(file.read_bytes().splitlines())
    assert result.rows["completions"] == answers.height
    assert result.rows["preferences"] > 0
    key = ["prompt_id", "sample_index"]
    both = calmly.select(*key, "text").join(answers.select(*key, again="text"), on=key, validate="1:1")
    assert both.height == answers.height
    same = (both["text"] == both["again"]).mean()
    assert same > 0.99  # one token in many thousands may tip over: sums depend on who else is in the batch
    if same == 1.0:
        assert result.digest == calm.digest


def test_oaif_completes(spec, tmp_path, serve_engine):
    judge = f"openai:{serve_engine().url}:judge-pair"
    result, answers = _ran("oaif", spec, judge, tmp_path / "lake", _prompts(tmp_path, 40))
    assert (result.status, result.calls["failed"]) == ("done", 0)
    assert answers.height == 2 * answers["prompt_id"].n_unique()


USER = """
import asyncio, sys
from tasks.backends.openai import OpenAI
from tasks.backends.vllm import VLLM
async def main():
    backend = VLLM(sys.argv[1])
    await backend.start()
    print(*backend._lease.state.groups, flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""


def test_an_engine_ends_with_all_its_processes_when_its_user_is_killed(python, runtime):
    user = subprocess.Popen(
        [sys.executable, "-P", "-c", USER, f"vllm:{FOLDER}?python={python}&args=--enforce-eager"],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(runtime)},
    )  # fmt: skip
    group = int(user.stdout.readline())
    assert vllm_process.alive(group)
    user.kill()
    user.communicate()
    end = time.monotonic() + 30
    while vllm_process.alive(group) and time.monotonic() < end:
        time.sleep(0.1)
    assert not vllm_process.alive(group)


REWARDS = """
import sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
for answer in sys.argv[2:]:
    talk = [{"role": "user", "content": "3 + 4 * 2"}, {"role": "assistant", "content": answer}]
    text = tokenizer.apply_chat_template(talk, tokenize=False)
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    print(model(ids).logits[0, 0].item())
"""


def test_a_reward_model_scores_as_transformers_does(python, runtime, tmp_path):
    folder = tmp_path / "rewards"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["LlamaForSequenceClassification"], "num_labels": 1, "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(folder / "model.safetensors")
    draw = np.random.default_rng(0)
    weights["score.weight"] = draw.normal(size=(1, config["hidden_size"])).astype(np.float16)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    answers = ["Step 1: 4 * 2 = 8\nStep 2: 3 + 8 = 11\nAnswer: 11", "Answer: 12", "1"]
    told = subprocess.run(
        [python, "-c", REWARDS, str(folder), *answers], capture_output=True, text=True, check=True, timeout=300
    )
    talks = [[*PROMPT, {"role": "assistant", "content": answer}] for answer in answers]
    own = f"vllm:{folder}?python={python}&dtype=float32&linger_s=60&args=--enforce-eager"
    given = [Request(model="vllm:m", kind="score", messages=talk) for talk in talks]
    replies = asked(own, *given)
    expected = [float(line) for line in told.stdout.split()]
    assert [reply.choices[0].value for reply in replies] == pytest.approx(expected, abs=1e-3)

    async def at_its_url():
        async with opened_at(own) as url:
            backend = OpenAI(f"openai:{url}:policy")
            try:
                return [await backend.answer(request) for request in given]
            finally:
                await backend.close()

    assert [reply.choices[0].value for reply in asyncio.run(at_its_url())] == pytest.approx(expected, abs=1e-3)


INSIDE = """
import asyncio, sys, json
from schemas.exchange import Request
from tasks.backends.openai import OpenAI
from tasks.backends.vllm import VLLM
async def main():
    backend = VLLM(sys.argv[1])
    told = await backend.start()
    talk = [{"role": "user", "content": "3 + 4 * 2"}]
    replies = await asyncio.gather(*(
        backend.answer(Request(model="m", messages=talk, n=4, seed=seed, max_tokens=64, logprobs=True))
        for seed in (5, 6)
    ))
    await backend.close()
    choices = [[(choice.text, choice.logprob) for choice in reply.choices] for reply in replies]
    print(json.dumps([told, choices]))
if __name__ == "__main__":
    asyncio.run(main())
"""


def test_inside_a_process_it_answers_as_the_server_does(python, spec, tmp_path):
    script = tmp_path / "inside.py"
    script.write_text(INSIDE)
    told = subprocess.run(
        [python, str(script), f"vllm:{FOLDER}?inside=1&dtype=float32&args=--enforce-eager"], check=True, timeout=600,
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    fingerprint, inside = json.loads(told.stdout.splitlines()[-1])
    served = asked(spec, ask(n=4, logprobs=True), ask(n=4, logprobs=True, seed=6))
    for mine, reply in zip(inside, served, strict=True):
        assert [text for text, _ in mine] == [choice.text for choice in reply.choices]
        assert [logprob for _, logprob in mine] == pytest.approx([c.logprob for c in reply.choices], abs=1e-3)
    assert (fingerprint["dtype"], fingerprint["revision"]) == ("float32", served[0].fingerprint.partition("@")[2])
