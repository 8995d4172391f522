"""The embedded policy's decoding step as an ONNX graph in single precision, for ``benchmarks.embedded_policy`` only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

LAYERS, HEADS, WIDTH, HIDDEN, CONTEXT = 4, 4, 32, 128, 512
Array = NDArray[Any]


class Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Array) -> str:
        """Returns the name of a new constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind: str, *inputs: str | Array, **attributes: Any) -> str:
        """Returns the name of what a new node computes."""
        name = f"n{len(self.nodes)}"
        given = [self.constant(x) if isinstance(x, np.ndarray) else x for x in inputs]
        self.nodes.append(helper.make_node(kind, given, [name], **attributes))
        return name

    def norm(self, hidden: str, gain: Array) -> str:
        """Returns the root-mean-square norm."""
        mean = self.op("ReduceMean", self.op("Mul", hidden, hidden), np.array([-1]), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, np.float32(1e-5).reshape(1)))
        return self.op("Mul", self.op("Div", hidden, root), gain)

    def heads(self, hidden: str) -> str:
        """Returns (row, head, 1, width) of (row, hidden)."""
        split = self.op("Reshape", hidden, np.array([-1, 1, HEADS, WIDTH]))
        return self.op("Transpose", split, perm=[0, 2, 1, 3])

    def rotate(self, vectors: str) -> str:
        """Returns the vectors turned by their position."""
        half = WIDTH // 2
        first = self.op("Slice", vectors, np.array([0]), np.array([half]), np.array([3]))
        second = self.op("Slice", vectors, np.array([half]), np.array([WIDTH]), np.array([3]))
        turned = self.op("Concat", self.op("Neg", second), first, axis=3)
        return self.op("Add", self.op("Mul", vectors, "cosine"), self.op("Mul", turned, "sine"))


def model(folder: Path) -> bytes:
    """Returns the graph: ids, cosine, sine, mask, keys and values in; logits, new keys and new values out."""
    weights = {name: value.astype(np.float32) for name, value in load_file(folder / "model.safetensors").items()}
    g = Graph()
    embedding = weights["model.embed_tokens.weight"]
    hidden = g.op("Squeeze", g.op("Gather", embedding, "ids"), np.array([1]))
    new_keys, new_values = [], []
    for i in range(LAYERS):

        def get(name: str, i: int = i) -> Array:
            return weights[f"model.layers.{i}.{name}.weight"]

        normed = g.norm(hidden, get("input_layernorm"))
        query, key, value = (
            g.heads(g.op("MatMul", normed, np.ascontiguousarray(get(f"self_attn.{p}_proj").T))) for p in "qkv"
        )
        query, key = g.op("Mul", g.rotate(query), np.float32(WIDTH**-0.5).reshape(1)), g.rotate(key)
        new_keys.append(g.op("Unsqueeze", key, np.array([0])))
        new_values.append(g.op("Unsqueeze", value, np.array([0])))
        past = [g.op("Squeeze", g.op("Gather", part, np.array([i])), np.array([0])) for part in ("keys", "values")]
        seen = g.op("Concat", past[0], key, axis=2)
        scores = g.op("MatMul", query, g.op("Transpose", seen, perm=[0, 1, 3, 2]))
        shares = g.op("Softmax", g.op("Add", scores, "mask"), axis=-1)
        mixed = g.op("Transpose", g.op("MatMul", shares, g.op("Concat", past[1], value, axis=2)), perm=[0, 2, 1, 3])
        out = g.op("Reshape", mixed, np.array([-1, HIDDEN]))
        hidden = g.op("Add", hidden, g.op("MatMul", out, np.ascontiguousarray(get("self_attn.o_proj").T)))
        normed = g.norm(hidden, get("post_attention_layernorm"))
        gate, up = (g.op("MatMul", normed, np.ascontiguousarray(get(f"mlp.{p}_proj").T)) for p in ("gate", "up"))
        inner = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), up)
        hidden = g.op("Add", hidden, g.op("MatMul", inner, np.ascontiguousarray(get("mlp.down_proj").T)))
    logits = g.op("MatMul", g.norm(hidden, weights["model.norm.weight"]), np.ascontiguousarray(embedding.T))
    outputs = [logits, g.op("Concat", *new_keys, axis=0), g.op("Concat", *new_values, axis=0)]
    names = {"ids": TensorProto.INT64} | dict.fromkeys(("cosine", "sine", "mask", "keys", "values"), TensorProto.FLOAT)
    graph = helper.make_graph(
        g.nodes, "llama", [helper.make_tensor_value_info(name, kind, None) for name, kind in names.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs], g.constants,
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    data: bytes = made.SerializeToString()
    return data


def session(folder: Path, rows: int) -> tuple[Callable[[Array, int, list[Array]], list[Array]], list[Array]]:
    """Returns a function from (ids, position, cache) to (logits, new keys, new values), and an empty cache."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession(model(folder), options, providers=["CPUExecutionProvider"])
    angles = np.arange(CONTEXT)[:, None] * 10000.0 ** (-2.0 * (np.arange(WIDTH) % (WIDTH // 2)) / WIDTH)
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)

    def run(ids: Array, at: int, cache: list[Array]) -> list[Array]:
        keys, values = (np.ascontiguousarray(part) for part in cache)
        mask = np.zeros(keys.shape[3] + 1, dtype=np.float32)
        mask[at:-1] = -np.inf
        given = {"ids": ids, "cosine": cosine[at], "sine": sine[at], "mask": mask, "keys": keys, "values": values}
        found: list[Array] = made.run(None, given)
        return found

    return run, [np.zeros((LAYERS, rows, HEADS, 128, WIDTH), dtype=np.float32) for _ in range(2)]
