"""A fake judge server for tests. It speaks the chat-completions API over real HTTP with scripted replies."""

import json
import math
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[[BaseHTTPRequestHandler], None]
"""Handles one request."""

GOOD = '{"rationale": "It says so.", "score": 2}'


def sends_bytes(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Step:
    """Send these bytes as they are."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def replies(
    content: str | None, tokens: Sequence[tuple[str, Mapping[str, float]]] = (), end: str = "stop"
) -> Step:
    """Send a completion. ``tokens`` are its tokens, each with the probabilities of its alternatives."""
    entries = [{"token": text, "logprob": -0.1, "top_logprobs": _top(chances)} for text, chances in tokens]
    choice = {"index": 0, "finish_reason": end, "message": {"role": "assistant", "content": content}}
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "judge",
        "choices": [{**choice, "logprobs": {"content": entries} if entries else None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    return sends_bytes(json.dumps(body).encode())


def fails(status: int, message: str = "no", **headers: str) -> Step:
    """Send an error in the form of OpenAI's API."""
    body = json.dumps({"error": {"message": message}}).encode()
    return sends_bytes(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def hangs(seconds: float) -> Step:
    """Send nothing for this many seconds."""
    return lambda _: time.sleep(seconds)


def slowly(step: Step) -> Step:
    """Do that step after 50 ms."""

    def later(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.05)
        step(handler)

    return later


def drops(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a reply."""
    handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class StandIn:
    """A running server. ``script`` maps a text in the prompt to the steps to do in turn. The last step repeats."""

    url: str
    script: dict[str, list[Step]] = field(default_factory=dict)
    otherwise: Step = field(default_factory=lambda: replies(GOOD))
    refusal: Step | None = None
    """The step for a request that asks for log-probabilities, where the server refuses them."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    request_counts: Counter[str] = field(default_factory=Counter)
    max_open_requests: int = 0
    """The most requests that were open at once."""

    def prompts(self) -> list[str]:
        """The texts of the user messages."""
        return [body["messages"][1]["content"] for body in self.bodies]


@contextmanager
def serving() -> Iterator[StandIn]:
    """A server on a free port of this machine."""
    lock, counts = threading.Lock(), defaultdict[str, int](int)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                counts["open"] += 1
                stand_in.max_open_requests = max(stand_in.max_open_requests, counts["open"])
                stand_in.bodies.append(body)
                stand_in.keys.append(self.headers.get("Authorization", ""))
                step = _next(stand_in, body)
            self.open = True
            try:
                step(self)
            finally:
                self._close()

        def send_response(self, code: int, message: str | None = None) -> None:
            self._close()  # the client may send its next request before this thread ends
            super().send_response(code, message)

        def _close(self) -> None:
            with lock:
                counts["open"] -= self.open
                self.open = False

        def log_message(self, *_: object) -> None:
            """Keep the log off the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in = StandIn(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving_json(body: Mapping[str, Any]) -> Iterator[str]:
    """Serve the same JSON to every GET. Yields the server's URL."""
    reply = sends_bytes(json.dumps(body).encode())
    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": reply, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _next(stand_in: StandIn, body: Mapping[str, Any]) -> Step:
    if stand_in.refusal and "logprobs" in body:
        return stand_in.refusal
    for marker, steps in stand_in.script.items():
        if marker in body["messages"][1]["content"]:
            stand_in.request_counts[marker] += 1
            return steps.pop(0) if len(steps) > 1 else steps[0]
    return stand_in.otherwise


def _top(chances: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items()]
