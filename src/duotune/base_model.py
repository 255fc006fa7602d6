"""The base model, loaded in the one way that lets training and evaluation see the same weights."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from duotune.config.run import ModelConfig
from duotune.errors import HostError, ModelError, RunFailed, printable

NF4 = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "bfloat16",
}


def choose_device(device: str) -> torch.device:
    """The device to work on: "auto" is the first GPU if there is one.

    Raises:
        HostError: If a GPU is asked for that is not there.
    """
    if device == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise HostError(f"This host has no GPU {printable(device)}.", "Use device `auto`, or check `nvidia-smi`.")
    return chosen


def compute_dtype(settings: ModelConfig, device: torch.device) -> torch.dtype:
    """Precision of the frozen weights and of the arithmetic."""
    if settings.dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return torch.float32 if settings.dtype == "float32" else torch.bfloat16


def load_base(directory: Path, settings: ModelConfig, device: torch.device, attention: Sequence[str] = ()) -> Any:
    """Load the base model in its precision onto the device, packed as nf4 if asked for, in inference mode.

    Args:
        directory: A Hugging Face model.
        settings: Its precision and quantization.
        device: Where to.
        attention: Attention functions in order of preference; the first that the architecture takes. Empty leaves the
            choice to transformers.

    Raises:
        ModelError: If the directory holds no causal language model.
        HostError: If nf4 is asked for and the host cannot do it.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    # One device needs no dispatch hooks; device_map only makes accelerate read the weights straight onto it.
    options: dict[str, Any] = {"dtype": compute_dtype(settings, device), "device_map": {"": str(device)}}
    if settings.quantization == "nf4":
        options["quantization_config"] = _nf4(device)
    load = transformers.AutoModelForCausalLM.from_pretrained
    *preferred, last = [{"attn_implementation": name} for name in attention] or [{}]
    try:
        for choice in preferred:
            with contextlib.suppress(ValueError):  # an architecture that takes no foreign attention function
                return load(directory, **choice, **options).eval()
        return load(directory, **last, **options).eval()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The base model in {printable(directory)} cannot be loaded: {printable(error)}.",
            "Give the directory of a causal language model that transformers can load.",
        ) from error


def _nf4(device: torch.device) -> Any:
    if device.type != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
        raise HostError(
            'model.quantization = "nf4" needs a GPU and the package bitsandbytes, and this host lacks one of them.',
            'Install bitsandbytes beside duotune, or set model.quantization = "none".',
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**NF4)


@contextlib.contextmanager
def full_memory_told(work: str, remedy: str) -> Iterator[None]:
    """Turn an out-of-memory error of the GPU, wherever it comes from, into a sentence and a hint.

    Args:
        work: What the memory was for, such as "training".
        remedy: The settings that make it need less, beside the quantization.

    Raises:
        RunFailed: If the GPU's memory ends in the block.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise RunFailed(
            f"The GPU's memory does not hold this {work}.", f'{remedy}, or set model.quantization = "nf4".'
        ) from error
