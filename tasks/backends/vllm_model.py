"""What tells a served model apart: the content of its folder, or its name and revision."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

from schemas.ids import content_id
from tasks.backends.vllm_options import CHANGE_ANSWERS, Target

CHUNK = 1 << 22
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
TOKENIZER = ("tokenizer", "vocab", "merges", "special_tokens", "added_tokens", "chat_template", "spiece")


def fingerprint(target: Target, hashes: dict[str, str] | None, version: str, dtype: str) -> dict[str, str]:
    """Returns what tells an engine's answers apart: the model, vLLM's version, the number format, what options change.

    Args:
        hashes: of the folder, null for a model that is named. dtype: the one the engine chose.
    """
    options, model = target.options, hashes or of_name(target.model, target.revision)
    changed = {name: str(getattr(options, name)) for name in CHANGE_ANSWERS if getattr(options, name)}
    return {**model, "engine": f"vllm {version}", **changed, "dtype": dtype or options.dtype or "auto"}


def of_folder(folder: str) -> dict[str, str]:
    """Returns the hashes of a checkpoint: of its weights and configuration, and of its tokenizer and chat template.

    Every byte is read: two checkpoints of one training run have the same names and sizes. That takes about a second
    a gigabyte and happens while the engine starts.
    """
    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    wanted = [path for path in files if path.suffix in (*WEIGHTS, ".json", ".jinja", ".model", ".txt")]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        hashes = dict(zip((path.name for path in wanted), pool.map(_hash, wanted), strict=True))
    spoken = {name: found for name, found in hashes.items() if name.startswith(TOKENIZER)}
    rest = {name: found for name, found in hashes.items() if name not in spoken}
    return {"model": Path(folder).name, "revision": content_id("weights", rest),
            "tokenizer": content_id("tokenizer", spoken)}  # fmt: skip


def of_name(name: str, revision: str) -> dict[str, str]:
    """Returns a hub model's name and revision: the commit in the local cache where none was named."""
    return {"model": name, "revision": revision or _cached_commit(name)}


def _hash(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _cached_commit(name: str) -> str:
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")).expanduser()
    head = cache / f"models--{name.replace('/', '--')}" / "refs" / "main"
    return head.read_text().strip() if head.is_file() else "main"
