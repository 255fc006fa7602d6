"""Memory and time of a run in closed form.

The coefficients are those of a packed LoRA step with bf16 adapters and no recomputation: activations saved for backward
are about (4·I/H + 8.4)·H elements per token and layer, and a step costs 4 FLOPs per frozen and 6 per trained parameter
and token (no gradient of frozen weights is computed).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from duotune.config.run import RunConfig

GIB = 1 << 30
Basis = Literal["estimated", "simulated", "measured"]

# Rows of the head that are computed at once, and runtime overhead outside tensors.
HEAD_ROWS = 2048
CUDA_OVERHEAD_BYTES = int(1.5 * GIB)
CPU_OVERHEAD_BYTES = int(0.6 * GIB)

# Dense bf16 TFLOP/s from the vendors' data sheets, matched in the GPU's name.
_DATASHEET_TFLOPS = {
    "H200": 989, "H100": 989, "GH200": 989, "B200": 2250, "A100": 312, "A800": 312, "L40S": 362, "L40": 181,
    "L4": 121, "A10G": 70, "A10": 125, "A40": 150, "A30": 165, "4090": 165, "3090": 71, "V100": 125, "T4": 65,
}  # fmt: skip
_GPU_UTILISATION = 0.4
_UNKNOWN_GPU_TFLOPS = 60.0
_CPU_FLOPS_PER_CORE = 12e9


class Shape(Protocol):
    """What the arithmetic needs to know of a base model; `duotune.models.shape.ModelShape` is one."""

    @property
    def parameters(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def intermediate_size(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def num_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def tied_embeddings(self) -> bool: ...
    def linear_layers(self) -> dict[str, tuple[int, int]]: ...


@dataclass(frozen=True)
class Figure:
    """A number with its origin, so that nobody takes an estimate for a measurement."""

    value: float
    basis: Basis


@dataclass(frozen=True)
class MemoryEstimate:
    """Peak memory of training on one device, in bytes."""

    weights_bytes: int
    adapter_bytes: int
    activation_bytes: int
    head_bytes: int
    overhead_bytes: int
    basis: Basis = "estimated"

    @property
    def total_bytes(self) -> int:
        """Sum of all parts."""
        return self.weights_bytes + self.adapter_bytes + self.activation_bytes + self.head_bytes + self.overhead_bytes


def lora_parameters(shape: Shape, r: int, target_modules: str | Collection[str]) -> int:
    """Trainable parameters: r·(in + out) for each adapted linear layer (LoRA, arXiv 2106.09685, §4)."""
    layers = shape.linear_layers()
    chosen = [
        size
        for name, size in layers.items()
        if target_modules == "all-linear" or name.rsplit(".", 1)[-1] in target_modules
    ]
    return sum(r * (rows + columns) for rows, columns in chosen)


def training_memory(shape: Shape, config: RunConfig, on_gpu: bool) -> MemoryEstimate:
    """Peak memory of one training step.

    Args:
        shape: The base model.
        config: Batch size, sequence length, rank and precision are taken from it.
        on_gpu: bf16 compute and CUDA's overhead, or fp32 on a CPU.
    """
    half = config.model.dtype == "bfloat16" or (config.model.dtype == "auto" and on_gpu)
    element = 2 if half else 4
    weight_element = 0.55 if config.model.quantization == "nf4" else element
    tokens = config.training.per_device_train_batch_size * config.data.sequence_length
    per_layer = 4 * shape.intermediate_size + 8.4 * shape.hidden_size
    trained = lora_parameters(shape, config.lora.r, config.lora.target_modules)
    dropout = 1.6 if config.lora.lora_dropout else 1.0
    return MemoryEstimate(
        weights_bytes=int(shape.parameters * weight_element),
        adapter_bytes=trained * 16,
        activation_bytes=int(tokens * shape.num_layers * per_layer * element * dropout),
        head_bytes=min(tokens, HEAD_ROWS) * shape.vocab_size * (element + 4),
        overhead_bytes=CUDA_OVERHEAD_BYTES if on_gpu else CPU_OVERHEAD_BYTES,
    )


def training_flops_per_token(shape: Shape, config: RunConfig) -> float:
    """Useful FLOPs of forward and backward for one token, without recomputation."""
    embedding = shape.vocab_size * shape.hidden_size
    body = shape.parameters - embedding * (1 if shape.tied_embeddings else 2)
    attention = 3 * shape.num_layers * 2 * shape.num_heads * shape.head_dim * (config.data.sequence_length / 4)
    return 4 * (body + embedding) + 6 * lora_parameters(shape, config.lora.r, config.lora.target_modules) + attention


def device_flops(gpu_name: str | None, cores: int) -> float:
    """Sustained FLOP/s to plan with: a share of the data sheet's rate, or a modest figure per CPU core."""
    if gpu_name is None:
        return cores * _CPU_FLOPS_PER_CORE
    known = next((rate for name, rate in _DATASHEET_TFLOPS.items() if name in gpu_name), _UNKNOWN_GPU_TFLOPS)
    return known * 1e12 * _GPU_UTILISATION


def generation_seconds(shape: Shape, items: int, batch_size: int, flops: float, on_gpu: bool) -> float:
    """Time to answer `items` prompts of about 800 tokens with about 60 tokens each, by one model."""
    prompt = items * 800 * 2 * shape.parameters / flops
    step_seconds = (0.02 if on_gpu else 0.004) + 2 * shape.parameters * batch_size / flops
    return prompt + -(-items // batch_size) * 60 * step_seconds
