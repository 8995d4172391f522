"""Programs in a real sandbox, one after the other, and how each of them ended."""

import asyncio
import os

from schemas.errors import EndpointError
from schemas.exchange import Request
from tasks.backends.sandbox import Sandbox

LIMITS = {"cpu_s": 1, "wall_s": 4, "memory_mb": 256, "processes": 16, "scratch_mb": 8}
SECRET = "hunter2-in-the-environment"


class Runner:
    """Runs programs in one sandbox and remembers its loop."""

    def __init__(self, means):
        os.environ["PAIRWRIGHT_TEST_SECRET"] = SECRET
        self.loop = asyncio.Runner()
        self.sandbox = Sandbox(means=means, slots=1)
        try:
            self.fingerprint = self.loop.run(self.sandbox.start())
        except EndpointError:
            self.close()
            raise

    def __call__(self, text, **extra):
        limits = LIMITS | extra.pop("limits", {})
        request = Request(model="sandbox", kind="run", text=text, extra={"limits": limits, **extra})
        reply = self.loop.run(self.sandbox.answer(request))
        assert reply.error is None, reply.error
        return reply.choices[0].value

    def still_works(self):
        return self("print(6 * 7)")["stdout"] == "42\n"

    def left(self):
        """Returns what programs left in the scratch folders."""
        return [path for box in self.sandbox._scratch.glob("box*") for path in box.iterdir()]

    def close(self):
        self.loop.run(self.sandbox.close())
        self.loop.close()
        del os.environ["PAIRWRIGHT_TEST_SECRET"]
