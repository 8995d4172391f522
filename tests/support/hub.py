"""A server on a real socket that speaks as much of the Hugging Face Hub's protocol as publishing and loading need.

It keeps repositories in memory: commits with their files, large files by hash, tags. ``pause`` makes it hang, with the
work done, at the answer of one kind of request, so that a client can be killed there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

DATE = "2026-01-01T00:00:00.000Z"


@dataclass
class Commit:
    """One commit: its id, title and all files after it."""

    oid: str
    title: str
    files: dict[str, bytes]


@dataclass
class Repository:
    """One dataset repository."""

    private: bool
    commits: list[Commit]
    tags: dict[str, str] = field(default_factory=dict)


class Hub(ThreadingHTTPServer):
    """The server. ``seen`` are the requests so far; ``paused`` is set once one hangs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.pause: str | None = None
        self.paused, self.go_on = threading.Event(), threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"

    def hang(self, kind: str) -> None:
        """Waits, once, where a request of this kind is to be paused."""
        if self.pause == kind:
            self.pause = None
            self.paused.set()
            self.go_on.wait(60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self._body()
        path = unquote(urlsplit(self.path).path)
        self.server.seen.append(f"{self.command} {path}")
        try:
            self._route(path, body)
        except (KeyError, StopIteration):
            self._answer({"error": f"not found: {path}"}, 404, {"X-Error-Code": "RepoNotFound"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                parts += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return parts
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _route(self, path: str, body: bytes) -> None:
        hub = self.server
        parts = path.strip("/").split("/")
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._answer({"errors": [], "warnings": []})
        if parts[0] == "large":
            if self.command == "PUT":
                hub.large[parts[1]] = body
                hub.hang("upload")
            return self._answer({})
        if parts[0] == "datasets" and parts[-1] == "batch":
            return self._batch(json.loads(body))
        if parts[0] == "datasets" and "resolve" in parts:
            return self._resolve(hub.repositories["/".join(parts[1:3])], parts[4], "/".join(parts[5:]))
        name, rest = "/".join(parts[2:4]), parts[4:]
        return self._api(name, hub.repositories[name], rest, body)

    def _api(self, name: str, repository: Repository, rest: list[str], body: bytes) -> None:
        hub, head = self.server, repository.commits[-1]
        if not rest or rest[0] == "revision":
            commit = self._at(repository, rest[1] if rest else "main")
            files = [{"rfilename": path} for path in commit.files]
            return self._answer({"id": name, "sha": commit.oid, "private": repository.private, "siblings": files,
                                 "tags": [], "downloads": 0, "likes": 0, "lastModified": DATE})  # fmt: skip
        if rest[0] == "refs":
            tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": oid} for t, oid in repository.tags.items()]
            main = [{"name": "main", "ref": "refs/heads/main", "targetCommit": head.oid}]
            return self._answer({"branches": main, "converts": [], "tags": tags})
        if rest[0] == "commits":
            rows = [{"id": c.oid, "title": c.title, "message": "", "authors": [], "date": DATE}
                    for c in reversed(repository.commits)]  # fmt: skip
            return self._answer(rows)
        if rest[0] == "preupload":
            files = [{"path": f["path"], "uploadMode": "lfs" if f["path"].endswith(".parquet") else "regular",
                      "shouldIgnore": False} for f in json.loads(body)["files"]]  # fmt: skip
            return self._answer({"files": files})
        if rest[0] == "commit":
            return self._commit(name, repository, body)
        if rest[0] == "tag":
            tag = json.loads(body)["tag"]
            repository.tags[tag] = self._at(repository, rest[1]).oid
            hub.hang("tag")
            return self._answer({})
        if rest[0] == "tree":
            return self._answer(self._tree(self._at(repository, rest[1]), "/".join(rest[2:])))
        if rest[0] == "paths-info":
            return self._answer([])
        raise KeyError(rest[0])

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = {"url": f"{self.server.url}/datasets/{name}", "name": name, "id": name}
        with self.server.lock:
            if name in self.server.repositories:
                return self._answer({"error": "You already created this dataset repo", **url}, 409)
            first = Commit("0" * 40, "initial commit", {".gitattributes": b"*.parquet filter=lfs\n"})
            private = bool(asked.get("private")) or asked.get("visibility") == "private"
            self.server.repositories[name] = Repository(private, [first])
        self.server.hang("create")
        return self._answer(url)

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for item in asked["objects"]:
            there = item["oid"] in self.server.large
            link = {"href": f"{self.server.url}/large/{item['oid']}"}
            objects.append({**item, "authenticated": True, **({} if there else {"actions": {"upload": link}})})
        self._answer({"transfer": "basic", "objects": objects})

    def _commit(self, name: str, repository: Repository, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        with self.server.lock:
            head = repository.commits[-1]
            if header.get("parentCommit") not in (None, head.oid):
                return self._answer({"error": "A commit has happened since. Please refresh and try again."}, 412)
            files = dict(head.files)
            for line in lines:
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    files[value["path"]] = self.server.large[value["oid"]]
                elif line["key"] == "deletedFile":
                    del files[value["path"]]
            oid = hashlib.sha1(f"{head.oid}{header}".encode() + body).hexdigest()
            repository.commits.append(Commit(oid, header["summary"], files))
        self.server.hang("commit")
        return self._answer(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/datasets/{name}/commit/{oid}"}
        )

    def _at(self, repository: Repository, revision: str) -> Commit:
        oid = repository.tags.get(revision, repository.commits[-1].oid if revision == "main" else revision)
        return next(commit for commit in repository.commits if commit.oid == oid)

    def _tree(self, commit: Commit, under: str) -> list[dict[str, Any]]:
        inside = {path: data for path, data in commit.files.items() if not under or path.startswith(under + "/")}
        folders = {path.rsplit("/", 1)[0] for path in inside if "/" in path} - {under}
        rows: list[dict[str, Any]] = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": f} for f in folders]
        return rows + [
            {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": len(data), "path": path}
            for path, data in inside.items()
        ]

    def _resolve(self, repository: Repository, revision: str, path: str) -> None:
        commit = self._at(repository, revision)
        if path not in commit.files:
            return self._answer({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
        data = commit.files[path]
        asked = self.headers.get("Range")
        tag = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": commit.oid}
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            part = data[int(start) : int(end) + 1 if end else None]
            span = f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"
            return self._answer(part, 206, {**tag, "Content-Range": span})
        return self._answer(data, 200, {**tag, "Accept-Ranges": "bytes"})
