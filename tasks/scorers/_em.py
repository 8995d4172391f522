"""Expectation maximisation for votes on hidden classes by voters with confusion tables of their own.

Source: Dawid and Skene 1979, Applied Statistics 28, equations 2.3 to 2.5; with Dirichlet priors on the confusion
tables (maximum a posteriori), and voices: a voter asked m times about an item counts each answer 1 / m.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Votes(NamedTuple):
    """Votes as aligned arrays.

    Args:
        item, voter, answer: indices from 0.
        truth: (votes x classes), which row of the voter's table class c of the item is for this vote. It differs from
            c where the item was shown mirrored.
        share: how much of a vote each is; by default whole ones.
    """

    item: Ints
    voter: Ints
    answer: Ints
    truth: Ints
    share: Floats | None = None


class Fit(NamedTuple):
    """P(class) an item, confusion tables (voter x truth x answer), share of the classes, steps taken."""

    posterior: Floats
    confusion: Floats
    share: Floats
    steps: int


def fit(
    votes: Votes, prior: Floats, *, even: bool = False, start: Floats | None = None, steps: int = 200,
    tolerance: float = 1e-7, whole: Floats | None = None,
) -> Fit:  # fmt: skip
    """Returns the maximum a posteriori fit.

    Args:
        prior: pseudo-counts, (voters x truths x answers), above 0.
        even: the classes are equally common (they are places in a pair), not to be estimated.
        start: confusion tables to start from; by default the votes' own shares stand for the hidden classes.
        whole: how much of a voice each voter has on a class, in (0, 1]; by default a whole one.
    """
    items = int(votes.item.max()) + 1
    asked = np.unique(votes.item * prior.shape[0] + votes.voter, return_inverse=True)[1]
    portion = np.ones(len(asked)) if votes.share is None else votes.share
    voice = portion / np.bincount(asked, portion)[asked]
    heard = voice if whole is None else voice * whole[votes.voter]
    share = np.full(votes.truth.shape[1], 1 / votes.truth.shape[1])
    if start is None:
        posterior = _shares(votes, voice, items)
        confusion = _tables(votes, voice, posterior, prior)
    else:
        confusion, posterior = start, np.empty((items, votes.truth.shape[1]))
    for step in range(1, steps + 1):
        before = posterior
        posterior = _posterior(votes, heard, confusion, share, items)
        confusion = _tables(votes, voice, posterior, prior)
        share = share if even else (posterior.sum(axis=0) + 1) / (items + len(share))
        if step > 1 and np.abs(posterior - before).max() < tolerance:
            break
    return Fit(_posterior(votes, heard, confusion, share, items), confusion, share, step)


def _shares(votes: Votes, voice: Floats, items: int) -> Floats:
    """Returns the smoothed share of voices for each class; an answer beyond the classes (a tie) is for all alike."""
    classes = votes.truth.shape[1]
    backed = (votes.truth == votes.answer[:, None]).astype(float)
    backed[votes.answer >= classes] = 1 / classes
    found = np.full((items, classes), 0.1)
    np.add.at(found, votes.item, backed * voice[:, None])
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _tables(votes: Votes, voice: Floats, posterior: Floats, prior: Floats) -> Floats:
    counts = prior.copy()
    weights = posterior[votes.item] * voice[:, None]
    for c in range(votes.truth.shape[1]):
        np.add.at(counts, (votes.voter, votes.truth[:, c], votes.answer), weights[:, c])
    return np.asarray(counts / counts.sum(axis=2, keepdims=True))


def _posterior(votes: Votes, voice: Floats, confusion: Floats, share: Floats, items: int) -> Floats:
    logs = np.log(confusion)
    found = np.tile(np.log(share), (items, 1))
    for c in range(votes.truth.shape[1]):
        found[:, c] += np.bincount(
            votes.item, weights=voice * logs[votes.voter, votes.truth[:, c], votes.answer], minlength=items
        )
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
