"""Token-level numbers made of log-probabilities under two models.

Source: RTO (arXiv:2404.18922, equation 4.1); From r to Q* (arXiv:2404.12358: credit beta * log ratio); TGDPO
(arXiv:2506.14574: token weights around 1); TDPO (arXiv:2404.11999); GenARM (arXiv:2410.08193).
"""

from __future__ import annotations

from collections.abc import Sequence


def ratios(logps: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Returns log-ratios, token by token.

    Raises:
        ValueError: the two do not have one number a token each.
    """
    if len(logps) != len(reference):
        raise ValueError(f"{len(logps)} log-probabilities stand against {len(reference)} of the reference")
    return [a - b for a, b in zip(logps, reference, strict=True)]


def credits(log_ratios: Sequence[float], beta: float) -> list[float]:
    """Returns each token's credit beta * log-ratio; they add up to the implicit reward."""
    return [beta * ratio for ratio in log_ratios]


def rto_rewards(
    log_ratios: Sequence[float], kl: Sequence[float], reward: float, *, b1: float = 0.05, b2: float = 0.01,
    bound: float = 0.05,
) -> list[float]:  # fmt: skip
    """Returns token rewards: b1 * log-ratio held within the bound, less b2 * KL; the last one has the answer's reward.

    >>> [round(r, 6) for r in rto_rewards([1.5, -.4, -3], [.2, .1, -.3], .8)]
    [0.048, -0.021, 0.753]
    """
    found = [min(max(b1 * r, -bound), bound) - b2 * k for r, k in zip(log_ratios, kl, strict=True)]
    if found:
        found[-1] += min(max(reward, -10.0), 10.0)
    return found


def guided_weights(
    log_ratios: Sequence[float], *, chosen: bool, alpha: float = 0.5, beta: float = 0.1, bound: float = 0.5
) -> list[float]:
    """Returns TGDPO's token weights 1 +- alpha * beta * reward, the product held within the bound.

    >>> [round(w, 6) for w in guided_weights([2, -1], chosen=True)]
    [1.1, 0.95]
    """
    sign = 1 if chosen else -1
    return [1 + sign * min(max(alpha * beta * ratio, -bound), bound) for ratio in log_ratios]


def by_step(numbers: Sequence[float], ends: Sequence[int]) -> tuple[list[float], list[float]]:
    """Returns sums and means over steps; ``ends`` are the indices of the steps' last tokens."""
    sums, means, start = [], [], 0
    for end in ends:
        part = numbers[start : end + 1]
        sums.append(sum(part))
        means.append(sum(part) / len(part) if part else 0.0)
        start = end + 1
    return sums, means


def lowest_step(numbers: Sequence[float], ends: Sequence[int]) -> int | None:
    """Returns the step with the lowest mean credit; null where all credits are as good as zero."""
    if all(abs(number) < 1e-6 for number in numbers):  # two sums of the same logits differ in their last digits
        return None
    means = by_step(numbers, ends)[1]
    return min(range(len(means)), key=lambda step: (means[step], step)) if means else None
