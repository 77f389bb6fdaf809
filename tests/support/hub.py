"""A fake of the Hub's dataset API, over real HTTP. It keeps what is committed and can be made to fail."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPO = "lab/votes"


@dataclass
class Hub:
    """A running server.

    ``files`` are the repository's files by path. ``commits`` holds the paths of each commit. ``history`` holds the
    content of every committed file. ``down`` makes every POST fail with 403.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[list[str]] = field(default_factory=list)
    history: list[bytes] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    requested_paths: list[str] = field(default_factory=list)
    down: bool = False

    def rows(self) -> list[dict[str, Any]]:
        """The lines of all data files."""
        data = [text for path, text in sorted(self.files.items()) if path.endswith(".jsonl")]
        return [json.loads(line) for text in data for line in text.decode().split("\n") if line]

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """The Hub's reply to a POST."""
        if path.endswith("/preupload/main"):
            return {"files": [self._mode(one["path"]) for one in json.loads(body)["files"]]}
        if path.endswith("/commit/main"):
            return self._commit([json.loads(line) for line in body.splitlines()])
        if path.endswith("/super-squash/main"):
            self.history = list(self.files.values())
            return {}
        if path.endswith("/validate-yaml"):
            return {"errors": [], "warnings": []}
        return {"url": f"{self.url}/datasets/{REPO}"}  # the reply to /api/repos/create

    def _mode(self, path: str) -> dict[str, Any]:
        known = self.files.get(path)
        oid = known and hashlib.sha1(b"blob %d\0" % len(known) + known, usedforsecurity=False).hexdigest()
        return {"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": oid or None}

    def _commit(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        added = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"])
            for line in lines
            if line["key"] == "file"
        }
        self.files |= added
        self.commits.append(sorted(added))
        self.history += added.values()
        return {"commitUrl": f"{self.url}/datasets/{REPO}/commit/{'0' * 40}", "commitOid": "0" * 40}


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """A hub on a free port of this machine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            known = self.path.partition("/resolve/main/")[2] in hub.files
            headers = (
                {"ETag": '"1"', "X-Repo-Commit": "0" * 40} if known else {"X-Error-Code": "EntryNotFound"}
            )
            self._send(200 if known else 404, b"", headers)

        def do_GET(self) -> None:
            self._send(200, json.dumps({"id": REPO, "sha": "0" * 40}).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                hub.tokens.add(self.headers.get("Authorization", ""))
                reply = json.dumps({} if hub.down else hub.answer(self.path, body)).encode()
            self._send(403 if hub.down else 200, reply)

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            hub.requested_paths.append(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the log off the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True  # connections are kept open
        server.block_on_close = False
        hub = Hub(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
