"""How varied texts are, and how much of what was sampled a dataset holds.

Source: Friedman and Dieng 2022, arXiv:2210.02410, definition 3.1 (Vendi score); Li et al. 2016, arXiv:1510.03055
(distinct-n); Schweighofer et al. 2022, arXiv:2111.04714, section 3.2 (SACo).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tasks.readers.answers import answer_key
from tasks.texts.minhash import clusters
from tasks.texts.vectors import weighted
from tasks.texts.words import shingles, words


def distinct_n(texts: pl.Series, n: int) -> float | None:
    """Returns the share of the runs of n words that are different; null where no text has so many words.

    >>> distinct_n(pl.Series(["one two two", "a"]), 1)
    0.75
    """
    hashes, _ = shingles(words(texts), n)
    return len(np.unique(hashes)) / len(hashes) if len(hashes) else None


def vendi(texts: pl.Series) -> float:
    """Returns the effective number of different texts: 1 where all are the same, n where no two share a word."""
    rows = weighted(texts, commonest=1.0)
    return vendi_score((rows @ rows.T).toarray())


def vendi_score(kernel: Any) -> float:
    """Returns exp of the entropy of the eigenvalues of kernel / n; the kernel has ones on its diagonal.

    >>> round(vendi_score([[1, 0], [0, 1]]), 6), round(vendi_score([[1, 1], [1, 1]]), 6)
    (2.0, 1.0)
    """
    kernel = np.array(kernel, np.float64)
    np.fill_diagonal(kernel, 1.0)  # a text without words is like itself
    values = np.linalg.eigvalsh(kernel / len(kernel))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def coverage(prompts: Any, answers: Any, kept: Any) -> float | None:
    """Returns the different (prompt, answer) pairs among those kept over those among all: SACo."""
    both = np.stack([np.asarray(prompts), np.asarray(answers)], axis=1)
    every = len(np.unique(both, axis=0)) if len(both) else 0
    return len(np.unique(both[np.asarray(kept)], axis=0)) / every if every else None


def support(rows: pl.DataFrame) -> Iterator[tuple[str, str, float | None, int]]:
    """Yields coverage, the different answers a prompt has, and the entropy of its answers, over whole prompts.

    Args:
        rows: prompt_id, text, kept (the dataset holds it).
    """
    if not rows.height:
        return
    alike = clusters(rows["text"], threshold=0.8)
    prompts = rows["prompt_id"].rank("dense").to_numpy()
    yield "saco", "of what was sampled", coverage(prompts, alike, rows["kept"].to_numpy()), rows.height
    named = rows.with_columns(
        answer=pl.coalesce(
            pl.Series([answer_key(text or "") for text in rows["text"]], dtype=pl.String),
            pl.lit("\0") + pl.Series(alike).cast(pl.String),
        )
    )
    counts = named.group_by("prompt_id", "answer").agg(n=pl.len())
    share = pl.col("n") / pl.col("n").sum()
    by = counts.group_by("prompt_id").agg(
        support=pl.len(), part=pl.len() / pl.col("n").sum(), entropy=-(share * share.log()).sum()
    )
    yield "support", "answers a prompt", _mean(by["support"]), by.height
    yield "support_share", "different answers", _mean(by["part"]), by.height
    yield "answer_entropy", "nats", _mean(by["entropy"]), by.height


def _mean(values: pl.Series) -> float:
    found = values.cast(pl.Float64).mean()
    assert isinstance(found, float)
    return found
