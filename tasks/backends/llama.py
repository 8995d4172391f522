"""A Llama in NumPy whose every number is the same whatever else is in the batch.

Source: Touvron et al., arXiv:2302.13971 (architecture); grouped-query attention: Ainslie et al., arXiv:2305.13245.

Floating-point sums depend on their order, and a matrix product's order depends on the shape of the batch. So that a
sample depends on its own request alone, every sum here is exact, and then order cannot matter: what goes into a sum is
first rounded to a fixed step (``_round``), so coarse that all partial sums fit the 53 bits of a double, so fine (2^-18)
that log-probabilities stay within about 1e-4 of an engine that computes in single precision. All else is elementwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FACTOR, WEIGHT, SQUARE = 18, 18, 14
"""Steps are 2^-18 for both factors of a product, whose sum may then reach 2^17 = 131,072, and 2^-14 for the squares
of the residual stream, whose sum may reach 2^25. The shipped model stays below 2^10 and 2^14."""
SHARE = 20
"""Attention weights are rounded to 2^-20 before they are normalised; the largest is 1."""
MASS = 40
"""Probabilities are rounded to 2^-40 before they are summed: up to 8,192 tokens sum exactly."""


def _round(values: Floats, bits: int) -> Floats:
    """Returns the values rounded, in place, to multiples of 2^-bits: adding 1.5 * 2^(52 - bits) leaves none below."""
    magic = 1.5 * 2.0 ** (52 - bits)
    values += magic
    values -= magic
    return values


class Cache(NamedTuple):
    """Keys and values, each of the shape (layer, row, head, position, width)."""

    keys: Floats
    values: Floats


class _Layer(NamedTuple):
    norm_in: Floats
    qkv: Floats
    out: Floats
    norm_mlp: Floats
    gate_up: Floats
    down: Floats


class Llama:
    """A Llama checkpoint in a folder: ``config.json`` and ``model.safetensors``.

    Attributes:
        context: the longest text, in tokens. ends: ids of the tokens that end an answer.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file

        config = orjson.loads((folder / "config.json").read_bytes())
        weights = load_file(folder / "model.safetensors")
        _check(config)
        self.heads: int = config["num_attention_heads"]
        self.groups: int = config.get("num_key_value_heads") or self.heads
        self.width: int = config.get("head_dim") or config["hidden_size"] // self.heads
        self.epsilon: float = config["rms_norm_eps"]
        self.context: int = config["max_position_embeddings"]
        self.ends = _ends(folder, config)
        self.embedding = _round(weights["model.embed_tokens.weight"].astype(np.float64), WEIGHT)
        head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
        self.head = _matrix(head)
        self.norm = weights["model.norm.weight"].astype(np.float64)
        self.layers = [_layer(weights, i) for i in range(config["num_hidden_layers"])]
        rope = config.get("rope_parameters") or {}
        theta = rope.get("rope_theta") or config.get("rope_theta") or 10000.0
        half = np.arange(self.width // 2)
        angles = np.arange(self.context)[:, None] * theta ** (-2.0 * half / self.width)
        self.cosine, self.sine = np.cos(angles), np.sin(angles)

    def cache(self, rows: int, positions: int) -> Cache:
        """Returns room for so many rows and positions."""
        shape = (len(self.layers), rows, self.groups, positions, self.width)
        return Cache(np.zeros(shape), np.zeros(shape))

    def forward(self, ids: Ints, start: Ints, cache: Cache) -> Floats:
        """Returns the last hidden states (row, new token, hidden) and notes keys and values in the cache.

        Args:
            ids: new tokens, (row, new token). start: the position of each row's first new token; what stands at later
                positions of the cache is overwritten or never looked at.
        """
        rows, new = ids.shape
        at = start[:, None] + np.arange(new)
        seen = int(start.max()) + new
        hidden = self.embedding[ids].reshape(rows * new, -1)
        unseen = np.where(np.arange(seen) > at[:, :, None], -np.inf, 0.0)[:, None, None]
        turn = self.cosine[at][:, :, None], self.sine[at][:, :, None]
        place = (np.arange(rows)[:, None], slice(None), at)
        for i, layer in enumerate(self.layers):
            qkv = (self._norm(hidden, layer.norm_in) @ layer.qkv).reshape(rows, new, -1, self.width)
            query, key, value = np.split(qkv, (self.heads, self.heads + self.groups), axis=2)
            keys, values = cache.keys[i], cache.values[i]
            keys[place] = _round(_rotate(key, *turn), FACTOR)
            values[place] = _round(value, FACTOR)
            mixed = self._attend(_rotate(query, *turn), keys[:rows, :, :seen], values[:rows, :, :seen], unseen)
            hidden = hidden + mixed.reshape(rows * new, -1) @ layer.out
            gate, up = np.split(self._norm(hidden, layer.norm_mlp) @ layer.gate_up, 2, axis=1)
            hidden = hidden + _round(gate / (1.0 + np.exp(-gate)) * up, FACTOR) @ layer.down
        return hidden.reshape(rows, new, -1)

    def logits(self, hidden: Floats) -> Floats:
        """Returns the logits over the vocabulary of hidden states (row, hidden)."""
        return self._norm(hidden, self.norm) @ self.head

    def _norm(self, hidden: Floats, gain: Floats) -> Floats:
        squares = np.square(_round(hidden.copy(), SQUARE)).sum(axis=1, keepdims=True)
        return _round(hidden / np.sqrt(squares / hidden.shape[1] + self.epsilon) * gain, FACTOR)

    def _attend(self, query: Floats, keys: Floats, values: Floats, unseen: Floats) -> Floats:
        rows, new, _, width = query.shape
        share = self.heads // self.groups
        query = _round(query * width**-0.5, FACTOR).reshape(rows, new, self.groups, share, width)
        query = query.transpose(0, 2, 3, 1, 4).reshape(rows, self.groups, share * new, width)
        scores = (query @ keys.swapaxes(2, 3)).reshape(rows, self.groups, share, new, -1) + unseen
        scores -= scores.max(axis=-1, keepdims=True)
        shares = _round(np.exp(scores, out=scores), SHARE)
        mixed = shares.reshape(rows, self.groups, share * new, -1) @ values
        mixed = mixed.reshape(rows, self.groups, share, new, width) / shares.sum(axis=-1, keepdims=True)
        return _round(mixed.transpose(0, 3, 1, 2, 4).reshape(rows, new, -1), FACTOR)


def log_softmax(logits: Floats) -> Floats:
    """Returns log-probabilities over the last axis, the sum within taken exactly."""
    shifted: Floats = logits - logits.max(axis=-1, keepdims=True)
    total: Floats = np.log(_round(np.exp(shifted), MASS).sum(axis=-1, keepdims=True))
    return shifted - total


def masses(logits: Floats, temperature: Floats) -> Floats:
    """Returns unnormalised probabilities (row, token) at each row's temperature, the largest 1; they sum exactly."""
    shifted = (logits - logits.max(axis=-1, keepdims=True)) / temperature[:, None]
    return _round(np.exp(shifted, out=shifted), MASS)


def _rotate(vectors: Floats, cosine: Floats, sine: Floats) -> Floats:
    first, second = np.split(vectors, 2, axis=-1)
    return np.concatenate((first * cosine - second * sine, second * cosine + first * sine), axis=-1)


def _matrix(*weights: NDArray[Any]) -> Floats:
    return _round(np.concatenate([w.astype(np.float64).T for w in weights], axis=1), WEIGHT)


def _layer(weights: Mapping[str, NDArray[Any]], i: int) -> _Layer:
    def get(name: str) -> NDArray[Any]:
        return weights[f"model.layers.{i}.{name}.weight"]

    return _Layer(
        get("input_layernorm").astype(np.float64),
        _matrix(get("self_attn.q_proj"), get("self_attn.k_proj"), get("self_attn.v_proj")),
        _matrix(get("self_attn.o_proj")),
        get("post_attention_layernorm").astype(np.float64),
        _matrix(get("mlp.gate_proj"), get("mlp.up_proj")),
        _matrix(get("mlp.down_proj")),
    )


def _check(config: Mapping[str, Any]) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    wanted = {
        "model_type": (config.get("model_type"), "llama"), "hidden_act": (config.get("hidden_act"), "silu"),
        "rope type": (kind, "default"), "attention_bias": (bool(config.get("attention_bias")), False),
        "mlp_bias": (bool(config.get("mlp_bias")), False),
    }  # fmt: skip
    for name, (found, expected) in wanted.items():
        if found != expected:
            raise ValueError(f"config.json: {name} is {found!r}; only {expected!r} is built in, use vLLM for others")


def _ends(folder: Path, config: Mapping[str, Any]) -> frozenset[int]:
    extra = folder / "generation_config.json"
    found = orjson.loads(extra.read_bytes()).get("eos_token_id") if extra.exists() else None
    found = config.get("eos_token_id") if found is None else found
    return frozenset(found if isinstance(found, list) else [] if found is None else [found])
