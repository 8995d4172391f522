"""Texts as vectors: weighted words without a model, or what a model made of them.

Source: tf-idf (Sparck Jones 1972); latent semantic analysis (Deerwester et al. 1990) by a randomised decomposition
(Halko, Martinsson, Tropp 2011, arXiv:0909.4061, algorithms 4.4 and 5.1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.texts.words import chunks, words

Floats: TypeAlias = npt.NDArray[np.float32]
BITS = 18
ENDINGS = r"(?:ations?|ments?|ings?|ies|ers?|ed|es|ly|s|e)\b"
SEED = 20_240_817


def weighted(texts: pl.Series, *, commonest: float = 0.5) -> Any:
    """Returns a sparse matrix, a row of length 1 a text: its words without endings, by tf-idf; no words, no length.

    Args:
        commonest: words that more than this share of the texts have say nothing and are left out.
    """
    from scipy.sparse import coo_array  # type: ignore[import-untyped]

    rows, columns = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for start, end in chunks(texts):
        found = words(texts[start:end].fill_null("").str.to_lowercase().str.replace_all(ENDINGS, ""))
        rows.append(found.text + np.int32(start))
        columns.append((found.hashes >> np.uint64(64 - BITS)).astype(np.int32))
    row, column = np.concatenate(rows), np.concatenate(columns)
    counts = coo_array((np.ones(len(column), np.float32), (row, column)), shape=(len(texts), 1 << BITS)).tocsr()
    counts.sum_duplicates()
    seen = np.bincount(counts.indices, minlength=1 << BITS)
    weight = np.where(seen > max(1.0, commonest * len(texts)), 0.0, np.log((1 + len(texts)) / (1 + seen)) + 1)
    counts.data = ((1 + np.log(counts.data)) * weight[counts.indices]).astype(np.float32)
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.maximum(length, 1e-12), np.diff(counts.indptr)).astype(np.float32)
    return counts


def reduced(matrix: Any, size: int = 128) -> Floats:
    """Returns the rows of a matrix in so many dimensions or fewer, of length 1 where they had any length."""
    matrix = matrix[:, np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]))]
    size = min(size, *matrix.shape)
    random = np.random.default_rng(SEED)
    basis = matrix @ random.standard_normal((matrix.shape[1], size + 8), np.float32)
    for _ in range(2):
        basis = matrix @ (matrix.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    across = np.asarray(matrix.T @ basis)
    values, left = np.linalg.eigh(across.T @ across)  # small and square: the singular values squared
    return unit(basis @ (left * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :size])


def unit(rows: Any) -> Floats:
    """Returns each row by its length; a row of zeros stays one."""
    found = np.asarray(rows, np.float32)
    long: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-12))
    return long


def parquet_files(path: Path) -> list[Path]:
    """Returns the file, or the Parquet files of the folder.

    Raises:
        ValueError: there is none.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise ValueError(f"there is no file {path} with vectors")
    return files


def from_file(path: Path, keys: pl.Series) -> Floats:
    """Returns the vectors of these keys from a Parquet file or a folder of them: columns key (or text) and vector.

    Raises:
        ValueError: no such file or columns, or a key has no vector.
    """
    files = parquet_files(path)
    frame = pl.read_parquet(files)
    name = next((column for column in ("key", "text") if column in frame.columns), None)
    if name is None or "vector" not in frame.columns:
        raise ValueError(f"{path} needs columns key (or text) and vector; it has {', '.join(frame.columns)}")
    held = frame.select(key=pl.col(name).cast(pl.String), vector=pl.col("vector").cast(pl.List(pl.Float32)))
    found = keys.to_frame("key").join(held.unique("key", keep="first"), on="key", how="left", maintain_order="left")
    if found["vector"].null_count():
        missing = found.filter(pl.col("vector").is_null())["key"][0]
        raise ValueError(f"{path} has no vector for {missing[:80]!r}; {found['vector'].null_count()} are missing")
    return unit(np.stack(found["vector"].to_list())) if found.height else np.zeros((0, 1), np.float32)


def from_model(name: str, texts: pl.Series) -> Floats:
    """Returns the vectors of a static embedding model (model2vec): a folder, or a name on the Hub.

    Raises:
        MissingExtraError: model2vec is not installed.
        ValueError: there is no such folder, and no such model can be fetched.
    """
    from schemas.errors import MissingExtraError

    try:
        from model2vec import StaticModel
    except ImportError as error:
        raise MissingExtraError("model2vec", "embeddings") from error
    try:
        model = StaticModel.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise ValueError(f"there is no static embedding model {name!r}: {str(error).splitlines()[0]}") from error
    return unit(model.encode(texts.fill_null("").to_list())) if len(texts) else np.zeros((0, 1), np.float32)
