"""A small keep-alive HTTP/1.1 client on httptools: one request costs a third of what aiohttp's costs.

Only what a model endpoint needs: http and https, a pool of kept connections, bodies of every framing, a deadline a
request. No redirects, no cookies, no proxies. ``benchmarks/transport.py`` measures it against aiohttp.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from typing import Literal, NamedTuple, cast
from urllib.parse import urlsplit

import httptools

Failure = Literal["connect", "closed", "timeout", "broken"]
MAX_BODY = 256 << 20
MAX_UNPACKED = 64 << 20
"""A packed body may unpack to so much: a few kilobytes can hold gigabytes."""
MAX_HEAD = 1 << 20
IDLE_S = 45.0
"""A connection idle for longer is not used again: proxies on the way forget it without a word."""


class TransportError(Exception):
    """No whole answer came back.

    Args:
        failure: nobody there, closed in mid-way, too late, or not HTTP.
        stale: a kept connection was closed before any byte of the answer; asking again at once is right.
    """

    def __init__(self, failure: Failure, message: str, *, stale: bool = False) -> None:
        super().__init__(message)
        self.failure, self.stale = failure, stale


class Response(NamedTuple):
    """A whole answer; header names are as they came."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        """Returns a header's value, or nothing."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == wanted), "")

    @property
    def content(self) -> bytes:
        """The body, unpacked where the server packed it although it was told not to.

        Raises:
            zlib.error: the packed body is damaged, or unpacks to more than ``MAX_UNPACKED``.
        """
        if self.body[:2] != b"\x1f\x8b":
            return self.body
        unpacking = zlib.decompressobj(47)
        whole = unpacking.decompress(self.body, MAX_UNPACKED)
        if unpacking.unconsumed_tail:
            raise zlib.error(f"a packed body that unpacks to more than {MAX_UNPACKED} bytes")
        if not unpacking.eof:
            raise zlib.error("Error: the packed body is cut")
        return whole


