"""What one request costs the client, in CPU: our HTTP client against aiohttp, over the simulated engine.

``python -m benchmarks.transport --requests 20000`` prints one JSON line a transport; the engine runs in a process of
its own and answers at once, so that all the client's time is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import orjson
import uvloop

from tasks.backends.http import Client

Post = Callable[[bytes], Awaitable[bytes]]
BODY = orjson.dumps({
    "model": "text", "n": 1, "temperature": 1.0, "max_tokens": 1024,
    "messages": [{"role": "user", "content": "find the sum of the given numbers and show each step " * 12}],
})  # fmt: skip


@contextlib.contextmanager
def engine(*options: str) -> Iterator[str]:
    """Runs a simulated engine in a process of its own and gives its base URL."""
    command = [sys.executable, "-m", "benchmarks.engine", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def flood(post: Post, requests: int, width: int) -> dict[str, float]:
    """Returns the CPU milliseconds a request, with ``width`` requests in flight."""
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            orjson.loads(await post(BODY))

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(width)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_ms_a_request": round(1000 * cpu / requests, 3), "requests_s": round(requests / wall)}


async def ours(url: str, requests: int, width: int) -> dict[str, float]:
    """Measures ``tasks.backends.http``."""
    client = Client(url)

    async def post(body: bytes) -> bytes:
        return (await client.post("/chat/completions", body, 60)).body

    result = await flood(post, requests, width)
    await client.close()
    return result


async def through_aiohttp(url: str, requests: int, width: int) -> dict[str, float]:
    """Measures aiohttp, which is not among our dependencies: ``pip install aiohttp``."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=width)) as session:

        async def post(body: bytes) -> bytes:
            async with session.post(f"{url}/chat/completions", data=body) as response:
                return await response.read()

        return await flood(post, requests, width)


def main() -> None:
    """Prints both, twice, alternating."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    chosen = parser.parse_args()
    options = ["--prefill-ms", str(chosen.latency_ms), "--tpot-ms", "0", "--slots", str(4 * chosen.width)]
    for _ in range(2):
        for name, measure in (("ours", ours), ("aiohttp", through_aiohttp)):
            with engine(*options) as url:
                result = uvloop.run(measure(url, chosen.requests, chosen.width))
            print(orjson.dumps({"transport": name, **result}).decode(), flush=True)


if __name__ == "__main__":
    main()
