"""The HTTP client: connections are kept, counted and let go."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from benchmarks.engine import Canned, Engine, canned
from tasks.backends.http import Client, TransportError


def test_a_connection_is_used_again_and_closed_at_the_end() -> None:
    async def run() -> None:
        engine = Engine()
        async with engine.serve() as url:
            client = Client(url)
            for _ in range(5):
                assert (await client.get("/health", 5)).status == 200
            assert engine.stats()["connections"] == 1
            await client.close()
            await asyncio.sleep(0.05)
            assert engine.stats()["connections_open"] == 0

    asyncio.run(run())


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    async def run() -> None:
        engine = Engine()
        async with engine.serve() as url:
            client = Client(url)
            await client.get("/health", 5)
            for connection in list(engine.connections):
                connection.transport.close()
            await asyncio.sleep(0.05)
            assert (await client.get("/health", 5)).status == 200
            assert engine.stats()["connections"] == 2
            await client.close()

    asyncio.run(run())


def test_a_connection_the_server_wants_closed_is_not_kept() -> None:
    async def run() -> None:
        engine = Engine()
        engine.script.extend([canned({}, headers={"connection": "close"}, then="close")])
        async with engine.serve() as url:
            client = Client(url)
            assert (await client.post("/chat/completions", b"{}", 5)).body == b"{}"
            assert client._idle == []

    asyncio.run(run())


def test_a_late_answer_frees_its_connection() -> None:
    async def run() -> None:
        engine = Engine()
        engine.script.append(Canned(then="hang"))
        async with engine.serve() as url:
            client = Client(url)
            with pytest.raises(TransportError, match=r"no whole answer within 0\.05 s") as raised:
                await client.post("/chat/completions", b"{}", 0.05)
            assert raised.value.failure == "timeout"
            await asyncio.sleep(0.05)
            assert engine.stats()["connections_open"] == 0

    asyncio.run(run())


def test_an_answer_after_nothing_was_asked_is_not_taken_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        engine = Engine()
        double = canned({"answer": 1}).raw + canned({"answer": "nobody asked"}).raw
        engine.script.extend([Canned(double), canned({"answer": 2})])
        async with engine.serve() as url:
            client = Client(url)
            bodies = [(await client.post("/chat/completions", b"{}", 5)).body for _ in range(2)]
            assert bodies == [b'{"answer":1}', b'{"answer":2}']
            await client.close()

    asyncio.run(run())


def test_https_is_spoken_and_a_certificate_nobody_vouches_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {pem}.key -out {pem} -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, f"{pem}.key")

    async def run() -> None:
        engine = Engine()
        async with engine.serve(ssl=context) as url:
            assert url.startswith("https://")
            with pytest.raises(TransportError, match="certificate"):
                await Client(url).get("/health", 5)
            monkeypatch.setenv("SSL_CERT_FILE", str(pem))
            client = Client(url)
            assert (await client.get("/health", 5)).status == 200
            await client.close()
            await asyncio.sleep(0.05)

    asyncio.run(run())
