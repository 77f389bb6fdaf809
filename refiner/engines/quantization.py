"""Weights of 8 bits, by torchao: half the bytes to read in a pass, and logits that are a little off."""

from typing import Any

from refiner.errors import EngineError
from refiner.settings import Quantization


def quantize(model: Any, quantization: Quantization, device: str) -> None:
    """Turn the weights of the model's linear layers to 8 bits, in place.

    ``int8`` computes as before. ``fp8`` on CUDA turns activations to 8 bits too, which needs compute capability 8.9 or
    more (Ada, Hopper); no GPU has run it in the tests. The output layer stays: it shares its weights with the
    embedding in small models. `EngineError` without torchao.
    """
    if quantization == "off":
        return
    import torch  # noqa: PLC0415 - heavy

    try:
        from torchao import quantization as torchao  # noqa: PLC0415 - optional
    except ImportError as error:
        raise EngineError(
            f"REFINER_QUANTIZE={quantization} needs the package torchao. Run `pip install torchao`, "
            "or leave REFINER_QUANTIZE out."
        ) from error
    if quantization == "int8":
        config: Any = torchao.Int8WeightOnlyConfig()
    elif device == "cuda":
        config = torchao.Float8DynamicActivationFloat8WeightConfig(granularity=torchao.PerRow())
    else:
        config = torchao.Float8WeightOnlyConfig()
    output = model.get_output_embeddings()
    torchao.quantize_(
        model,
        config,
        filter_fn=lambda module, _: isinstance(module, torch.nn.Linear) and module is not output,
    )
