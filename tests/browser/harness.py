"""The app as a subprocess on a free port, and what is watched while a page is open. Imports neither app nor Gradio."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from paths import ROOT
from playwright.sync_api import Browser, Page, Playwright

DEBIAN_CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ACTION_TIMEOUT = 15_000
"""Milliseconds that an action may take on a busy machine."""

EXPECTED_ERRORS = ("AbortError: signal is aborted", "Unexpected error Connection errored out")
"""What Gradio logs of its own streams and requests when a page is left or reloaded."""

PAYLOADS = (
    "<script>window.bad = 1</script>",
    "<img src=x onerror='window.bad = 1'>",
    "</bdi></span></div><svg onload=window.bad=1>",
    "${window.bad = 1} {{window.bad}} `${window.bad = 1}`",
    '" onmouseover="window.bad = 1" style="position:fixed;inset:0',
    "javascript:window.bad=1",
    "turned \u202earound",
)


@dataclass(frozen=True)
class Served:
    """An app under test: where it is, and where it keeps what it stores."""

    url: str
    cache: Path


@dataclass
class Watch:
    """What a page did that no page should."""

    faults: list[str] = field(default_factory=list)

    def follow(self, page: Page, url: str) -> None:
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._host(request.url, url))

    def _said(self, kind: str, words: str) -> None:
        if kind == "error" and not words.startswith(EXPECTED_ERRORS):
            self.faults.append(f"console: {words}")

    def _host(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:", "blob:")):
            self.faults.append(f"request: {asked}")


@contextmanager
def serve(script: Path, cache: Path, **environ: str) -> Iterator[Served]:
    """Run a script that launches Gradio until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = (str(ROOT), str(ROOT / "tests/support"), os.environ.get("PYTHONPATH"))
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "REFINER_CACHE": str(cache),
        "GRADIO_TEMP_DIR": str(cache / "gradio"),
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        **environ,
    }
    log = cache / "app.log"
    with log.open("wb") as out:
        app = subprocess.Popen([sys.executable, str(script)], cwd=ROOT, env=env, stdout=out, stderr=out)  # noqa: S603 - our own script
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait(url, app, log)
            yield Served(url, cache)
        finally:
            app.terminate()
            app.wait(20)


def _wait(url: str, app: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and app.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"The app did not start:\n{log.read_text(errors='replace')[-3000:]}")


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, else Playwright's own; with neither this raises."""
    return playwright.chromium.launch(
        executable_path=str(DEBIAN_CHROMIUM) if DEBIAN_CHROMIUM.exists() else None, args=CHROMIUM_ARGS
    )
