"""The process that keeps a managed engine: started by the first who wants it, gone with the last.

Everybody who uses the engine holds a connection to the keeper's socket. The kernel closes it however they die, so the
count of users is never wrong and needs no process ids. Ends of the keeper itself are covered from both sides: a second
tiny process ends the engine when the keeper is gone, and users start a new keeper.

    user   -> keeper   {"check": 7}, {"bye": true}
    keeper -> user     {"state": {...}}, {"checked": 7, "well": 1, "state": {...}}, {"failed": "why"}

``python -m tasks.backends.vllm_keeper FOLDER``; the folder holds ``launch.json``.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson

from tasks.backends.vllm_launch import Launch, signature
from tasks.backends.vllm_model import of_folder
from tasks.backends.vllm_replica import Failed, Replica

log = logging.getLogger("vllm_keeper")
SOCKET = "keeper.sock"
FIRST_USER_S = 60.0
UNDERTAKER = """
import os, signal, sys, time
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == '+' else groups.discard)(int(line[1:]))
end = time.monotonic() + 10
while groups and time.monotonic() < end:
    for group in list(groups):
        try: os.killpg(group, signal.SIGKILL)
        except ProcessLookupError: groups.discard(group)
        except PermissionError: groups.discard(group)
    time.sleep(0.05)
"""


class Undertaker:
    """A process that kills the engines when the pipe to it closes, which it does however the keeper ends.

    Args:
        lock: a descriptor of the keeper's lock: nobody starts these engines anew before the old ones are gone.
    """

    def __init__(self, lock: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", UNDERTAKER], stdin=subprocess.PIPE, start_new_session=True,
            pass_fds=[lock],
        )  # fmt: skip

    def born(self, group: int) -> None:
        """Notes a process group."""
        self._tell(f"+{group}\n")

    def buried(self, group: int) -> None:
        """Forgets it."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Lets it go."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class Keeper:
    """Keeps the replicas of one launch for its users."""

    def __init__(self, home: Path, undertaker: Undertaker) -> None:
        self.home, self.launch, self.undertaker = home, Launch.read(home), undertaker
        self.replicas = [Replica(self.launch, i, home, undertaker, self.tell) for i in range(len(self.launch.ports))]
        self.users: set[asyncio.StreamWriter] = set()
        self.hashes: dict[str, str] | None = None if self.launch.folder else {}
        self.failed: str | None = None
        self.over = asyncio.Event()
        self._leaving: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serves users until the last one has gone, or the engines cannot be kept alive."""
        path = self.home / SOCKET
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._user, path)
        self._leave_after(FIRST_USER_S)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.over.set)
        work = [asyncio.create_task(self._keep(replica)) for replica in self.replicas]
        work.append(asyncio.create_task(self._hash()))
        await self.over.wait()
        path.unlink(missing_ok=True)  # from here on whoever comes starts a keeper of its own, which waits for this one
        server.close()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await asyncio.gather(*(replica.end() for replica in self.replicas))

    async def _keep(self, replica: Replica) -> None:
        try:
            await replica.keep()
        except Failed as error:
            self.failed = self.failed or str(error)
            log.error("%s", error)
            for user in list(self.users):
                await _send(user, {"failed": self.failed})
            self.over.set()

    async def _hash(self) -> None:
        """Hashes the checkpoint while the engines load it."""
        if self.launch.folder:
            hashes = await asyncio.to_thread(of_folder, self.launch.folder)
            if signature(self.launch.folder) != self.launch.signature:
                hashes["revision"] += "-changed-while-loaded"
            self.hashes = hashes
            self.tell()

    def state(self) -> dict[str, Any]:
        """Returns what users are told."""
        return {
            "urls": [replica.url for replica in self.replicas], "ready": [replica.ready for replica in self.replicas],
            "crashes": sum(replica.crashes for replica in self.replicas),
            "stages": [replica.stage for replica in self.replicas], "hashes": self.hashes,
            "version": self.replicas[0].version, "dtype": self.replicas[0].dtype, "keeper": os.getpid(),
            "groups": [replica.process.group for replica in self.replicas],
        }  # fmt: skip

    def tell(self) -> None:
        """Tells every user how things stand."""
        line = orjson.dumps({"state": self.state()}) + b"\n"
        for user in self.users:
            user.write(line)

    async def _user(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.users.add(writer)
        if self._leaving is not None:
            self._leaving.cancel()
        try:
            await _send(writer, {"failed": self.failed} if self.failed else {"state": self.state()})
            while line := await reader.readline():
                said = orjson.loads(line)
                if "bye" in said:
                    break
                well = sum(await asyncio.gather(*(replica.well() for replica in self.replicas)))
                await _send(writer, {"checked": said["check"], "well": well, "state": self.state()})
        except (ConnectionError, orjson.JSONDecodeError) as error:
            log.info("a user is gone: %r", error)
        self.users.discard(writer)
        if self.users or self.launch.linger_s:
            writer.close()
        if not self.users:  # the last one's connection closes with this process, when all is gone
            self._leave_after(self.launch.linger_s)

    def _leave_after(self, seconds: float) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        if seconds:
            self._leaving = asyncio.get_running_loop().call_later(seconds, self._leave)
        else:
            self._leave()

    def _leave(self) -> None:
        if not self.users:
            self.over.set()


async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(orjson.dumps(message) + b"\n")
        await writer.drain()


def main(home: Path) -> None:
    """Keeps the engine of a folder; waits first until an earlier keeper of it is gone."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH", "").partition(os.pathsep)[2]  # the first part is ours alone
    with (home / "keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in home.glob("replica-*.log"):
            old.replace(old.with_suffix(".previous.log"))
        undertaker = Undertaker(lock.fileno())
        asyncio.run(_main(home, undertaker))
        undertaker.close()


async def _main(home: Path, undertaker: Undertaker) -> None:
    await Keeper(home, undertaker).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
