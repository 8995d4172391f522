"""Reads probabilities from the alternatives of the token that holds a verdict.

Source: G-Eval (arXiv:2303.16634, section 2: score weighted by token probabilities); Self-Judge (arXiv:2402.11253).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from schemas.exchange import Choice
from tasks.readers.structured import Claim

Named = TypeVar("Named", bound=Hashable)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_DRESS = " \t\n\"'*_`([{:"


def weights(choice: Choice, claim: Claim | None, name: Callable[[str], Named | None]) -> dict[Named, float]:
    """Returns what the token at the verdict could have said instead, with the probability of each; empty if not known.

    What no reading is found for is left out, so the sum is the probability of any verdict at all.

    Args:
        claim: the verdict that was read from the answer's text.
        name: what a token's text says, or null.
    """
    token = _token_at(choice, claim.at) if claim and choice.tokens else None
    if token is None:
        return {}
    text, logprob, top = token
    found = dict(top)
    found.setdefault(text, logprob)
    said: dict[Named, float] = {}
    for word, value in found.items():
        named = name(word.strip(_DRESS))
        if named is not None:
            said[named] = said.get(named, 0.0) + math.exp(value)
    return said


def _token_at(choice: Choice, place: int) -> tuple[str, float, Sequence[tuple[str, float]]] | None:
    """Returns the token that covers a place of the text, where the tokens spell the text."""
    at = 0
    for token in choice.tokens:
        end = at + len(token.text)
        if choice.text[at : min(end, len(choice.text))] != token.text[: max(0, len(choice.text) - at)]:
            return None
        if at <= place < end:
            return token.text, token.logprob, token.top
        at = end
    return None


def scale_weights(choice: Choice, claim: Claim | None, lowest: int, highest: int) -> dict[int, float]:
    """Returns the probability of each number of the scale at the verdict's token; empty if that cannot be known.

    It cannot where the number that was said is spelt with several tokens. A number that begins a longer one of the
    scale (the 1 of 10) counts only where the longer one shows up as a token of its own.
    """
    if claim is None or claim.at < 0:
        return {}
    said, token = _NUMBER.match(choice.text, claim.at), _token_at(choice, claim.at)
    if said is None or token is None or token[0].strip(_DRESS + ")]}.,!") != said[0]:
        return {}
    numbers = {str(number): number for number in range(lowest, highest + 1)}
    found = weights(choice, claim, numbers.get)
    for number in list(found):
        longer = [other for other in numbers.values() if other != number and str(other).startswith(str(number))]
        if longer and not any(other in found for other in longer):
            del found[number]
    return found
