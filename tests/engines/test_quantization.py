"""Weights of 8 bits: by how far the logits move, and what is said where the package is missing."""

import sys
from pathlib import Path

import pytest
import torch

from refiner.engines.choose import local_engine
from refiner.engines.local import LocalEngine
from refiner.errors import EngineError
from refiner.settings import Quantization, Settings

TORCHAO = Path(sys.prefix) / "share/torchao"
"""Where `make` puts torchao. Beside the other packages, transformers would import it in every process."""


def logits(engine: LocalEngine) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = engine.loaded().model(torch.arange(100, 160)[None]).logits
    return found


@pytest.mark.parametrize(("quantization", "most"), [("int8", 0.03), ("fp8", 0.1)])
def test_eight_bits_move_the_logits_a_little_and_the_device_line_says_so(
    qwen: LocalEngine,
    qwen_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quantization: Quantization,
    most: float,
) -> None:
    monkeypatch.syspath_prepend(TORCHAO)
    settings = Settings(model=str(qwen_folder), device="cpu", cache_dir=tmp_path, quantization=quantization)
    engine = local_engine(settings)
    true = logits(qwen)
    error = float((logits(engine) - true).norm() / true.norm())
    assert 0 < error < most
    assert f"{quantization} weights" in engine.info.detail
    assert "weights" not in qwen.info.detail


def test_without_the_package_it_says_what_to_install(
    qwen_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchao", None)
    engine = LocalEngine(str(qwen_folder), cache_dir=tmp_path, device="cpu", quantization="int8")
    with pytest.raises(EngineError, match="pip install torchao"):
        engine.load()
