"""How much an endpoint takes, found out while running; the clock is the test's."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable

import pytest

from tasks.backends.limits import Limits, Pace, Tokens, Window


class Bucket:
    """A server that takes ``rate`` calls a second, with some allowance for bursts."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.level, self.at = rate, burst, burst, 0.0

    def takes(self, now: float) -> bool:
        self.level, self.at = min(self.burst, self.level + (now - self.at) * self.rate), now
        if self.level < 1:
            return False
        self.level -= 1
        return True


def simulate(pace: Pace, takes: Callable[[float], bool], seconds: float, width: int = 256) -> list[tuple[float, bool]]:
    """Sends as fast as the pace allows, 0.2 s an answer; returns when each was sent, and whether it was taken."""
    events, log = [(0.0, number, True) for number in range(width)], list[tuple[float, bool]]()
    paused = 0.0
    while events:
        now, number, sending = heapq.heappop(events)
        if now > seconds:
            break
        if not sending:
            if pace.refused(now):
                paused = now + 1.0
            heapq.heappush(events, (now + 1.0, number, True))
            continue
        wait = paused - now if now < paused else pace.wait(now)
        if wait > 0:
            heapq.heappush(events, (now + wait + 1e-4, number, True))
            continue
        taken = takes(now)
        log.append((now, taken))
        heapq.heappush(events, (now + 0.2, number, True) if taken else (now + 0.004, number, False))
    return log


@pytest.mark.parametrize(("rate", "burst"), [(20, 20), (20, 40), (5, 5), (100, 100), (100, 10)])
def test_an_unknown_limit_is_found_and_used(rate: float, burst: float) -> None:
    log = simulate(Pace(), Bucket(rate, burst).takes, 120, width=64)
    settled = [taken for at, taken in log if at > 30]
    assert settled.count(False) / len(settled) <= 0.02
    assert settled.count(True) / 90 >= 0.9 * rate


@pytest.mark.parametrize("seed", range(5))
def test_refusals_at_random_are_noise_and_slow_nothing_down(seed: int) -> None:
    draw = random.Random(seed)
    pace = Pace()
    log = simulate(pace, lambda now: draw.random() > 0.02, 20)
    assert pace.rate is None
    assert len(log) > 0.9 * 20 * 256 / 0.2 * 0.9


def test_a_limit_that_is_lifted_is_noticed() -> None:
    bucket = Bucket(20, 20)
    pace = Pace()
    log = simulate(pace, lambda now: bucket.takes(now) or now > 40, 200, width=64)
    assert sum(at > 190 for at, _ in log) / 10 > 100


def test_a_limit_that_was_told_is_never_exceeded() -> None:
    log = simulate(Pace(10.0), lambda now: True, 20)
    assert 195 <= len(log) <= 203
    assert all(taken for _, taken in log)


def test_the_window_doubles_until_its_cap_and_shrinks_once_for_what_was_in_flight() -> None:
    window = Window(cap=100, start=32)
    for now in (1.0, 1.01, 1.026, 1.052):
        window.ramp(now)
    assert window.size == 100
    assert not window.ramping
    window.shrink(2.0, 5.0)
    window.shrink(2.1, 5.0)
    assert window.size == pytest.approx(70)
    for _ in range(10):
        window.answered()
    assert window.size == pytest.approx(71)


def test_tokens_a_minute_are_kept_to() -> None:
    tokens, sent, now = Tokens(60_000), 0, 100.0
    while now < 160.0:
        if wait := tokens.wait(now):
            now += wait
            continue
        tokens.take(100)
        tokens.used(100, 500)
        sent += 500
    assert 60_000 <= sent <= 62_500


def test_no_more_than_the_window_are_inside_and_first_come_is_first_served() -> None:
    async def run() -> None:
        limits, order, inside, most = Limits(cap=3, start=3), list[int](), 0, 0

        async def call(number: int) -> None:
            nonlocal inside, most
            await limits.enter()
            inside += 1
            most = max(most, inside)
            order.append(number)
            await asyncio.sleep(0.002)
            inside -= 1
            limits.leave()

        await asyncio.gather(*(call(number) for number in range(20)))
        assert most == 3
        assert order == list(range(20))
        assert limits.inside == 0

    asyncio.run(run())


def test_one_that_is_cancelled_while_waiting_takes_no_place() -> None:
    async def run() -> None:
        limits = Limits(cap=1, start=1)
        await limits.enter()
        waiting = [asyncio.create_task(limits.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        limits.leave()
        await asyncio.sleep(0)
        assert waiting[1].done()
        assert limits.inside == 1
        waiting[2].cancel()
        limits.leave()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert limits.inside == 0

    asyncio.run(run())
