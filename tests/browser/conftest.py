"""Fixtures: the served apps, Chromium, and a page that must stay free of faults."""

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import standin
from harness import ACTION_TIMEOUT, Served, Watch, launch, serve
from paths import ROOT
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from standin import StandIn, replies

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page over an engine that replays hostile text, slowly enough to be watched."""
    with serve(ROOT / "tests/browser/scripted_app.py", tmp_path_factory.mktemp("scripted")) as served:
        yield served


@pytest.fixture
def rendered(tmp_path: Path) -> Iterator[Served]:
    """The same, rendered on the server first, as Spaces do it; where there is no node, Gradio does without."""
    with serve(ROOT / "tests/browser/scripted_app.py", tmp_path, GRADIO_SSR_MODE="true") as served:
        yield served


ANSWER = (
    "<answer><snippet id=1>Blue light is scattered more than red light by air.</snippet> "
    "<snippet id=2>At sunset the light crosses more air and looks red.</snippet> "
    "It ends there, whoever looks at it.</answer>"
)


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A scripted answer to why the sky is blue, scored by a server whose reasons quote it."""
    cache = tmp_path_factory.mktemp("scored")
    script = cache / "script.json"
    script.write_text(json.dumps({"answer": ANSWER, "delay": 0.01}), "utf-8")
    with standin.serving() as server:
        server.script = {
            "The sky is green": [replies('{"rationale": "That is not so.", "score": 0}')],
            "It ends there, whoever looks at it.": [
                replies(
                    '{"rationale": "It tells that light is scattered more than red light by air.", "score": 2}'
                )
            ],
        }
        environ = {"SCRIPT": str(script), "REFINER_JUDGE_URL": server.url, "HF_HUB_OFFLINE": "0"}
        with serve(ROOT / "tests/browser/scripted_app.py", cache, **environ) as served:
            yield served


@pytest.fixture(scope="session")
def real(converted_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app as `make run` starts it on a machine without a GPU: the embedded model, everything real."""
    cache = tmp_path_factory.mktemp("real")
    (cache / "models").symlink_to(converted_model / "models")
    with serve(ROOT / "app.py", cache, REFINER_MODEL="", REFINER_DEVICE="cpu", DATABASE_URL="") as served:
        yield served


@pytest.fixture
def judge_server() -> Iterator[StandIn]:
    """A judge's server; its replies are the test's to script."""
    with standin.serving() as server:
        yield server


@pytest.fixture
def hosted(judge_server: StandIn, converted_model: Path, tmp_path: Path) -> Iterator[Served]:
    """The app with the embedded model, scored by that server."""
    (tmp_path / "models").symlink_to(converted_model / "models")
    settings = {"REFINER_MODEL": "", "REFINER_DEVICE": "cpu", "DATABASE_URL": "", "HF_HUB_OFFLINE": "0"}
    with serve(ROOT / "app.py", tmp_path, REFINER_JUDGE_URL=judge_server.url, **settings) as served:
        yield served


@pytest.fixture
def modelless(tmp_path: Path) -> Iterator[Served]:
    """The app where the model that it is told to use is not there."""
    with serve(ROOT / "app.py", tmp_path, REFINER_MODEL="/no/such/model.gguf", DATABASE_URL="") as served:
        yield served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; where there is none, they fail."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures how their test ended."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


def keep_pages(contexts: list[BrowserContext], test: str) -> None:
    """Leave what the browser showed in `build/failed`."""
    folder = ROOT / "build/failed"
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate((page for context in contexts for page in context.pages), 1):
        place = folder / f"{test}-{number}"
        place.with_suffix(".html").write_text(page.content(), encoding="utf-8")
        page.screenshot(path=place.with_suffix(".png"), full_page=True)


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open an app in a fresh profile; at the end, no console error and no request to another host.

    Where a test fails, its pages are kept in `build/failed`.
    """
    watch = Watch()
    contexts = []

    def open_page(served: Served, theme: str = "light", width: int = 1280, path: str = "") -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(ACTION_TIMEOUT)
        page = context.new_page()
        watch.follow(page, served.url)
        page.goto(f"{served.url}{path}?__theme={theme}")
        page.locator("#insight" if path else "#refine").wait_for()
        page.locator("p.loading").wait_for(state="detached")  # Gradio's own
        return page

    yield open_page
    if not request.node.stash.get(PASSED, False):
        keep_pages(contexts, request.node.name)
    for context in contexts:
        context.close()
    assert watch.faults == []
