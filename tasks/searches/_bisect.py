"""Finding the first wrong step of a wrong solution with few probes.

Source: OmegaPRM (arXiv:2406.06592, section 3.2: binary search over prefixes); Wald 1945 (sequential test).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log


def middle(good: int, bad: int) -> int | None:
    """Returns the next step to probe between the last known good and the first known bad, null when they meet."""
    return (good + bad) // 2 if bad - good > 1 else None


def bisected(fine: Sequence[bool], *, last_is_bad: bool = False) -> tuple[int, list[int]]:
    """Returns the first step that is not fine (the number of steps: none), and the steps probed on the way.

    >>> bisected([True, True, True, True, True, False, False, False])
    (5, [3, 5, 4])
    """
    good, bad, probes = -1, len(fine) - last_is_bad, list[int]()
    while (at := middle(good, bad)) is not None:
        probes.append(at)
        good, bad = (at, bad) if fine[at] else (good, at)
    return bad, probes


def log_odds(successes: float, trials: int, low: float, high: float) -> float:
    """Returns the log-likelihood ratio of success rate ``high`` over ``low`` after so many trials."""
    return successes * log(high / low) + (trials - successes) * log((1 - high) / (1 - low))


@dataclass(frozen=True)
class Probe:
    """When a probe counts as decided.

    Args:
        rule: ``any`` success means fine; ``count``: at least ``least`` successes; ``sequential``: rollouts come in lots
            until the odds between a fine and a lost beginning are ``bound`` in natural logs, or the cap is reached.
        rollouts: cap a probe. lot: rollouts asked at once, for the sequential rule.
        lost: success rate after an error, at most: how often the policy recovers; never over a quarter of a fine one's.
        fine: success rate of a fine beginning, at most; a hard problem has that of its last fine beginning.
    """

    rule: str = "sequential"
    rollouts: int = 32
    least: int = 2
    lot: int = 4
    lost: float = 0.2
    fine: float = 0.9
    bound: float = 4.0

    def more(self, successes: float, trials: int, asked: int, share: float) -> int:
        """Returns how many more rollouts the probe needs; 0 when it is decided or the cap is reached.

        Args:
            asked: rollouts asked for by this probe, judged or not. share: of right ends from the last fine beginning.
        """
        left = self.rollouts - asked
        if self.rule != "sequential":
            if (self.rule == "any" and successes > 0) or left <= 0:
                return 0
            return left
        if trials and abs(self.odds(successes, trials, share)) >= self.bound:
            return 0
        return max(min(self.lot, left), 0)

    def odds(self, successes: float, trials: int, share: float) -> float:
        """Returns the log-odds that the beginning is fine."""
        fine = min(self.fine, share)
        return log_odds(successes, trials, min(self.lost, fine / 4), fine)

    def verdict(self, successes: float, trials: int, share: float) -> bool | None:
        """Says whether the beginning is fine; null where no rollout could be judged."""
        if not trials:
            return None
        if self.rule == "sequential":
            return self.odds(successes, trials, share) > 0
        return successes >= (1 if self.rule == "any" else self.least)


def change_point(counts: Sequence[tuple[float, int]]) -> int:
    """Returns where one success rate gives way to a lower one, by likelihood: the first step after the change.

    Args:
        counts: (successes, trials) after each step. The number of steps: no change.
    """

    def fit(part: Sequence[tuple[float, int]]) -> float:
        good, trials = sum(s for s, _ in part), sum(n for _, n in part)
        if not trials or good in (0, trials):
            return 0.0
        rate = good / trials
        return good * log(rate) + (trials - good) * log(1 - rate)

    def rate(part: Sequence[tuple[float, int]]) -> float:
        trials = sum(n for _, n in part)
        return sum(s for s, _ in part) / trials if trials else 0.0

    best, at = fit(counts), len(counts)
    for k in range(len(counts)):
        if k and rate(counts[:k]) <= rate(counts[k:]):
            continue
        found = fit(counts[:k]) + fit(counts[k:])
        if found > best + 1e-9:
            best, at = found, k
    return at


@dataclass
class Hunt:
    """The search on one wrong solution: ``good`` and ``bad`` bound the first wrong step.

    Attributes:
        probes: steps probed, in order. lost: it cannot be said (a probe had no judged rollout).
    """

    good: int
    bad: int
    asked: int = 0
    probes: list[int] = field(default_factory=list)
    lost: bool = False

    @property
    def at(self) -> int | None:
        """The step to probe now."""
        return None if self.lost else middle(self.good, self.bad)
