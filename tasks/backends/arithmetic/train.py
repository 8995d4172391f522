"""Trains the embedded policy: a Llama of 0.7 million parameters that works out arithmetic step by step.

    pip install -e '.[train]'
    python -m tasks.backends.arithmetic.train FOLDER

Five minutes on one core. The same versions of torch, tokenizers and transformers give the same files; the model is
stopped while it still errs in a third of its samples at temperature 1, because a policy that is always right teaches
a preference learner nothing.
"""

# mypy: ignore-errors
# (torch is no dependency of the core, and half of what is called here has no types)
from __future__ import annotations

import argparse
import copy
import json
import logging
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from tasks.backends.batch import Batch
from tasks.sources.arithmetic import answer, expressions, question, solution

STEPS, BATCH, WARM_UP, SEED = 1600, 32, 50, 20
MATRIX_RATE, OTHER_RATE = 0.02, 3e-3
DRILLS = 0.5
LEFT, RIGHT = ((0, 9), (1, 49), (-60, 120)), (9, 49, 108)
"""Ranges of a drill's numbers: small ones teach the units, large ones the carry."""
ENOUGH = 0.66
"""Training ends when this share of samples at temperature 1 is right, on problems made for training."""
IGNORE = -100
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + (message['content'] or '') + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SYSTEM = "You are a careful calculator."
PHRASINGS = ("{}", "Compute {}.", "Calculate {} step by step.", "{} = ?")
"""Other ways to ask, in a fifth of the rows, so that the policy is not lost on a prompt that is not our own."""

logger = logging.getLogger("train")


def make_tokenizer() -> Tokenizer:
    """Returns a byte-complete BPE of at most 320 tokens; a digit is always a token, a line break too."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("\n"), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())
    )
    some = expressions(2000, SEED)
    tokenizer.train_from_iterator([question(e) + "\n" + solution(e) for e in some], trainer)
    return tokenizer


def rows(tokenizer: Tokenizer) -> Iterator[tuple[list[int], list[int]]]:
    """Yields token ids and labels of problems and drills by turns; expressions of the test split never occur.

    A quarter of the solutions is cut anywhere and its halves are encoded apart, so that the policy can continue a
    prefix that ends within what would have been one token.
    """
    draw = random.Random(SEED)
    for expression in expressions(STEPS * BATCH, SEED):
        if draw.random() < DRILLS:
            yield drill(tokenizer, draw)
            continue
        asked = question(expression) if draw.random() < 0.8 else draw.choice(PHRASINGS).format(expression)
        system = f"<|system|>{SYSTEM}<|end|>" if draw.random() < 0.1 else ""
        text = solution(expression)
        cut = draw.randrange(len(text)) if draw.random() < 0.25 else 0
        prompt = tokenizer.encode(f"{system}<|user|>{asked}<|end|><|assistant|>").ids
        made = tokenizer.encode(text[:cut]).ids + tokenizer.encode(text[cut:] + "<|end|>").ids
        yield prompt + made, [IGNORE] * len(prompt) + made


def drill(tokenizer: Tokenizer, draw: random.Random) -> tuple[list[int], list[int]]:
    """Returns sums and differences in a row; only their results count.

    A problem has three results among fifty tokens, a drill seven: the model learns to carry in half the time.
    """
    ids: list[int] = []
    labels: list[int] = []
    for _ in range(7):
        left, right = draw.randint(*draw.choice(LEFT)), draw.randint(1, draw.choice(RIGHT))
        symbol = draw.choice("+-")
        asked, result = f"{left} {symbol} {right} = ", left + right if symbol == "+" else left - right
        line = tokenizer.encode(f"{asked}{result}\n").ids
        known = len(tokenizer.encode(asked).ids)
        ids += line
        labels += [IGNORE] * known + line[known:]
    return ids, labels


def train(tokenizer: Tokenizer, folder: Path) -> None:
    """Trains until the model saved in the folder is good enough; the loss counts solutions and results alone."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # two threads that must share two busy cores are twenty times slower
    torch.use_deterministic_algorithms(True)
    model = LlamaForCausalLM(config(tokenizer))
    logger.info("%d parameters, %d tokens", sum(p.numel() for p in model.parameters()), tokenizer.get_vocab_size())
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers = (
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.01),
        torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    )
    rates = [torch.optim.lr_scheduler.LambdaLR(optimizer, rate) for optimizer in optimizers]
    stream, recent = rows(tokenizer), 0.0
    for step in range(STEPS):
        ids, labels = batch([next(stream) for _ in range(BATCH)])
        loss = model(input_ids=ids, labels=labels).loss
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for part in (*optimizers, *rates):
            part.step()
        recent += loss.item() / 50
        if step % 50 == 49:
            logger.info("step %d, loss %.4f, %.0f CPU seconds", step + 1, recent, time.process_time())
            if recent < 0.1:  # before, it is not worth looking
                save(model, tokenizer, folder)
                right = accuracy(folder, 1.0, 1000, "train")
                logger.info("%.1f %% right at temperature 1", 100 * right)
                if right >= ENOUGH:
                    return
            recent = 0.0