class Connection(asyncio.Protocol):
    """One connection; carries one request at a time."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.waiting: asyncio.Future[Response] | None = None
        self.open, self.uses, self.idle_since = False, 0, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._clear()

    def _clear(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.size, self.head_size, self.headed, self.touched = 0, 0, False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is ready."""
        self.transport = cast("asyncio.Transport", transport)
        self.open = True

    def send(self, data: bytes, timeout_s: float) -> asyncio.Future[Response]:
        """Sends a request; the future is its answer, or a TransportError."""
        loop = asyncio.get_running_loop()
        self.waiting = loop.create_future()
        self._timer = loop.call_later(timeout_s, self._late, timeout_s)
        self.uses += 1
        self._clear()
        self.transport.write(data)
        return self.waiting

    def abort(self) -> None:
        """Drops the connection now, so that the server stops working for it."""
        self.open = False
        if self._timer is not None:
            self._timer.cancel()
        self.transport.abort()

    def _late(self, timeout_s: float) -> None:
        self._fail("timeout", f"no whole answer within {timeout_s:g} s")

    def _fail(self, failure: Failure, message: str, *, stale: bool = False) -> None:
        self.abort()
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(TransportError(failure, message, stale=stale))

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends an answer that lasts until the connection closes; fails any other."""
        self.open = False
        if self.waiting is None or self.waiting.done():
            return
        if self.headed and exc is None and not self._framed():
            self._complete()
            return
        got = f"after {self.size} bytes of the answer" if self.headed else "before an answer"
        why = f" ({exc})" if exc else ""
        self._fail("closed", f"the connection was closed {got}{why}", stale=self.uses > 1 and not self.touched)

    def _framed(self) -> bool:
        return any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; what is not HTTP fails the request, and what nobody asked for ends the connection."""
        if self.waiting is None or self.waiting.done():
            self.abort()
            return
        self.touched = True
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail("broken", f"the answer is not HTTP: {error}")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header, up to a size no honest head has."""
        self.head_size += len(name) + len(value)
        if self.head_size > MAX_HEAD:
            self._fail("broken", f"the head of the answer is larger than {MAX_HEAD} bytes")
        else:
            self.headers.append((name, value))

    def on_message_begin(self) -> None:
        """Ends the connection where one request is answered twice: the second would be taken for the next one's."""
        if self.waiting is None or self.waiting.done():
            self.abort()

    def on_headers_complete(self) -> None:
        """Notes that the head is whole."""
        self.headed = True

    def on_body(self, data: bytes) -> None:
        """Collects the body, up to a size no honest answer has."""
        self.size += len(data)
        if self.size <= MAX_BODY:
            self.body.append(data)
        else:
            self._fail("broken", f"the answer is larger than {MAX_BODY} bytes")

    def on_message_complete(self) -> None:
        """Hands the answer over; an interim one (100 to 199) only announces it."""
        if self.parser.get_status_code() < 200:
            self._clear()
        else:
            self._complete()

    def _complete(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.open and not self.parser.should_keep_alive():
            self.open = False
            self.transport.close()
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(Response(self.parser.get_status_code(), self.headers, b"".join(self.body)))


class Client:
    """Keeps connections to one base URL.

    Args:
        url: scheme, host, port and path that every route is below. headers: sent with every request.
    """

    def __init__(self, url: str, headers: dict[str, str] | None = None, connect_s: float = 10.0) -> None:
        parts = urlsplit(url)
        self.url, self.connect_s = url, connect_s
        self.host, self.secure = parts.hostname or "", parts.scheme == "https"
        self.port = parts.port or (443 if self.secure else 80)
        self._base = parts.path.rstrip("/")
        fixed = {"Host": parts.netloc, "Accept-Encoding": "identity", **(headers or {})}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._heads: dict[str, bytes] = {}
        self._ssl: ssl.SSLContext | None = None
        self._idle: list[Connection] = []

    async def post(self, route: str, body: bytes, timeout_s: float, kind: str = "application/json") -> Response:
        """Returns the answer to a body of that content type.

        Raises:
            TransportError: no whole answer came back.
        """
        head = self._heads.get(route + kind)
        if head is None:
            lines = f"POST {self._base}{route} HTTP/1.1\r\n{self._head}Content-Type: {kind}\r\n"
            head = self._heads[route + kind] = f"{lines}Content-Length: ".encode()
        return await self.exchange(b"%b%d\r\n\r\n%b" % (head, len(body), body), timeout_s)

    async def get(self, route: str, timeout_s: float) -> Response:
        """Returns what is at a route.

        Raises:
            TransportError: no whole answer came back.
        """
        return await self.exchange(f"GET {self._base}{route} HTTP/1.1\r\n{self._head}\r\n".encode(), timeout_s)

    async def exchange(self, data: bytes, timeout_s: float) -> Response:
        """Sends the bytes of one request over a kept or a new connection, and returns the answer."""
        connection = self._kept() or await self._connect(min(self.connect_s, timeout_s))
        try:
            response = await connection.send(data, timeout_s)
        except asyncio.CancelledError:
            connection.abort()
            raise
        if connection.open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        return response

    def _kept(self) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.open and now - connection.idle_since < IDLE_S:
                return connection
            connection.abort()
        return None

    async def _connect(self, timeout_s: float) -> Connection:
        if self.secure and self._ssl is None:
            self._ssl = ssl.create_default_context()
        try:
            async with asyncio.timeout(timeout_s):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(Connection, self.host, self.port, ssl=self._ssl)
        except TimeoutError as error:
            raise TransportError("connect", f"no connection to {self.host}:{self.port} in {timeout_s:g} s") from error
        except (OSError, ssl.SSLError, UnicodeError, OverflowError) as error:
            raise TransportError("connect", f"no connection to {self.host}:{self.port}: {error}") from error
        return connection

    async def close(self) -> None:
        """Closes the kept connections."""
        while self._idle:
            self._idle.pop().abort()
        await asyncio.sleep(0)
