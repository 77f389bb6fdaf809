"""Models for tests: a tiny random Qwen3 with the real vocabulary, and the embedded model. A database server.

What a test asks for tells what it needs: whoever takes a model's fixture is marked ``model``, and `make quick` leaves
it out. Two processes run the tests at once (pytest-xdist). Session fixtures are made once in each.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when huggingface_hub is imported: before all that imports it
# Read once, when torch is imported. The models are tiny, and as many processes as cores run the tests: with more
# threads they wait for each other. Programs that the tests start take it over.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import postgres
import tiny
from filelock import FileLock
from hypothesis import settings
from transformers import PreTrainedTokenizerFast

from refiner.decoding.vocabulary import Vocabulary
from refiner.engines.choose import local_engine
from refiner.engines.local import LocalEngine
from refiner.feedback.export.scrub import Scrubber
from refiner.settings import Settings

settings.register_profile("tests", deadline=None)  # milliseconds of wall time say what else the machine did
settings.load_profile("tests")

MODEL_FIXTURES = frozenset(
    {
        "converted_model",
        "embedded",
        "embedded_vocabulary",
        "llama3_vocabulary",
        "mistral_vocabulary",
        "qwen",
        "qwen_folder",
        "qwen_tokenizer",
        "qwen_vocabulary",
        "restless",
        "scorer",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a model, a tokenizer of one included."""
    for item in items:
        needs = MODEL_FIXTURES & set(getattr(item, "fixturenames", ()))
        if needs or item.get_closest_marker("real_model"):
            item.add_marker(pytest.mark.model)


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Qwen3 as safetensors."""
    return tiny.make(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session")
def qwen(qwen_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """That model behind the local engine."""
    return LocalEngine(str(qwen_folder), cache_dir=tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="session")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """A tiny random Qwen3 that answers 0, 1 or 2."""
    folder = tiny.make(tmp_path_factory.mktemp("scorer"), scores=True)
    return LocalEngine(str(folder), cache_dir=tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="session")
def restless(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """A tiny random Qwen3 whose every word hangs on all words before."""
    folder = tiny.make(tmp_path_factory.mktemp("restless"), restless=True)
    return LocalEngine(str(folder), cache_dir=tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="session")
def converted_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the embedded model, converted once for all processes of this run.

    The first process to come converts it; another waits, as two at once would only take each other's cores.
    """
    temporary = tmp_path_factory.getbasetemp()
    run = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    cache = run / "converted-model"
    with FileLock(f"{cache}.lock"):
        if not cache.exists():
            local_engine(Settings(cache_dir=cache, device="cpu")).load()
    return cache


@pytest.fixture(scope="session")
def embedded(converted_model: Path) -> LocalEngine:
    """The embedded model."""
    return local_engine(Settings(cache_dir=converted_model, device="cpu"))


@pytest.fixture(scope="session")
def qwen_tokenizer() -> PreTrainedTokenizerFast:
    """Qwen's real tokenizer."""
    return tiny.qwen_tokenizer()


@pytest.fixture(scope="session")
def qwen_vocabulary(qwen_tokenizer: PreTrainedTokenizerFast) -> Vocabulary:
    """Qwen3's vocabulary at its full width."""
    return Vocabulary(qwen_tokenizer, tiny.WIDTH)


@pytest.fixture(scope="session")
def llama3_vocabulary() -> Vocabulary:
    """Llama 3's vocabulary."""
    return Vocabulary(tiny.llama3_tokenizer(), 128_256)


@pytest.fixture(scope="session")
def mistral_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """Mistral 7B's vocabulary, a SentencePiece model."""
    return Vocabulary(tiny.mistral_tokenizer(tmp_path_factory.mktemp("mistral")), 32_000)


@pytest.fixture(scope="session")
def embedded_vocabulary(embedded: LocalEngine) -> Vocabulary:
    """SmolLM2's vocabulary."""
    return embedded.loaded().vocabulary


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A PostgreSQL server."""
    try:
        with postgres.running_server() as server:
            yield server
    except FileNotFoundError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def kept_cache(pytestconfig: pytest.Config) -> Path:
    """A cache folder that outlives the session."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("refiner")


@pytest.fixture(scope="session")
def scrubber(kept_cache: Path) -> Scrubber:
    """The scrubber, its rules made ready once for all sessions."""
    return Scrubber(kept_cache / "scrub")
