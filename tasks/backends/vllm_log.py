"""Reads an engine's log: how far its start is, and why it ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

STAGES = (
    (re.compile(r"vLLM API server version (\S+)"), "vLLM {0}"),
    (re.compile(r"Resolved architecture: (\w+)"), "architecture {0}"),
    (re.compile(r"Initializing a V\d LLM engine"), "starting the engine"),
    (re.compile(r"Starting to load model"), "loading the weights"),
    (re.compile(r"Loading (?:safetensors|pt) checkpoint shards:\s+(\d+)%"), "loading the weights, {0} %"),
    (re.compile(r"Loading weights took ([\d.]+) seconds"), "weights loaded in {0} s"),
    (re.compile(r"Dynamo bytecode transform|Compiling a graph|torch\.compile takes"), "compiling"),
    (re.compile(r"(?:GPU|CPU) KV cache size: ([\d,]+) tokens"), "room for {0} tokens of keys and values"),
    (re.compile(r"Capturing CUDA graphs"), "capturing graphs"),
    (re.compile(r"[Ww]arming up"), "warming up"),
)
_SETTINGS = re.compile(r"Initializing a V\d LLM engine.*?\bdtype=(?:torch\.)?(\w+)")

TOO_LITTLE_CACHE = (
    "the model fits and its keys and values do not: a shorter context (max_model_len=4096), or more room "
    "(gpu_memory_utilization=0.95 on a GPU, kv_gib=4 on a CPU)"
)
TOO_LITTLE_MEMORY = (
    "out of memory: fewer sequences at a time (max_num_seqs=64), a shorter context (max_model_len=4096), a smaller "
    "share of the GPU where something else uses it (gpu_memory_utilization=0.8), more GPUs for one replica "
    "(tensor_parallel_size=2), fewer replicas, or a quantized model"
)
GPU_IN_USE = (
    "the GPU has too little free memory because something else uses it (nvidia-smi shows what): end it, or take a "
    "smaller share (gpu_memory_utilization=0.5), or another GPU (devices=1)"
)
OUT_OF_MEMORY = (
    (re.compile(r"Free memory on device .* is less than desired"), GPU_IN_USE),
    (
        re.compile(r"KV cache is needed, which is larger than|No available memory for the cache blocks"),
        TOO_LITTLE_CACHE,
    ),
    (re.compile(r"larger than the (?:maximum number of tokens|available KV cache memory)"), TOO_LITTLE_CACHE),
    (re.compile(r"(?:not enough|insufficient) (?:memory|space)[^.]*(?:KV|cache)", re.I), TOO_LITTLE_CACHE),
    (
        re.compile(r"OutOfMemoryError|out of memory|CUDA error: out of|std::bad_alloc|MemoryError\b", re.I),
        TOO_LITTLE_MEMORY,
    ),
    (re.compile(r"can't allocate memory|Cannot allocate memory|NCCL.*unhandled.*memory", re.I), TOO_LITTLE_MEMORY),
)
KILLED = f"the system ended a process of it for want of memory (the kernel's log says which); {TOO_LITTLE_MEMORY}"
HINTS = (
    (re.compile(r"No module named '?vllm\b"), "this interpreter has no vLLM (python=, PAIRWRIGHT_VLLM_PYTHON)"),
    (re.compile(r"operator torchvision::nms does not exist"), "torchvision does not fit this torch: uninstall "
     "torchvision, torchaudio and torchcodec from the engine's environment"),
    (re.compile(r"No package metadata was found for vllm"), "this build of vLLM runs only as a module"),
    (re.compile(r"[Aa]ddress already in use"), "something else listens there; leave out port= to take a free one"),
    (re.compile(r"unrecognized arguments|invalid (?:choice|.*value):"), "args= holds what this vLLM does not know"),
    (re.compile(r"not a valid model identifier|Repository Not Found|OfflineMode|LocalEntryNotFound|offline mode", re.I),
     "the model cannot be had from the hub: is the name right, is the hub reachable, is HF_TOKEN set?"),
    (re.compile(r"Connection refused.*huggingface|MaxRetryError.*huggingface", re.I),
     "the hub cannot be reached; give a folder that holds the model"),
    (re.compile(r"max_model_len .* is greater than the derived max_model_len", re.S),
     "the model's context is shorter than max_model_len="),
)  # fmt: skip
_PREFIX = re.compile(r"^\s*(?:\x1b\[[\d;]*m)*(?:\([A-Za-z_]+\w*(?: [^)]*)?pid=\d+\)\s*)?(?:\x1b\[[\d;]*m)*")
_STAMP = re.compile(r"^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d (?:\[[^\]]*\]\s?)?")
_ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception|Interrupt|Exit)\b:?|usage:|.*: error: |Fatal |terminate called)")


def clean(line: str) -> str:
    """Returns a line without process names, time stamps and colours."""
    bare = _PREFIX.sub("", line.rstrip())
    return re.sub(r"\x1b\[[\d;]*m", "", _STAMP.sub("", bare))


def stage(line: str) -> str | None:
    """Returns what a line says about the start, in words, or null."""
    for pattern, words in STAGES:
        if match := pattern.search(line):
            return words.format(*match.groups())
    return None


def dtype(log: Path) -> str:
    """Returns the number format the engine chose, or nothing where its log does not say."""
    with log.open(errors="replace") as lines:
        return next((match[1] for line in lines if (match := _SETTINGS.search(line))), "")


def tail(log: Path, offset: int = 0, size: int = 200_000) -> list[str]:
    """Returns the cleaned lines of the end of a log, from ``offset`` at the earliest."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(offset, log.stat().st_size - size))
        return [clean(line) for line in file.read().decode(errors="replace").splitlines()]


def advice(lines: Sequence[str], *, killed_for_memory: bool = False) -> str:
    """Returns what to do about the end the lines tell of, or nothing where they name no known cause."""
    if killed_for_memory:
        return KILLED
    text = "\n".join(lines)
    return next((words for pattern, words in (*OUT_OF_MEMORY, *HINTS) if pattern.search(text)), "")


def errors(lines: Sequence[str], most: int = 12) -> list[str]:
    """Returns the lines that tell of errors, each once, first ones first."""
    told: dict[str, None] = {}
    for line in lines:
        text = line.strip()
        if _ERROR.match(text) or any(pattern.search(text) for pattern, _ in (*OUT_OF_MEMORY, *HINTS)):
            told[text[:400]] = None
    return list(told)[:most]


def relevant(lines: Sequence[str], most: int = 12) -> list[str]:
    """Returns the lines that tell why an engine ended: the errors, else its last words."""
    return errors(lines, most) or [line[:400] for line in lines if line.strip()][-most:]
