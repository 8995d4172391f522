import numpy as np
import polars as pl
import pytest

from tasks.texts import vectors, words
from tasks.texts.alike import centres
from tasks.texts.vectors import unit, weighted

TEXTS = pl.Series(
    [f"bake bread {n} with flour" if n % 3 else f"python function {n} loops" for n in range(60)] + [None, ""]
)


def test_portions_of_text_do_not_matter(monkeypatch):
    whole = weighted(TEXTS)
    monkeypatch.setattr(words, "CHUNK", 100)
    assert len(vectors.chunks(TEXTS)) > 5
    parts = weighted(TEXTS)
    assert (whole != parts).nnz == 0
    assert np.linalg.norm(parts.toarray()[:60], axis=1) == pytest.approx(1, abs=1e-6)


def test_centres_are_the_means_of_the_rows_nearest_to_them():
    rows = unit(np.repeat(np.eye(2, 8), 30, axis=0) + np.random.default_rng(0).normal(0, 0.1, (60, 8)))
    found = centres(rows, 2)
    own = (rows @ found.T).argmax(axis=1)
    for place in (0, 1):
        mean = rows[own == place].sum(axis=0)
        assert found[place] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
