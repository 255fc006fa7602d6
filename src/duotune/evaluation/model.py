"""One load of the base model that answers as itself and as the adapter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from duotune.base_model import choose_device, load_base
from duotune.config.run import ModelConfig
from duotune.errors import CheckFailed, printable

Side = Literal["base", "adapter"]

# Below this size a decoding step on a CPU is made of matrices so small that a second thread costs more than it brings.
SMALL_MODEL = 50_000_000


@dataclass(frozen=True)
class TwoModels:
    """The base model, and the adapter over it.

    Attributes:
        causal: The causal language model, with the adapter's layers in it.
        peft: PEFT's wrapper of it, None without an adapter.
        device: Where it lies.
        context: Positions that it knows.
        quantization: How the base model's weights are packed: "none" or "nf4".
    """

    causal: Any
    peft: Any | None
    device: torch.device
    context: int
    quantization: str = "none"

    @contextlib.contextmanager
    def speaking(self, side: Side) -> Iterator[None]:
        """Answer as the base model (the adapter's layers switched off) or as the adapter, without gradients."""
        silenced = self.peft.disable_adapter() if self.peft is not None and side == "base" else contextlib.nullcontext()
        with torch.inference_mode(), silenced:
            yield

    @contextlib.contextmanager
    def decoding(self) -> Iterator[None]:
        """The number of threads that suits token-by-token work."""
        threads = torch.get_num_threads()
        if self.device.type == "cpu" and sum(p.numel() for p in self.causal.parameters()) < SMALL_MODEL:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    @property
    def precision(self) -> str:
        """Name of the weights' precision, such as "bfloat16" or "bfloat16 over nf4 weights"."""
        name = str(self.causal.dtype).removeprefix("torch.")
        return name if self.quantization == "none" else f"{name} over {self.quantization} weights"

    def serve_in_bfloat16(self) -> None:
        """Turn all weights to what vLLM serves; there is no way back.

        Parameters only: a model that is loaded in bfloat16 keeps its buffers (the rotary frequencies) in float32, and
        rounding those moves every position of a long prompt. Packed weights (nf4) are no floating-point numbers and
        stay as they are.
        """
        for parameter in (self.peft or self.causal).parameters():
            if parameter.is_floating_point():
                parameter.data = parameter.data.to(torch.bfloat16)


def load_two(model: Path, adapter: Path | None, settings: ModelConfig, device: str) -> TwoModels:
    """Load the base model in its precision on the device, quantized as it was for training, and the adapter over it.

    Raises:
        ModelError: If the base model cannot be loaded.
        CheckFailed: If the adapter cannot be loaded over it.
        HostError: If a GPU is asked for that is not there, or nf4 and the host cannot do it.
    """
    place = choose_device(device)
    causal = load_base(model, settings, place)
    peft = None if adapter is None else _over(causal, adapter)
    context = int(getattr(causal.config, "max_position_embeddings", 2048))
    return TwoModels(causal, peft, place, context, settings.quantization)


def _over(causal: Any, adapter: Path) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(causal, str(adapter), autocast_adapter_dtype=False).eval()
    except torch.cuda.OutOfMemoryError:  # a RuntimeError too, but no fault of the adapter
        raise
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise CheckFailed(
            f"The adapter in {printable(adapter)} does not load over its base model: {printable(first)}.",
            "Check it with `duotune adapters verify`, and that the base model is the one it was trained on.",
        ) from error
