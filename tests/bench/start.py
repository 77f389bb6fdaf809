"""How long a start takes: the embedded model from its GGUF and from the safetensors copy; the page, served.

Each in a fresh process, the two ways of loading in turn. Run by `make bench`; prints Markdown.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence

from paths import ROOT

ROUNDS = 5
PORT = 7871

GGUF = """
import time; import torch; from transformers import AutoModelForCausalLM, AutoTokenizer
from pathlib import Path; from refiner.engines.choose import embedded_file
began = time.perf_counter(); file = Path(embedded_file())
AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
print(time.perf_counter() - began)
"""
KEPT = """
import time; import torch, transformers; from refiner.engines.choose import local_engine
from refiner.settings import Settings; engine = local_engine(Settings.from_environment())
began = time.perf_counter(); engine.load(); print(time.perf_counter() - began)
"""


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as cache:
        environ = {**os.environ, "REFINER_CACHE": cache, "REFINER_DEVICE": "cpu", "HF_HUB_OFFLINE": "1"}
        first = seconds(KEPT, environ)  # converts
        pairs = [(seconds(GGUF, environ), seconds(KEPT, environ)) for _ in range(ROUNDS)]
        direct, kept = zip(*pairs, strict=True)
        ratios = [one / other for one, other in pairs]
        print("| loading the embedded model | seconds, median (range) |")
        print("|---|---:|")
        print(f"| from the GGUF, each time | {spread(direct)} |")
        print(f"| first start: GGUF, and the copy written | {first:.1f} |")
        print(f"| later starts: the safetensors copy | {spread(kept)} |")
        print(f"| GGUF ÷ copy | {spread(ratios)} |")
        print()
        print("| `make run` again | seconds, median (range) |")
        print("|---|---:|")
        served, ready = zip(*(started(environ) for _ in range(ROUNDS)), strict=True)
        print(f"| to a served page | {spread(served)} |")
        print(f"| to the model in memory | {spread(ready)} |")


def seconds(code: str, environ: dict[str, str]) -> float:
    """What the code prints, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our code
        [sys.executable, "-W", "ignore", "-c", code], env=environ, cwd=ROOT, capture_output=True, check=True
    )
    return float(done.stdout.split()[-1])


def started(environ: dict[str, str]) -> tuple[float, float]:
    """Seconds from `make run` to a page, and to the model's being ready."""
    address = {"GRADIO_SERVER_PORT": str(PORT)}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        app = subprocess.Popen(
            ["make", "run"],  # noqa: S607 - make is found as a person finds it
            cwd=ROOT,
            env=environ | address,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

        def ready() -> bool:
            log.seek(0)
            return "is ready" in log.read()

        try:
            until(lambda: "Refiner" in fetch())
            served = time.perf_counter() - began
            until(ready)
            return served, time.perf_counter() - began
        finally:
            os.killpg(app.pid, signal.SIGTERM)
            app.wait(30)


def fetch() -> str:
    """The page, or nothing while there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def until(holds: Callable[[], bool]) -> None:
    """Ask ten times a second."""
    end = time.monotonic() + 120
    while not holds():
        if time.monotonic() > end:
            sys.exit("It did not start.")
        time.sleep(0.1)


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    found = sorted(values)
    return f"{statistics.median(found):.1f} ({found[0]:.1f}–{found[-1]:.1f})"


if __name__ == "__main__":
    main()