def rate(step: int) -> float:
    """Returns the share of the peak learning rate: up in a straight line, then down."""
    return min((step + 1) / WARM_UP, 1 - 0.98 * max(0, step - WARM_UP) / (STEPS - WARM_UP))


def batch(chosen: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns ids and labels, padded on the right; a causal model never looks there."""
    longest = max(len(ids) for ids, _ in chosen)
    padded = [(ids + [0] * (longest - len(ids)), labels + [IGNORE] * (longest - len(ids))) for ids, labels in chosen]
    return torch.tensor([ids for ids, _ in padded]), torch.tensor([labels for _, labels in padded])


def config(tokenizer: Tokenizer) -> LlamaConfig:
    """Returns the shape of the model."""
    return LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=128, intermediate_size=256, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, rms_norm_eps=1e-5,
        tie_word_embeddings=True, initializer_range=0.08, bos_token_id=None, eos_token_id=1, pad_token_id=0,
        dtype="float16",
    )  # fmt: skip


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the checkpoint in half precision, with its tokenizer and chat template."""
    half = copy.deepcopy(model).half().eval()
    half.generation_config.update(eos_token_id=1, pad_token_id=0, max_new_tokens=256)
    half.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    settings = {  # by hand: what transformers 5 writes, transformers 4 cannot read
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|pad|>",
        "additional_special_tokens": SPECIAL[2:], "model_max_length": 512, "clean_up_tokenization_spaces": False,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def accuracy(folder: Path, temperature: float, count: int, split: str) -> float:
    """Returns how often the saved model's answer to a problem is right."""
    sampler, replies = Batch(folder), {}
    for expression in expressions(count, SEED + 1, split=split):
        asked = {
            "kind": "chat", "messages": [{"role": "user", "content": question(expression)}], "prefix": None, "n": 1,
            "first": 0, "temperature": temperature, "top_p": 1.0, "max_tokens": 96, "stop": (), "seed": SEED,
            "logprobs": False, "top_logprobs": 0, "extra": {}, "tools": (),
        }  # fmt: skip
        sampler.ask(asked, partial(replies.__setitem__, expression))
    while sampler.busy:
        sampler.step()
    return sum(r["choices"][0]["text"].endswith(f"Answer: {answer(e)}") for e, r in replies.items()) / count


def main() -> None:
    """Trains, saves, and says how often the saved model is right on problems held back."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description="Trains the embedded policy.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    train(make_tokenizer(), folder)
    for temperature in (0.0, 0.7, 1.0):
        right = accuracy(folder, temperature, 1000, "test")
        logger.info("temperature %.1f: %.1f %% right", temperature, 100 * right)


if __name__ == "__main__":
    main()
