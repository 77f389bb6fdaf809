"""What a Hugging Face Space needs: the pins agree, and requirements.txt alone starts the page."""

import importlib.metadata
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
import standin
from paths import ROOT


def front_matter() -> dict[str, str]:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return dict(re.findall(r"^(\w+): (.+)$", head, re.MULTILINE))


def requirements() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^([\w-]+)(?:\[\w+\])?(.*)$", "\n".join(lines), re.MULTILINE))


def test_the_spaces_gradio_is_the_pinned_one() -> None:
    import gradio  # noqa: PLC0415 - heavy

    assert requirements()["gradio"] == f"=={front_matter()['sdk_version']}" == f"=={gradio.__version__}"


def test_the_front_matter_says_what_a_space_asks_for() -> None:
    head = front_matter()
    assert head["sdk"] == "gradio"
    assert head["python_version"] == '"3.12"'
    assert (ROOT / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60


def test_zerogpus_torch_is_admitted() -> None:
    assert requirements()["torch"] == ">=2.11,<2.14"


@pytest.mark.slow
def test_a_wheel_holds_what_the_page_and_the_judges_read(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own build
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    code = (
        "from refiner.ui.assets import ASSETS_FOLDER; from refiner.ui.theme import launch_options;"
        "from refiner.ui.inputs.fields import examples; from refiner.settings import Settings;"
        "from refiner.judges.lexical.judge import LexicalJudge; from refiner.judges.lexical.polarity import antonyms;"
        "launch_options(Settings()); assert examples() and antonyms() and LexicalJudge().quality; print(ASSETS_FOLDER)"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    python = [sys.executable, "-c", code]
    found = subprocess.check_output(python, cwd=tmp_path, env=environ, text=True)  # noqa: S603 - this interpreter
    assert Path(found.strip()) == tmp_path / "installed/refiner/assets"


@pytest.mark.slow
def test_requirements_alone_start_the_page_which_says_how_to_get_a_model(tmp_path: Path) -> None:
    """In a virtual environment of its own, where nothing that the tests have counts, but for torch: see `link_torch`."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)  # noqa: S603 - this interpreter
    python = tmp_path / "venv/bin/python"
    link_torch(tmp_path / "venv")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-compile"]
    subprocess.run([*pip, "-r", ROOT / "requirements.txt"], check=True)  # noqa: S603 - our own pip
    port = standin.free_port()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("REFINER_", "PYTHON"))},
        "REFINER_CACHE": str(tmp_path / "cache"),
        "REFINER_DEVICE": "cpu",
        "GRADIO_SERVER_PORT": str(port),
    }
    log = tmp_path / "app.log"
    with log.open("wb") as out:
        app = subprocess.Popen([python, "app.py"], cwd=ROOT, env=environ, stdout=out, stderr=out)  # noqa: S603 - ours
    try:
        page = fetch(f"http://127.0.0.1:{port}/", app, log)
    finally:
        app.terminate()
        app.wait(30)
    assert "Refiner" in page


def link_torch(environment: Path) -> None:
    """Make torch, and nothing that it needs, stand in a virtual environment as if pip had installed it.

    A Space brings torch with it. The registry's build would bring gigabytes for a GPU, and a copy of the CPU's takes
    longer than all the rest.
    """
    (packages,) = environment.glob("lib/python*/site-packages")
    distribution = importlib.metadata.distribution("torch")
    for name in {file.parts[0] for file in distribution.files or ()} - {".."}:
        (packages / name).symlink_to(distribution.locate_file(name))


def fetch(url: str, app: "subprocess.Popen[bytes]", log: Path) -> str:
    """The page as soon as it is served; the app's log where it never is."""
    until = time.monotonic() + 120
    while time.monotonic() < until and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.5)
    pytest.fail(log.read_text(encoding="utf-8", errors="replace")[-3000:])
