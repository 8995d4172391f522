"""How long an endpoint that gives no answers is waited for, and what it said last."""

from __future__ import annotations

import asyncio
import logging
import math

from schemas.errors import EndpointError
from tasks.backends.openai_faults import Fault, out_of_quota, silent, spoken

log = logging.getLogger(__name__)
PATIENCE_S = 300.0
START_S = 15.0
"""An endpoint that has never answered in this run is given up on after so long."""


class Away:
    """Keeps the time since an endpoint last answered.

    Args:
        spec: for messages. patience_s: so long it is waited for once it has answered; null leaves it to the run.

    Attributes:
        answered: whether it ever did in this run. what: what went wrong last, for who watches. waiting: calls that
            wait to be made again. start_s: what is given to one that has never answered. fixed: its SPEC says how long.
    """

    def __init__(self, spec: str, patience_s: float | None) -> None:
        self.spec, self.start_s, self.fixed = spec, START_S, patience_s is not None
        self.patience_s = PATIENCE_S if patience_s is None else patience_s
        self.answered, self.what, self.waiting = False, "", 0
        self._last, self._since = -math.inf, math.inf
        self._stop: asyncio.Event | None = None
        self.stopped = False

    def wait_for(self, patience_s: float) -> None:
        """Takes the run's patience, unless its own SPEC says how long."""
        if not self.fixed:
            self.patience_s = patience_s

    def came(self, now: float) -> None:
        """Takes note of an answer."""
        self.answered, self._last, self._since = True, now, math.inf

    def excuses(self, fault: Fault, asked: float) -> bool:
        """Whether a fault is the endpoint's and not the call's: it is away, and nothing came since this was sent."""
        self.what = fault.what
        if fault.quota:
            return True
        return (fault.limited or (fault.outage and self.answered)) and self._last <= asked

    def bear(self, url: str, fault: Fault, now: float, pause: float) -> None:
        """Says once that it is waited for.

        Raises:
            EndpointError: it has been away for longer than patience lasts.
        """
        first = self._since == math.inf
        self._since = min(self._since, now)
        if now + pause - self._since > self.patience_s:
            if fault.limited or fault.quota:
                raise EndpointError(out_of_quota(url, fault.what, fault.after_s, self.patience_s))
            raise EndpointError(
                f"{silent(url, spoken(now - self._since), fault.what)} Every answer is kept, the same command goes on "
                "from here; ?patience=… in the SPEC waits for longer"
            )
        if first and (fault.outage or fault.quota):
            log.warning("%s: %s; waiting for it, up to %s", self.spec, fault.what, spoken(self.patience_s))

    async def sleep(self, seconds: float) -> None:
        """Waits before the next attempt; ends early when nobody wants to wait any longer."""
        self._stop = self._stop or asyncio.Event()
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
        finally:
            self.waiting -= 1

    def stop(self) -> None:
        """Ends every wait."""
        self.stopped = True
        if self._stop is not None:
            self._stop.set()
