from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file, save_file
from threadpoolctl import threadpool_limits

from tasks.backends.batch import Batch, Text
from tasks.backends.embedded import FOLDER
from tasks.backends.llama import Llama, log_softmax

GOLDEN: dict[str, Any] = orjson.loads((Path(__file__).parent / "golden_embedded.json").read_bytes())
"""Greedy answers and log-probabilities of the shipped checkpoint, computed by transformers in single precision."""


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Two threads that share busy cores with others are many times slower than one."""
    with threadpool_limits(1):
        yield


def logits(model: Llama, ids: list[int]) -> Any:
    return model.logits(model.forward(np.array([ids]), np.zeros(1, int), model.cache(1, len(ids)))[0])


@pytest.mark.parametrize("prompt", sorted(GOLDEN))
def test_texts_and_log_probabilities_agree_with_transformers(prompt: str) -> None:
    golden = GOLDEN[prompt]
    at = Batch(FOLDER, rows=2)
    text = f"<|user|>{prompt}<|end|><|assistant|>"
    assert at.text.ids(text + golden["text"] + "<|end|>") == golden["ids"]
    scored = at.score(text + golden["text"] + "<|end|>")
    assert [at for _, at in scored] == pytest.approx(golden["logprobs"], abs=3e-4)
    hidden = logits(at.model, golden["ids"])
    start = len(at.text.ids(text))
    assert hidden[start - 1 : -1].argmax(axis=1).tolist() == golden["ids"][start:]


@pytest.mark.slow
def test_transformers_still_computes_the_golden_numbers() -> None:
    why = "not installed: pip install -e '.[train]' to compare with the original"
    torch = pytest.importorskip("torch", reason=f"torch is {why}")
    transformers: Any = pytest.importorskip("transformers", reason=f"transformers is {why}")
    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    model = transformers.AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    for prompt, golden in GOLDEN.items():
        messages = [{"role": "user", "content": prompt}]
        rendered = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(rendered)["input_ids"]
        asked = {"kind": "chat", "messages": messages, "prefix": None}
        assert ids == Text(FOLDER).prompt(asked)
        with torch.inference_mode():
            made = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=96)[0]
            logprobs = torch.log_softmax(model(made[None]).logits[0].double(), dim=-1)
        assert made.tolist() == golden["ids"]
        found = [logprobs[i, token].item() for i, token in enumerate(made.tolist()[1:])]
        assert found == pytest.approx(golden["logprobs"], abs=1e-4)


def test_one_pass_over_a_text_equals_token_after_token() -> None:
    model = Llama(FOLDER)
    ids = np.random.default_rng(0).integers(5, 290, 60)
    whole = logits(model, ids.tolist())
    cache = model.cache(1, 60)
    for at, token in enumerate(ids):
        hidden = model.forward(np.array([[token]]), np.array([at]), cache)
        assert np.array_equal(model.logits(hidden[0])[0], whole[at])


def test_a_row_is_the_same_to_the_last_bit_in_every_batch() -> None:
    model, rng = Llama(FOLDER), np.random.default_rng(1)
    texts = [rng.integers(5, 290, rng.integers(1, 70)) for _ in range(70)]
    alone = [logits(model, text.tolist())[-1] for text in texts]
    for rows in (2, 3, 17, 64, 70):
        chosen = rng.permutation(70)[:rows]
        ids = np.zeros((rows, max(len(texts[i]) for i in chosen)), dtype=np.int64)
        for row, i in enumerate(chosen):
            ids[row, : len(texts[i])] = texts[i]
        hidden = model.forward(ids, np.zeros(rows, int), model.cache(rows, ids.shape[1] + rows))
        last = model.logits(hidden[np.arange(rows), [len(texts[i]) - 1 for i in chosen]])
        assert all(np.array_equal(last[row], alone[i]) for row, i in enumerate(chosen))


def test_sums_are_exact_so_the_order_of_their_terms_does_not_matter(tmp_path: Path) -> None:
    """Shuffles what every product sums over; a single rounding anywhere would show in the last bits."""
    rng, weights = np.random.default_rng(2), load_file(FOLDER / "model.safetensors")
    hidden, inner = rng.permutation(128), rng.permutation(256)
    for name, value in weights.items():
        if name.endswith(("down_proj.weight",)):
            value = value[:, inner]
        if name.endswith(("gate_proj.weight", "up_proj.weight")):
            value = value[inner]
        if name.endswith(("o_proj.weight", "down_proj.weight")) or value.ndim == 1:
            value = value[hidden]
        else:
            value = value[:, hidden]
        weights[name] = np.ascontiguousarray(value)
    shuffled = tmp_path / "shuffled"
    shutil.copytree(FOLDER, shuffled)
    save_file(weights, shuffled / "model.safetensors")
    texts = [rng.integers(5, 290, 80).tolist() for _ in range(12)]
    texts += [golden["ids"] for golden in GOLDEN.values()]
    one, other = Llama(FOLDER), Llama(shuffled)
    for text in texts:
        assert np.array_equal(logits(one, text), logits(other, text))


def test_probabilities_sum_to_one() -> None:
    found = np.exp(log_softmax(np.random.default_rng(0).normal(size=(50, 290)) * 9)).sum(axis=1)
    assert found == pytest.approx(1.0, abs=1e-9)


def test_grouped_heads_equal_their_repetition(tmp_path: Path) -> None:
    """Two key heads shared by four query heads are the same as each key head written twice."""
    weights, config = load_file(FOLDER / "model.safetensors"), orjson.loads((FOLDER / "config.json").read_bytes())
    grouped, repeated = dict(weights), dict(weights)
    for name, value in weights.items():
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            heads = value.reshape(4, 32, 128)[:2]
            grouped[name] = np.ascontiguousarray(heads.reshape(64, 128))
            repeated[name] = np.ascontiguousarray(np.repeat(heads, 2, axis=0).reshape(128, 128))
    models = []
    for folder, changed, count in (("grouped", grouped, 2), ("repeated", repeated, 4)):
        shutil.copytree(FOLDER, tmp_path / folder)
        save_file(changed, tmp_path / folder / "model.safetensors")
        (tmp_path / folder / "config.json").write_bytes(orjson.dumps(config | {"num_key_value_heads": count}))
        models.append(Llama(tmp_path / folder))
    ids = np.random.default_rng(3).integers(5, 290, 50).tolist()
    assert np.array_equal(logits(models[0], ids), logits(models[1], ids))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"model_type": "qwen2"}, id="another architecture"),
        pytest.param({"attention_bias": True}, id="biases"),
        pytest.param({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, id="scaled positions"),
        pytest.param({"hidden_act": "gelu"}, id="another activation"),
    ],
)
def test_a_checkpoint_that_is_not_built_in_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    shutil.copytree(FOLDER, tmp_path / "other")
    config = orjson.loads((FOLDER / "config.json").read_bytes())
    (tmp_path / "other" / "config.json").write_bytes(orjson.dumps(config | changes))
    with pytest.raises(ValueError, match=r"config.json: .* is built in"):
        Llama(tmp_path / "other")
