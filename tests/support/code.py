"""The judge of programs with a real sandbox behind it."""

import asyncio
import json

from schemas.messages import assistant, to_rows
from tasks.backends.sandbox import Sandbox
from tasks.judges.code_tests import code_tests


class Judge:
    """Judges programs by tests in one real sandbox."""

    def __init__(self):
        self.loop = asyncio.Runner()
        self.sandbox = Sandbox()
        self.loop.run(self.sandbox.start())

    def __call__(self, tests, *texts, prompt="Write it.", finish="stop", **settings):
        row = {"messages": to_rows(prompt), "tests": tests if isinstance(tests, str) else json.dumps(tests)}
        completions = [
            {"completion_id": f"c{i}", "sample_index": i, "messages": assistant(text), "finish_reason": finish}
            for i, text in enumerate(texts)
        ]
        return self.loop.run(self._drive(code_tests(row, completions, **settings)))

    async def _drive(self, exchange):
        try:
            requests = next(exchange)
            while True:
                requests = exchange.send(await asyncio.gather(*[self.sandbox.answer(r) for r in requests]))
        except StopIteration as end:
            return end.value

    def one(self, tests, text, **settings):
        (row,) = self(tests, text, **settings)
        return row

    def close(self):
        self.loop.run(self.sandbox.close())
        self.loop.close()
