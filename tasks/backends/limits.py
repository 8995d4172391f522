"""How much an endpoint takes: a window of calls in flight and a pace of calls a second, found out while running.

Both let noise pass: an endpoint that refuses two calls in a hundred whatever the rate is not slowed down for it. A
limit shows differently: refusals grow with the rate. So a pace is learned only when far more is refused than noise
would explain; it starts at what was accepted, and is probed upwards ever more rarely (as congestion control does).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass

NOISE = 0.05
"""Refusals up to this share say nothing about a limit."""
RAMP_S = 0.025
"""The window doubles that often until it is full or a call is refused: refusals come at once, answers do not."""
BIN_S, BINS = 0.25, 40


class Window:
    """How many calls may be in flight: fast up to the cap, less when calls time out or are turned away as too many."""

    def __init__(self, cap: int, start: int) -> None:
        self.cap, self.size = cap, float(min(cap, start))
        self.ramping = self.size < cap
        self._ramped, self._shrunk = 0.0, -math.inf

    def ramp(self, now: float) -> float:
        """Doubles the window where its time has come; returns the seconds until the next doubling."""
        if now - self._ramped >= RAMP_S:
            self._ramped, self.size = now, min(self.cap, 2 * self.size)
            self.ramping = self.size < self.cap
        return self._ramped + RAMP_S - now

    def answered(self) -> None:
        """Grows by one for ten answers, once it is past its ramp."""
        if not self.ramping and self.size < self.cap:
            self.size = min(self.cap, self.size + 0.1)

    def shrink(self, now: float, pause_s: float) -> None:
        """Goes to seven tenths, at most once in ``pause_s``: what is in flight then was sent under the old size."""
        self.ramping = False
        if now - self._shrunk >= pause_s:
            self._shrunk, self.size = now, max(1.0, 0.7 * self.size)


@dataclass(slots=True)
class Bin:
    """A quarter of a second: calls sent, and of them refused."""

    at: float
    sent: int = 0
    refused: int = 0


class Pace:
    """Calls a second: told, or learned from refusals, or null while there is no sign of a limit.

    Args:
        told: a limit that was told (requests a minute / 60); it is never exceeded.
    """

    def __init__(self, told: float | None = None) -> None:
        self.told, self.rate = told, told
        self.learned = self.settling = self._seeking = False
        self._credit, self._credited = 1.0, 0.0
        self._bins: deque[Bin] = deque(maxlen=BINS)
        self._changed = self._probed = self._refused = -math.inf
        self._first, self._probes = 0.0, 0
        self._hold_s, self._noise = 4.0, NOISE

    def wait(self, now: float) -> float:
        """Returns the seconds until one more may be sent; 0 takes it."""
        if self.settling:
            self._settle(now)
        if self.rate is not None:
            self._probe(now)
            self._credit = min(1.0 + 0.05 * self.rate, self._credit + (now - self._credited) * self.rate)
            self._credited = now
            if self._credit < 1.0:
                return (1.0 - self._credit) / self.rate
            self._credit -= 1.0
        self._bin(now).sent += 1
        return 0.0

    def _bin(self, now: float) -> Bin:
        if not self._bins or now - self._bins[-1].at >= BIN_S or self._bins[-1].at < self._changed:
            self._bins.append(Bin(now))
        return self._bins[-1]

    def _seen(self, since: float) -> tuple[int, int]:
        """Returns calls sent since then, and of them refused."""
        bins = [bin for bin in self._bins if bin.at >= since]
        return sum(bin.sent for bin in bins), sum(bin.refused for bin in bins)

    def refused(self, now: float) -> bool:
        """Takes note of a refusal; returns whether it is the one that tells of a limit: then wait, it sums up after."""
        self._bin(now).refused += 1
        self._refused = now
        if self.settling:
            return False
        if self.learned:
            self._slow_down(now)
            return False
        sent, refused = self._seen(now - 2.0)
        if sent < 20 or refused / sent <= self._noise + 4 * math.sqrt(0.03 / sent):
            return False
        self.settling = True
        return True

    def _settle(self, now: float) -> None:
        """Starts at what was accepted a second, which a burst shows too small; all refusals are in by now."""
        self.settling, self.learned, self._seeking = False, True, True
        sent, refused = self._seen(-math.inf)
        last = max((bin.at for bin in self._bins if bin.sent), default=now)
        seconds = max(1.0, last + BIN_S - self._bins[0].at)
        self._first = max(0.2, (sent - refused) / seconds)
        self.rate = self._first if self.told is None else min(self.told, self._first)
        self._credit, self._credited, self._changed, self._probed = 0.0, now, now, now

    def _slow_down(self, now: float) -> None:
        """Goes to what was accepted of late, and a little below."""
        assert self.rate is not None
        if now - self._changed < 0.5:
            return
        sent, refused = self._seen(max(self._changed, now - 2.0))
        share = refused / max(1, sent)
        if self.rate < 0.6 * self._first and share < 0.1 and sum(self._seen(-math.inf)) >= 50:
            # refusals do not fall with the rate, so they are not about the rate
            self.learned, self.rate, self._noise = False, self.told, max(self._noise, 1.5 * share + 0.02)
            return
        if self._probes and not self._seeking:  # the last probe went too far: the next one later
            self._hold_s = min(120.0, 2 * self._hold_s)
        self.rate *= max(0.5, 0.97 * (1 - share))
        self._changed, self._probes, self._seeking = now, 0, False

    def _probe(self, now: float) -> None:
        """Tries a little more each second, in growing steps, once nothing has been refused for a while."""
        hold_s = 1.0 if self._seeking else self._hold_s
        if not self.learned or now - max(self._refused, self._changed) < hold_s or now - self._probed < 1.0:
            return
        assert self.rate is not None
        self._probed, self._probes = now, self._probes + 1
        self.rate *= 1.5 if self._seeking else 1 + min(0.1, 0.01 * (1 + self._probes / 5))
        if self.told is not None:
            self.rate = min(self.rate, self.told)


class Tokens:
    """Tokens a minute: an estimate is taken before a call, the rest after it."""

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60
        self.level, self._at = per_minute / 60, 0.0
        self.mean = 0.0

    def wait(self, now: float) -> float:
        """Returns the seconds until a call may be sent."""
        self.level = min(self.rate, self.level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, -self.level / self.rate)

    def take(self, estimate: int) -> None:
        """Takes what a call with so many prompt tokens will probably use."""
        self.level -= estimate + self.mean

    def used(self, estimate: int, tokens: int) -> None:
        """Corrects the estimate of a call by what it was."""
        self.level -= tokens - estimate - self.mean
        self.mean += 0.1 * (max(0, tokens - estimate) - self.mean)


class Limits:
    """The way in: ``enter`` waits until a call may be sent, ``leave`` says that it is over."""

    def __init__(self, cap: int, start: int = 32, rpm: float | None = None, tpm: float | None = None) -> None:
        self.window, self.pace = Window(cap, start), Pace(rpm / 60 if rpm else None)
        self.tokens = Tokens(tpm) if tpm else None
        self.inside, self.paused_until, self.latency_s = 0, -math.inf, 0.0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def slots(self) -> int:
        """How many calls are worth having in hand: the window, or less where a pace rules."""
        size = self.window.cap if self.window.ramping else int(self.window.size)
        rate = self.pace.rate
        return size if rate is None else max(1, min(size, math.ceil(rate * (1.2 * self.latency_s + 0.25)) + 2))

    async def enter(self, estimate: int = 0) -> None:
        """Waits until a call of about so many prompt tokens may be sent."""
        loop = asyncio.get_running_loop()
        if not self._waiting and not self._delay(loop.time(), estimate):
            self.inside += 1
            return
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((future, estimate))
        self._admit()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """A call is over, however it ended."""
        self.inside -= 1
        if self._waiting:
            self._admit()

    def pause(self, now: float, seconds: float, most: float = 60.0) -> None:
        """Sends nothing for a while."""
        self.paused_until = max(self.paused_until, now + min(seconds, most))

    def resume(self) -> None:
        """Ends a pause."""
        self.paused_until = -math.inf
        if self._waiting:
            self._admit()

    def _delay(self, now: float, estimate: int) -> float:
        """Returns the seconds after which to look again, infinite for "when one leaves"; 0 lets it through."""
        if now < self.paused_until:
            return self.paused_until - now
        if self.inside >= int(self.window.size):
            if not self.window.ramping:
                return math.inf
            again = self.window.ramp(now)
            if self.inside >= int(self.window.size):
                return max(0.001, again)
        if self.tokens is not None and (wait := self.tokens.wait(now)):
            return wait
        if wait := self.pace.wait(now):
            return wait
        if self.tokens is not None:
            self.tokens.take(estimate)
        return 0.0

    def _admit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting:
            future, estimate = self._waiting[0]
            if not future.done():
                delay = self._delay(loop.time(), estimate)
                if delay:
                    if delay < math.inf:
                        self._timer = loop.call_later(delay, self._admit)
                    return
                self.inside += 1
                future.set_result(None)
            self._waiting.popleft()

    def answered(self, seconds: float, timeout_s: float, now: float) -> None:
        """Takes note of an answer; one that took a third of its time-out asks for fewer in flight."""
        self.latency_s += (seconds - self.latency_s) * (0.1 if self.latency_s else 1.0)
        if self.latency_s > timeout_s / 3:
            self.window.shrink(now, self.latency_s)
        else:
            self.window.answered()

    def close(self) -> None:
        """Stops its timer."""
        if self._timer is not None:
            self._timer.cancel()
