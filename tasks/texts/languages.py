"""The languages of many texts at once.

Source: langid.py (Lui and Baldwin, ACL 2012), in the package py3langid: the language with the best naive Bayes score
by the byte strings in a text, which an automaton finds; counts enter by log(1 + n), and scores are divided by the root
of the text's length.

The automaton walks thousands of texts side by side, a byte of each at a time, and scores are one product of sparse
matrices: five times as fast as a text after the other, and the same but for rounding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.texts.words import Ints

LONGEST = 2_000
"""Characters of a text that are looked at."""
BYTES, TEXTS = 1 << 20, 2_048
"""So much is worked on at a time."""
_OFF = 3e-5
"""More than rounding puts a probability off."""


class Languages(NamedTuple):
    """The likeliest language of each text, ISO 639-1, and its probability among those known."""

    names: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float64]


class _Model(NamedTuple):
    base: Ints
    following: npt.NDArray[np.uint32]
    features: npt.NDArray[np.int32]


@lru_cache(maxsize=1)
def identifier() -> Any:
    """Returns the package's identifier of single texts."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=1)
def _model() -> _Model:
    own = identifier()
    base, following = np.asarray(own.tk_row, np.int64) << 8, np.asarray(own.tk_nextmove, np.uint32)
    return _Model(base, following, np.asarray(own.tk_output, np.int32))


def likeliest(texts: list[str], *, bound: float = 0.0) -> Languages:
    """Returns the language of each text, by its first characters; a text's answer does not depend on the others.

    The language, whether its probability reaches ``bound``, and if so its first three digits are as the package has
    them: where rounding could change one, the package is asked.
    """
    count, own = len(texts), identifier()
    found = Languages(np.full(count, "", "U8"), np.zeros(count))
    ahead = np.zeros(count)
    coded = [own._encode(text[:LONGEST]) for text in texts]
    sizes = np.fromiter(map(len, coded), np.int64, count)
    order, labels = np.argsort(-sizes, kind="stable"), np.array(own.nb_classes)
    portion = np.maximum(np.cumsum(sizes[order]) // BYTES, np.arange(count) // TEXTS)
    for rows in np.split(order, np.flatnonzero(np.diff(portion)) + 1) if count else ():
        chances = _chances([coded[row] for row in rows], sizes[rows])
        two = np.partition(chances, -2, axis=1)[:, -2:]
        found.names[rows], found.probabilities[rows] = labels[chances.argmax(axis=1)], two[:, 1]
        ahead[rows] = two[:, 1] - two[:, 0]
    likely = found.probabilities
    digit = np.abs(likely * 1000 % 1 - 0.5) < 1000 * _OFF
    for row in np.flatnonzero(
        digit & (likely >= bound) | (ahead < 2 * _OFF) | (np.abs(likely - bound) < _OFF)
    ).tolist():
        found.names[row], likely[row] = own.classify(texts[row][:LONGEST])
    return found


def _chances(coded: list[bytes], sizes: Ints) -> npt.NDArray[np.float64]:
    """Returns the probability of each class for each text; the longest come first."""
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    own, features = identifier(), _visits(coded, sizes)
    seen = np.zeros(len(own.nb_ptc) + 1, np.bool_)
    seen[features] = True
    known = np.flatnonzero(seen[:-1])
    column = np.full(len(seen), len(known), np.int32)  # the last: no feature, -1
    column[known] = np.arange(len(known), dtype=np.int32)
    table = np.zeros((len(known) + 1, own.nb_ptc.shape[1]), np.float32)
    table[:-1] = own.nb_ptc[known]
    table -= table.mean(axis=1, keepdims=True)  # the same for all classes, and so without effect; small sums round less
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    weights = csr_array((np.ones(len(features), np.float32), column[features], first), shape=(len(coded), len(table)))
    weights = weights.tocsc().tocsr()  # there and back puts the features of a text in order
    weights.sum_duplicates()
    np.log1p(weights.data, out=weights.data)
    scores = np.asarray(weights @ table, np.float64)
    scores[np.diff(np.cumsum(np.concatenate([[0], features >= 0]))[first]) > 0] += own.nb_pc
    scores /= np.sqrt(np.maximum(sizes, 1))[:, None]
    np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    for one, other in own._alias_pairs:  # two scripts of one language
        scores[:, one] += scores[:, other]
        scores[:, other] = 0
    return scores


def _visits(coded: list[bytes], sizes: Ints) -> npt.NDArray[np.int32]:
    """Returns the feature that ends at each byte, -1 for none; the longest text comes first."""
    model, raw = _model(), np.frombuffer(b"".join(coded), np.uint8)
    starts = np.cumsum(sizes) - sizes
    active = len(sizes) - np.searchsorted(sizes[::-1], np.arange(1, sizes[0] + 1))  # texts that have so many bytes
    states, seen = np.zeros(len(sizes), np.uint32), np.empty(len(raw), np.uint32)
    for at, many in enumerate(active.tolist()):
        places = starts[:many] + at
        step = model.base[states[:many]]
        step += raw[places]
        states = model.following[step]
        seen[places] = states
    return model.features[seen]
