"""The Batch API's calls: upload a file, start a job, look at it, fetch its results; patient with faults."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from schemas.errors import EndpointError
from tasks.backends import openai_faults as faults
from tasks.backends.http import Response, TransportError
from tasks.backends.replicas import Replica

PATIENCE = 60
"""So many failures in a row, half an hour with the pauses between them, and the endpoint is taken to be gone."""
LONGEST_PAUSE_S = 30.0
CALL_S = 300.0


class Jobs:
    """The jobs of one account.

    Args:
        fatal: makes the error of an answer that makes going on pointless.
    """

    def __init__(self, replica: Replica, fatal: Callable[[Replica, Response], EndpointError]) -> None:
        self.replica, self._fatal = replica, fatal

    async def create(self, lines: bytes, url: str, metadata: dict[str, str]) -> str:
        """Starts a job over a file of requests and returns its id; a lost answer never starts it twice.

        Raises:
            EndpointError: the endpoint refuses it, or is gone.
        """
        file = (await self._upload(lines))["id"]
        asked = {"input_file_id": file, "endpoint": url, "completion_window": "24h", "metadata": metadata}
        for failures in range(PATIENCE):
            try:
                response = await self.replica.client.post("/batches", orjson.dumps(asked), CALL_S)
            except TransportError as error:
                what = str(error)
            else:
                if response.status == 200:
                    return str(orjson.loads(response.body)["id"])
                what = self._sorted(response)
            await asyncio.sleep(_pause(failures))
            async for job in self.all():  # it may have been started although its answer was lost
                if job.get("input_file_id") == file:
                    return str(job["id"])
        raise EndpointError(f"{self.replica.url}: no batch job could be started: {what}")

    async def _upload(self, lines: bytes) -> dict[str, Any]:
        boundary = secrets.token_hex(16)
        form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="requests.jsonl"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        )
        body = form.encode() + lines + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return _object(await self._call(lambda: self.replica.client.post("/files", body, CALL_S, kind)))

    async def get(self, name: str) -> dict[str, Any]:
        """Returns a job as it stands."""
        return _object(await self._call(lambda: self.replica.client.get(f"/batches/{name}", CALL_S)))

    async def all(self) -> AsyncIterator[dict[str, Any]]:
        """Yields every job, newest first."""
        after = ""
        while True:
            page = await self._page(f"/batches?limit=100{after}")
            for job in page.get("data") or ():
                yield job
            if not page.get("has_more") or not page.get("data"):
                return
            after = f"&after={page['data'][-1]['id']}"

    async def _page(self, route: str) -> dict[str, Any]:
        return _object(await self._call(lambda: self.replica.client.get(route, CALL_S)))

    async def content(self, file: str) -> bytes:
        """Returns a file."""
        return (await self._call(lambda: self.replica.client.get(f"/files/{file}/content", CALL_S))).content

    async def lines(self, file: str | None) -> AsyncIterator[dict[str, Any]]:
        """Yields the objects of a JSONL file; none where there is no file. A line that is none is passed over."""
        if not file:
            return
        for line in (await self.content(file)).splitlines():
            try:
                parsed = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(parsed, dict):
                yield parsed

    async def _call(self, send: Callable[[], Any]) -> Response:
        what = ""
        for failures in range(PATIENCE):
            try:
                response: Response = await send()
            except TransportError as error:
                what = str(error)
            else:
                if response.status == 200:
                    return response
                what = self._sorted(response)
            await asyncio.sleep(_pause(failures))
        raise EndpointError(f"{self.replica.url} has not answered for half an hour: {what}")

    def _sorted(self, response: Response) -> str:
        """Returns what a fault that may pass says; raises for one that stays."""
        message = faults.message(response)
        if response.status not in faults.RETRYABLE and response.status < 500:
            if faults.is_fatal(response.status, message, answered=False):
                raise self._fatal(self.replica, response)
            raise EndpointError(f"{self.replica.url} refuses the batch job: HTTP {response.status}: {message}")
        return f"HTTP {response.status}: {message}"


def _pause(failures: int) -> float:
    return min(LONGEST_PAUSE_S, 0.25 * 2.0**failures)


def _object(response: Response) -> dict[str, Any]:
    data = orjson.loads(response.body)
    if not isinstance(data, dict):
        raise EndpointError(f"the Batch API answered {type(data).__name__} where an object belongs")
    return data
