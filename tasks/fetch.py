"""Finds the data files of what a user names: a file, a folder, or a dataset on the Hugging Face Hub (hf:ORG/NAME)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import DataError, MissingExtraError, UnavailableError, UsageError, nearest

KINDS = ("parquet", "arrow", "jsonl", "ndjson", "json", "csv", "tsv")
ENDS = ("", ".gz", ".zst", ".bz2", ".xz")
_NOT_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "version.json")


def files(path: Path, note: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Returns the data files of a path, in the order of their names.

    Of a folder they are those of the configuration that its README.md names as the default, else all files of the first
    kind there is: Parquet before Arrow before JSONL before JSON before CSV.

    Args:
        path: a file, a folder, or ``hf:ORG/NAME`` with ``@REVISION`` and ``/CONFIGURATION`` where one is wanted.
        note: is given a line that says what is read, where there was a choice.

    Raises:
        DataError: there is no such file, or the folder holds none. UnavailableError: the Hub does not give it.
    """
    if str(path).startswith("hf:"):
        folder, wanted = _fetched(str(path)[3:])
    else:
        folder, wanted = path, None
    if not folder.is_dir():
        if not folder.exists():
            raise DataError("no such file", file=str(path))
        return [folder]
    found = _configured(folder, wanted, str(path), note) or _by_kind(folder)
    if not found:
        raise DataError(f"the folder holds no data file ({', '.join(KINDS)})", file=str(path))
    return found


def _by_kind(folder: Path) -> list[Path]:
    every = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in _NOT_DATA
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]  # fmt: skip
    for kind in KINDS:
        ends = tuple(f".{kind}{end}" for end in ENDS)
        if chosen := [file for file in every if file.name.endswith(ends)]:
            return chosen
    return []


def _configured(folder: Path, wanted: str | None, name: str, note: Callable[[str], None]) -> list[Path]:
    configs = _configs(folder / "README.md")
    if wanted is not None and wanted not in configs:
        if (folder / wanted).is_dir():
            return _by_kind(folder / wanted)
        raise DataError(f"no configuration {wanted!r}; {nearest(wanted, configs)}", file=name)
    if not configs:
        return []
    chosen = wanted or next(iter(configs))
    found = sorted({file for pattern in configs[chosen] for file in folder.glob(pattern) if file.is_file()})
    if found and len(configs) > 1 and wanted is None:
        others = ", ".join(other for other in configs if other != chosen)
        note(f"{name}: reads the configuration {chosen}; there are also {others}")
    return found


def _configs(card: Path) -> dict[str, list[str]]:
    """Returns configuration -> patterns of its files, the default one first, as a dataset's card has them."""
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if not text.startswith("---\n"):
        return {}
    try:
        head = yaml.safe_load(text[4:].partition("\n---")[0])
    except yaml.YAMLError:
        return {}
    listed = head.get("configs") if isinstance(head, dict) else None
    configs = [each for each in listed or () if isinstance(each, dict) and each.get("data_files")]
    configs.sort(key=lambda each: not (each.get("default") or each.get("config_name") == "default"))
    return {str(each.get("config_name", "default")): _patterns(each["data_files"]) for each in configs}


def _patterns(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, dict):
        return _patterns(given["path"]) if "path" in given else [p for part in given.values() for p in _patterns(part)]
    return [pattern for part in given or () for pattern in _patterns(part)]


def _fetched(name: str) -> tuple[Path, str | None]:
    """Returns the folder with a Hub dataset's files, and the configuration that was asked for."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    body, _, revision = name.partition("@")
    revision, _, after = revision.partition("/")
    organisation, _, rest = body.partition("/")
    repository, _, wanted = rest.partition("/")
    config = wanted or after or None
    given: dict[str, Any] = {"repo_type": "dataset", "revision": revision or None}
    try:
        if not repository:
            raise HFValidationError("the name has no organisation")
        repo = f"{organisation}/{repository}"
        folder = Path(snapshot_download(repo, allow_patterns=["README.md"], **given))
        configs = _configs(folder / "README.md")
        chosen = config if config in configs else None if config else next(iter(configs), None)
        patterns = configs[chosen] if chosen else [f"*.{kind}{end}" for kind in KINDS for end in ENDS]
        folder = Path(snapshot_download(repo, allow_patterns=["README.md", *patterns], **given))
    except HFValidationError as error:
        raise UsageError(f"hf:{name} is not of the form hf:ORG/NAME: {error}") from error
    except (HTTPError, OSError) as error:
        raise UnavailableError(f"the Hub does not give hf:{name}: {error}") from error
    return folder, config
