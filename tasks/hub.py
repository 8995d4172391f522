"""Verb: publishes a version outside the lake: to a folder, the Hugging Face Hub, or an object store.

Each format is a config with its splits. The files are made anew each time and have the same bytes each time, so a
publication that was killed goes on where it was, and one that is done is not done again: on the Hub a version is one
commit, known by its title, and one tag.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from schemas.errors import MissingExtraError, RefusedError, UnavailableError, UsageError
from storage.files import atomic_folder, write_parquet
from storage.store import Store
from storage.versions import Version
from tasks import registry
from tasks.publish import beside, described, shape, usual

log = logging.getLogger(__name__)

MARK = "version.json"
_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "dev": "validation", "test": "test"}


def publish(
    store: Store, dataset: str, to: str, *, formats: Sequence[str] = (), public: bool = False,
    license: str | None = None, page: str | None = None, quarantined: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Publishes a version and returns what was published where: version, to, configs, commit, new.

    Args:
        to: a folder, ``hub:ORG/NAME`` or ``s3://BUCKET/PATH``.
        formats: export blocks; the first is what ``load_dataset`` gives by default. What suits the dataset if none.
        public: a Hub repository that is made anew is public; one that is there stays as it is.
        license: for the card. page: the report as HTML. quarantined: a version that a gate refused may go out.

    Raises:
        UsageError: no such version or format, or the folder holds something else.
        RefusedError: the version is in quarantine.
        UnavailableError: the Hub or the object store cannot be reached, or refuses.
    """
    version = store.resolve(dataset)
    if version.status == "quarantined" and not quarantined:
        raise RefusedError(f"{version.name} was refused by a gate; --quarantined publishes it all the same")
    formats = formats or usual(version)
    if "://" in to and not to.startswith("s3://"):
        raise UsageError(f"{to}: a version goes to a folder, to hub:ORG/NAME, or to s3://BUCKET/FOLDER")
    if to.startswith(("hub:", "s3://")):
        with tempfile.TemporaryDirectory(prefix="pairwright-") as draft:
            configs = _fill(Path(draft), store, version, formats, license, page)
            done = (
                _to_hub(Path(draft), to[4:], version, public) if to[:4] == "hub:" else _to_s3(Path(draft), to, version)
            )
    else:
        configs, done = _to_folder(Path(to), store, version, formats, license, page)
    log.info("%s published to %s: %s", version.name, to, done)
    return {"version": version.name, "to": to, "configs": configs, **done}


def _fill(
    draft: Path, store: Store, version: Version, formats: Sequence[str], license: str | None, page: str | None
) -> dict[str, dict[str, int]]:
    """Fills a folder, and returns config -> split -> rows."""
    configs: dict[str, dict[str, int]] = {}
    columns: list[str] = []
    for form in formats:
        block = registry.find("export", form)
        rows = store.read(block.tables[0], version=version.name).collect()
        configs[form] = {}
        (draft / form).mkdir()
        for split, part in _split(rows).items():
            shaped = shape(store, version, block, {}, part)
            write_parquet(draft / form / f"{split}.parquet", shaped)
            configs[form][split] = shaped.height
            columns = columns or shaped.columns
        beside(draft / form, block, version.dataset)
    files = {form: {split: f"{form}/{split}.parquet" for split in splits} for form, splits in configs.items()}
    count = sum(next(iter(configs.values())).values()) if configs else 0
    card = described(store, version, rows=count, columns=columns, configs=files, license=license)
    (draft / "README.md").write_text(card, encoding="utf-8")
    if page is not None:
        (draft / "report.html").write_text(page, encoding="utf-8")
    mark = {"version": version.name, "digest": version.digest, "configs": configs}
    (draft / MARK).write_bytes(orjson.dumps(mark, option=orjson.OPT_INDENT_2))
    return configs


def _split(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Returns the rows by split, train first; rows without one are for training."""
    if "split" not in rows.columns or not rows.height:
        return {"train": rows}
    named = pl.col("split").fill_null("train").str.to_lowercase()
    keyed = rows.with_columns(_split=named.replace_strict(_SPLITS, default="train", return_dtype=pl.String))
    parts = {name: keyed.filter(pl.col("_split") == name).drop("_split") for name in ("train", "validation", "test")}
    return {name: part for name, part in parts.items() if part.height}


def _to_folder(
    to: Path, store: Store, version: Version, formats: Sequence[str], license: str | None, page: str | None
) -> tuple[dict[str, dict[str, int]], dict[str, Any]]:
    mark = to / MARK
    if to.is_dir() and any(to.iterdir()) and not mark.is_file():
        raise UsageError(f"{to} holds something else than a published version; choose another folder")
    before = mark.read_bytes() if mark.is_file() else b""
    with atomic_folder(to, replace=mark.is_file()) as draft:
        configs = _fill(draft, store, version, formats, license, page)
        new = (draft / MARK).read_bytes() != before
    return configs, {"new": new}


def _to_hub(folder: Path, repository: str, version: Version, public: bool) -> dict[str, Any]:
    """Uploads what is not there yet and makes one commit, then the tag; what was done before is found, not repeated."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    api = HfApi()
    title = f"{version.name} {version.digest}"
    try:
        api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        commits = api.list_repo_commits(repository, repo_type="dataset")
        done = next((commit.commit_id for commit in commits if commit.title == title), None)
        new = done is None
        if done is None:
            done = api.upload_folder(
                repo_id=repository, repo_type="dataset", folder_path=folder, commit_message=title, delete_patterns="*",
                parent_commit=commits[0].commit_id if commits else None,  # two who publish at once make one commit
            ).oid  # fmt: skip
        tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(repository, repo_type="dataset").tags}
        if version.version not in tags:
            api.create_tag(repository, repo_type="dataset", tag=version.version, revision=done)
    except HFValidationError as error:
        raise UsageError(f"hub:{repository} is not of the form hub:ORG/NAME: {error}") from error
    except (HTTPError, OSError) as error:
        raise UnavailableError(f"the Hub refused {repository}: {error}") from error
    return {"commit": done, "tag": version.version, "new": new}


def _to_s3(folder: Path, to: str, version: Version) -> dict[str, Any]:
    """Copies the files, the mark last: a reader who finds the mark finds all."""
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem

    try:
        there, path = _object_store(to)
        target, mark = f"{path.rstrip('/')}/{version.version}", (folder / MARK).read_bytes()
        known = {info.path for info in there.get_file_info([f"{target}/{MARK}"]) if info.is_file}
        if known:
            with there.open_input_stream(f"{target}/{MARK}") as found:
                if found.read() == mark:
                    return {"new": False, "path": f"s3://{target}"}
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MARK)
        for file in [*files, folder / MARK]:
            with there.open_output_stream(f"{target}/{file.relative_to(folder).as_posix()}") as out:
                out.write(file.read_bytes())
    except (ArrowException, OSError) as error:
        raise UnavailableError(f"{to} cannot be written: {error}") from error
    assert isinstance(there, FileSystem)
    return {"new": True, "path": f"s3://{target}"}


def _object_store(to: str) -> tuple[Any, str]:
    """Returns the file system and the path; ``AWS_ENDPOINT_URL`` names another server than Amazon's."""
    import os
    from urllib.parse import urlsplit

    from pyarrow.fs import S3FileSystem

    parts = urlsplit(to)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {"endpoint_override": endpoint} if endpoint else {}
    if os.environ.get("AWS_REGION"):
        options["region"] = os.environ["AWS_REGION"]
    return S3FileSystem(**options), f"{parts.netloc}{parts.path}"
