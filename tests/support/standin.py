"""A judge's server for tests: real HTTP in the chat-completions form, its replies and failures scripted."""

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
"""What is done with one request."""

GOOD = '{"rationale": "It says so.", "score": 2}'


def sends(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Step:
    """These bytes, whatever they are."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def says(
    content: str | None, tokens: Sequence[tuple[str, Mapping[str, float]]] = (), end: str = "stop"
) -> Step:
    """A completion; ``tokens`` are its pieces, each with the probabilities of what could stand there."""
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
    return sends(json.dumps(body).encode())


def fails(status: int, message: str = "no", **headers: str) -> Step:
    """An error as OpenAI words it."""
    body = json.dumps({"error": {"message": message}}).encode()
    return sends(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def hangs(seconds: float) -> Step:
    """Nothing, for so long."""
    return lambda _: time.sleep(seconds)


def slowly(step: Step) -> Step:
    """That step, after a moment."""

    def later(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.05)
        step(handler)

    return later


def drops(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class StandIn:
    """A running server. ``script`` holds, for what a prompt has in it, the steps in turn; the last one stays."""

    url: str
    script: dict[str, list[Step]] = field(default_factory=dict)
    otherwise: Step = field(default_factory=lambda: says(GOOD))
    refusal: Step | None = None
    """What is done with a request that asks for log-probabilities, if they are refused."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    most: int = 0
    """The most requests that were open at once."""

    def prompts(self) -> list[str]:
        """What the user's turns said."""
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
                here.most = max(here.most, counts["open"])
                here.bodies.append(body)
                here.keys.append(self.headers.get("Authorization", ""))
                step = _next(here, body)
            self.open = True
            try:
                step(self)
            finally:
                self._close()

        def send_response(self, code: int, message: str | None = None) -> None:
            self._close()  # who has an answer may ask again before this one's thread is at its end
            super().send_response(code, message)

        def _close(self) -> None:
            with lock:
                counts["open"] -= self.open
                self.open = False

        def log_message(self, *_: object) -> None:
            """Not to the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = StandIn(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving_json(body: Mapping[str, Any]) -> Iterator[str]:
    """A server that says the same to every GET; its address."""
    said = sends(json.dumps(body).encode())
    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": said, "log_message": lambda *_: None})
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


def _next(here: StandIn, body: Mapping[str, Any]) -> Step:
    if here.refusal and "logprobs" in body:
        return here.refusal
    for marker, steps in here.script.items():
        if marker in body["messages"][1]["content"]:
            here.asked[marker] += 1
            return steps.pop(0) if len(steps) > 1 else steps[0]
    return here.otherwise


def _top(chances: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items()]
