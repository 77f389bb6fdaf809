"""Loads a model from a hub, a folder or a GGUF file into memory, on the best device there is.

The lines for loading and CUDA are few on purpose. They cannot be tried where the tests run, and everything after them is
the same on every device.
"""

import hashlib
import inspect
import shutil
import tempfile
from pathlib import Path
from typing import Any

from refiner.errors import EngineError
from refiner.settings import Device

CONVERTED_BELOW = 1 << 30
"""GGUF files smaller than this many bytes are kept as safetensors in the cache folder after the first load.

transformers takes many times as long to read a GGUF (BENCHMARKS.md, "Start")."""


def best_device(wanted: Device = "auto") -> str:
    """The device that is asked for. With ``auto`` the first of ``cuda``, ``mps`` and ``cpu`` that is there."""
    import torch  # noqa: PLC0415 - heavy

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load(model_id: str, wanted: Device, threads: int, cache_dir: Path) -> tuple[Any, Any, str]:
    """The model, ready to run, its tokenizer, and its device. `EngineError` says why it cannot be loaded."""
    import torch  # noqa: PLC0415 - heavy
    from transformers.utils import logging  # noqa: PLC0415 - heavy

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    device = best_device(wanted)
    dtype = {"cuda": torch.bfloat16, "mps": torch.float16}.get(device, torch.float32)
    if threads and device == "cpu":
        torch.set_num_threads(threads)
    if device == "cuda":
        # cuDNN's attention makes a plan for every new length, tens of milliseconds each
        torch.backends.cuda.enable_cudnn_sdp(enabled=False)
    try:
        model, tokenizer = _read(model_id, device, dtype, cache_dir)
    except Exception as error:  # a damaged file can raise anything in the loaders
        raise EngineError(
            f"The model {model_id!r} could not be loaded: {error}. "
            "Set REFINER_MODEL to a hub id, a folder with safetensors, or a .gguf file."
        ) from error
    if not {"cache", "past_key_values"} & inspect.signature(model.forward).parameters.keys():
        raise EngineError(
            f"{model_id} keeps no keys and values, which writing needs. Choose a transformer model."
        )
    return model.eval(), tokenizer, device


def _read(model_id: str, device: str, dtype: Any, cache_dir: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - heavy

    place, options = Path(model_id).expanduser(), {}
    if place.suffix == ".gguf":
        if not place.is_file():
            raise OSError(f"there is no file {place}")
        kept = _converted(place, cache_dir)
        if not kept.exists() and place.stat().st_size >= CONVERTED_BELOW:
            place, options = place.parent, {"gguf_file": place.name}
        else:
            if not kept.exists():
                _convert(place, kept)
            place = kept
    name = str(place) if options or place.exists() else model_id
    tokenizer = AutoTokenizer.from_pretrained(name, **options)
    model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, device_map=device, **options)
    return model, tokenizer


def _converted(gguf: Path, cache_dir: Path) -> Path:
    """Where the safetensors copy of this very file belongs."""
    state = gguf.stat()
    mark = hashlib.sha256(f"{gguf.resolve()}|{state.st_size}|{state.st_mtime_ns}".encode()).hexdigest()
    return cache_dir.expanduser() / "models" / f"{gguf.stem}-{mark[:12]}"


def _convert(gguf: Path, kept: Path) -> None:
    """Write the safetensors copy, whole or not at all, even if another process does the same."""
    import torch  # noqa: PLC0415 - heavy
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - heavy

    options = {"gguf_file": gguf.name}
    model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), dtype=torch.float32, **options)
    # save_pretrained refuses a model that still says it is quantized; its weights no longer are
    for field, value in (("hf_quantizer", None), ("is_quantized", False)):
        setattr(model, field, value)
    del model.config.quantization_config
    kept.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=kept.parent))
    try:
        model.save_pretrained(made)
        AutoTokenizer.from_pretrained(str(gguf.parent), **options).save_pretrained(made)
        made.rename(kept)
    except OSError:
        if not kept.exists():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
