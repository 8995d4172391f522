"""What a keeper is told to start, and where the processes that share it meet."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import UsageError
from schemas.ids import content_id
from tasks.backends.vllm_options import Target, arguments, interpreter

MODULE = "vllm.entrypoints.openai.api_server"
"""``vllm serve`` reads the metadata of a package named vllm, which the CPU build does not have."""
KEEP_LOGS_S = 7 * 86400
OF_THE_ENGINE = ("VLLM_", "CUDA_", "HIP_", "OMP_", "HF_", "NCCL_", "TORCH")
"""Environment variables with these starts tell two engines apart."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One managed engine.

    Attributes:
        spec: for messages. command: of a replica, all but the port. environments: added ones, one a replica.
        ports: one a replica, 0 where any free one will do. model, signature: a folder and what its files looked like
            when this was made; both empty for a model that is named.
    """

    spec: str
    command: list[str]
    environments: list[dict[str, str]]
    ports: list[int]
    folder: str
    signature: str
    start_s: float
    restarts: int
    window_s: float
    health_s: float
    stall_s: float
    linger_s: float

    def home(self) -> Path:
        """Returns the folder where the keeper of this engine is met; the same for everybody who wants the same."""
        outside = {name: value for name, value in os.environ.items() if name.startswith(OF_THE_ENGINE)}
        return runtime() / content_id("vllm", asdict(self), outside)[:16]

    def write(self, home: Path) -> None:
        """Notes the launch for the keeper."""
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "launch.json").write_bytes(orjson.dumps(asdict(self)))

    @classmethod
    def read(cls, home: Path) -> Launch:
        """Returns what was noted."""
        return cls(**orjson.loads((home / "launch.json").read_bytes()))


def launch(target: Target) -> Launch:
    """Returns how to start the engine a SPEC names.

    Raises:
        UsageError: too few GPUs, or no interpreter that has vLLM.
    """
    options = target.options
    environments = [environment(target, devices) for devices in _devices(target)]
    if options.replicas > 1 and not environments[0].get("CUDA_VISIBLE_DEVICES"):
        _share_cores(environments)
    return Launch(
        target.spec, [interpreter(target), "-m", MODULE, *arguments(target), "--host", "127.0.0.1"], environments,
        [options.port + i if options.port else 0 for i in range(options.replicas)],
        target.model if target.local else "", signature(target.model) if target.local else "",
        options.start_s, options.restarts, options.window_s, options.health_s, options.stall_s, options.linger_s,
    )  # fmt: skip


def environment(target: Target, devices: str) -> dict[str, str]:
    """Returns the environment variables that an engine gets in addition to those that are set."""
    given: dict[str, Any] = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if target.local:
        given["HF_HUB_OFFLINE"] = "1"  # all it needs lies in the folder
    if devices:
        given["CUDA_VISIBLE_DEVICES"] = devices
    else:
        given["VLLM_CPU_KVCACHE_SPACE"] = f"{max(1, round(target.options.kv_gib))}"
    return {name: value for name, value in given.items() if name == "CUDA_VISIBLE_DEVICES" or name not in os.environ}


def _share_cores(environments: list[dict[str, str]]) -> None:
    """Gives each replica on a CPU cores of its own; left alone they would all take the same ones."""
    cores = sorted(os.sched_getaffinity(0))
    each = len(cores) // len(environments)
    if each and "VLLM_CPU_OMP_THREADS_BIND" not in os.environ:
        for i, given in enumerate(environments):
            given["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores[i * each : (i + 1) * each]))


def _devices(target: Target) -> list[str]:
    """Returns each replica's GPUs; empty texts on a machine without any."""
    options = target.options
    named = options.devices or os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = _all_gpus() if named is None else [gpu.strip() for gpu in named.split(",") if gpu.strip()]
    each = options.tensor_parallel_size or 1
    if not gpus:
        return [""] * options.replicas
    if len(gpus) < each * options.replicas:
        raise UsageError(
            f"{target.spec}: {options.replicas} replicas of {each} GPUs need {each * options.replicas}, and there are "
            f"{len(gpus)} ({','.join(gpus)}); name one twice in devices= to let replicas share it"
        )
    if options.replicas == 1 and "tensor_parallel_size" not in options.args and "parallel" in options.args:
        return [",".join(gpus)]  # args= sets a parallelism of its own
    return [",".join(gpus[i * each : (i + 1) * each]) for i in range(options.replicas)]


def _all_gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        told = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return []
    return [str(i) for i, line in enumerate(told.stdout.splitlines()) if line.startswith("GPU ")]


def signature(folder: str) -> str:
    """Returns what changes when a file of a checkpoint is written: names, sizes and times."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    seen = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return content_id("folder", seen)


def tidy(folder: Path) -> None:
    """Removes the logs of engines that ended long ago."""
    for home in folder.iterdir():
        with contextlib.suppress(OSError):
            if (
                time.time() - (home / "keeper.log").stat().st_mtime > KEEP_LOGS_S
                and not (home / "keeper.sock").exists()
            ):
                shutil.rmtree(home)


def runtime() -> Path:
    """Returns this user's folder for sockets and logs of running engines.

    Raises:
        UsageError: somebody else owns it.
    """
    folder = Path(tempfile.gettempdir()) / f"pairwright-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UsageError(f"{folder} is not a folder that only you can write to; remove it, or set TMPDIR to another")
    return folder
