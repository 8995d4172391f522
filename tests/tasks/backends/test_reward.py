"""Reward models through transformers; the checkpoints are tiny, with random weights, and made here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from schemas.errors import EndpointError, MissingExtraError, UsageError
from schemas.exchange import Request
from tasks.backends import reward as backend
from tasks.backends.reward import Reward, fitting
from tasks.backends.reward_model import TooMuch, digest
from tasks.backends.specs import open_backend

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}"
    "{% if not loop.last or not continue_final_message %}</s>{% endif %}{% endfor %}"
)


def asked(answer="2", question="Name a prime.", **more):
    talk = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Request(model="reward:r", kind="score", **{"messages": talk, **more})


def answers(opened, *requests):
    async def run():
        try:
            return await asyncio.gather(*(opened.answer(request) for request in requests))
        finally:
            await opened.close()

    return asyncio.run(run())


def checkpoint(folder, labels=1, chat=True, head=True, pad=True):
    """Writes a tiny Llama classifier with a byte tokenizer."""
    torch = pytest.importorskip("torch")
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["</s>", "<pad>", *letters]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>" if pad else "</s>"
    )
    fast.chat_template = TEMPLATE if chat else None
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=256, num_labels=labels,
    )  # fmt: skip
    kind = transformers.LlamaForSequenceClassification if head else transformers.LlamaForCausalLM
    kind(config).save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("pad", [True, False], ids=["its own padding", "padded with its end"])
def test_a_score_does_not_depend_on_the_batch(tmp_path, pad):
    path = checkpoint(tmp_path, pad=pad)
    requests = [asked("x" * n) for n in (1, 7, 40, 3, 90, 1)]
    together = answers(Reward(path), *requests)
    alone = [answers(Reward(path), request)[0] for request in requests]
    assert all(reply.error is None for reply in together)
    for one, other in zip(together, alone, strict=True):
        assert one.choices[0].value == pytest.approx(other.choices[0].value, abs=1e-5)
    assert len({round(reply.choices[0].value, 6) for reply in together}) == 5
    assert together[0].prompt_tokens > 0


@pytest.mark.slow
def test_running_out_of_memory_halves_the_batch_and_loses_nothing(tmp_path, monkeypatch, caplog):
    path = checkpoint(tmp_path)
    opened = Reward(path)
    whole = answers(Reward(path), *[asked("x" * n) for n in range(1, 17)])
    sizes = []

    async def limited():
        await opened.start()
        real = type(opened._classifier).__call__

        def few(self, batch):
            sizes.append(len(batch))
            if len(batch) > 3:
                raise TooMuch("CUDA out of memory")
            return real(self, batch)

        monkeypatch.setattr(type(opened._classifier), "__call__", few)

    asyncio.run(limited())
    replies = answers(opened, *[asked("x" * n) for n in range(1, 17)])
    assert [reply.choices[0].value for reply in replies] == pytest.approx(
        [reply.choices[0].value for reply in whole], abs=1e-5
    )
    assert max(sizes) == 16
    assert sum(size for size in sizes if size <= 3) == 16
    assert "batches are halved" in caplog.text


@pytest.mark.slow
def test_an_answer_that_fits_nowhere_is_an_error_and_the_others_are_scored(tmp_path, monkeypatch):
    opened = Reward(checkpoint(tmp_path))

    async def limited():
        await opened.start()
        real = type(opened._classifier).__call__

        def few(self, batch):
            if max(map(len, batch)) > 60:
                raise TooMuch("no")
            return real(self, batch)

        monkeypatch.setattr(type(opened._classifier), "__call__", few)

    asyncio.run(limited())
    long, short = answers(opened, asked("x" * 90), asked("x"))
    assert "do not fit into memory" in long.error
    assert isinstance(short.choices[0].value, float)


@pytest.mark.slow
def test_several_outputs_are_a_list(tmp_path):
    (reply,) = answers(Reward(checkpoint(tmp_path, labels=3)), asked())
    assert len(reply.choices[0].value) == 3


@pytest.mark.slow
def test_a_model_without_a_chat_template_takes_question_and_answer_as_a_pair(tmp_path):
    first, second = answers(Reward(checkpoint(tmp_path, chat=False)), asked("2"), asked("3"))
    assert first.choices[0].value != second.choices[0].value


@pytest.mark.slow
def test_a_prefix_stands_for_an_answer_not_ended_and_a_text_for_itself(tmp_path):
    question = [{"role": "user", "content": "Name a prime."}]
    path = checkpoint(tmp_path)
    ended, begun, text = answers(
        Reward(path), asked("2"), asked(messages=question, prefix="2"), asked(messages=[], text="<|user|>Name")
    )
    assert begun.prompt_tokens < ended.prompt_tokens
    assert begun.choices[0].value != ended.choices[0].value
    assert isinstance(text.choices[0].value, float)


@pytest.mark.slow
def test_what_cannot_be_scored_is_an_error_and_nothing_is_cut(tmp_path):
    question = [{"role": "user", "content": "Name a prime."}]
    opened = Reward(checkpoint(tmp_path))
    long, open_, empty, chat = answers(
        opened, asked("x" * 300), asked(messages=question), asked(messages=[], text=""),
        Request(model="reward:r", messages=question),
    )  # fmt: skip
    assert "from 1 to 256 are allowed" in long.error
    assert "do not end with the assistant's text" in open_.error
    assert "0 tokens" in empty.error
    assert "answers requests of kind 'score'" in chat.error


@pytest.mark.slow
def test_a_checkpoint_without_a_trained_head_is_refused(tmp_path):
    with pytest.raises(EndpointError, match=r"no reward model: the checkpoint lacks score\.weight"):
        answers(Reward(checkpoint(tmp_path, head=False)), asked())


@pytest.mark.slow
def test_the_fingerprint_tells_checkpoints_apart(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    checkpoint(one)
    checkpoint(two, labels=2)
    assert digest(one) == digest(one) != digest(two)
    found = asyncio.run(Reward(str(one)).start())
    assert found["revision"] == digest(one)
    assert found["dtype"] == "torch.float32"


@pytest.mark.slow
def test_no_such_checkpoint_is_said(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(EndpointError, match="nowhere"):
        answers(Reward(str(tmp_path / "nowhere")), asked())


def test_without_transformers_the_install_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[rewards\]'"):
        answers(open_backend("reward:some/model"), asked())


def test_an_unknown_option_is_refused():
    with pytest.raises(UsageError, match="did you mean 'device'"):
        open_backend("reward:some/model?devise=cpu")
    with pytest.raises(UsageError, match="expected reward:MODEL"):
        open_backend("reward:")


@pytest.mark.parametrize(
    ("lengths", "budget", "count"),
    [([1, 1, 1], 10, 3), ([5, 5, 6], 12, 2), ([100], 10, 1), ([1, 100], 150, 1), ([], 10, 1)],
)
def test_a_batch_holds_as_many_of_the_longest_as_fit_when_padded(lengths, budget, count):
    assert fitting(lengths or [1], budget) == count
    assert backend.OPTIONS["device"] == ""


STARVED = """
import asyncio, json, resource, sys
from schemas.exchange import Request
from tasks.backends.reward import Reward

def asked(n):
    talk = [{"role": "user", "content": "Name a prime."}, {"role": "assistant", "content": "x" * n}]
    return Request(model="reward:r", kind="score", messages=talk)

async def main():
    opened = Reward(sys.argv[1], {"batch_tokens": "100000000", "device": "cpu"})
    await opened.answer(asked(1))
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), -1))
    replies = await asyncio.gather(*(opened.answer(asked(n % 200 + 1)) for n in range(2000)))
    await opened.close()
    print(json.dumps([reply.choices[0].value if reply.choices else reply.error for reply in replies]))

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a process's memory is limited by Linux's means")
def test_a_process_that_really_runs_out_of_memory_scores_everything(tmp_path):
    path = checkpoint(tmp_path)
    code = f"import sys; sys.path[:] = {sys.path!r}\n{STARVED}"
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    values = json.loads(ran.stdout)
    assert {type(value) for value in values} == {float}, {value for value in values if isinstance(value, str)}
    assert "batches are halved" in ran.stderr
    assert values[:200] == pytest.approx(values[200:400], abs=1e-4)
