"""The simulated engine's Batch API: upload a file of requests, start a batch, poll it, fetch its results."""

from __future__ import annotations

import re
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.engine_http import Canned, canned
from benchmarks.engine_replies import fault_of, sequences, whole

if TYPE_CHECKING:
    from benchmarks.engine import Engine


class Batches:
    """Files and batch jobs; a job's answers are made when it is first looked at after its time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, float] = {}

    def route(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> Canned:
        """Returns the answer to a request below ``/files`` or ``/batches``."""
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if method == "POST" and parts == ["files"]:
            return canned(self.upload(headers[b"content-type"], body))
        if method == "POST" and parts == ["batches"]:
            return canned(self.create(orjson.loads(body)))
        if parts == ["batches"]:
            return canned(self.listed(query))
        if parts[0] == "batches" and parts[1] in self.jobs:
            return canned(self.look(parts[1]))
        if parts[0] == "files" and parts[1] in self.files and parts[2:] == ["content"]:
            return canned(self.files[parts[1]])
        return canned({"error": {"message": f"no {path}"}}, 404)

    def upload(self, content_type: bytes, body: bytes) -> dict[str, Any]:
        """Keeps the file of a multipart form."""
        boundary = b"--" + content_type.partition(b"boundary=")[2]
        part = next(part for part in body.split(boundary) if b"filename=" in part)
        name = self._keep(part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))
        return {"id": name, "object": "file", "purpose": "batch"}

    def _keep(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Starts a job."""
        name = f"batch-{len(self.jobs):04d}"
        job = {"id": name, "object": "batch", "status": "in_progress", "created_at": int(time.time()), **asked}
        self.jobs[name], self.ends[name] = job, time.monotonic() + self.engine.options.batch_s
        self.engine.count["batches"] += 1
        return job

    def listed(self, query: str) -> dict[str, Any]:
        """Returns a page of jobs, newest first."""
        names = sorted(self.jobs, reverse=True)
        after = re.search(r"after=([\w-]+)", query)
        limit = re.search(r"limit=(\d+)", query)
        start = names.index(after[1]) + 1 if after else 0
        end = start + (int(limit[1]) if limit else 20)
        return {"data": [self.look(name) for name in names[start:end]], "has_more": end < len(names)}

    def look(self, name: str) -> dict[str, Any]:
        """Returns a job as it stands now."""
        job = self.jobs[name]
        if job["status"] == "in_progress" and time.monotonic() >= self.ends[name]:
            self._finish(job)
        return job

    def _finish(self, job: dict[str, Any]) -> None:
        engine, good, bad = self.engine, list[bytes](), list[bytes]()
        lines = [orjson.loads(line) for line in self.files[job["input_file_id"]].splitlines()]
        done = max(1, round(len(lines) * engine.options.batch_done))
        for number, line in enumerate(lines):
            engine.count["batch_requests"] += 1
            if number >= done:
                bad.append(orjson.dumps({"custom_id": line["custom_id"], "error": {"code": "batch_expired"}}))
                continue
            status, body = self._answer(line)
            result = {"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
            (good if status == 200 else bad).append(orjson.dumps(result))
        engine.random.shuffle(good)  # results come in any order
        job["status"] = "completed" if done == len(lines) else "expired"
        job["output_file_id"] = self._keep(b"\n".join(good)) if good else None
        job["error_file_id"] = self._keep(b"\n".join(bad)) if bad else None

    def _answer(self, line: dict[str, Any]) -> tuple[int, Any]:
        engine, request = self.engine, line["body"]
        engine.seen.append(request)
        key = blake2b(orjson.dumps(request), digest_size=8).digest()
        engine.asked[key] += 1
        if fault_of(engine) in ("429", "500"):
            return 500, {"error": {"message": "internal error"}}
        chat = line["url"].endswith("/chat/completions")
        engine.answered[key] += 1
        engine.count["sequences"] += request.get("n") or 1
        return 200, whole(engine, request, key, chat, sequences(engine, request, chat, engine.asked[key]))
