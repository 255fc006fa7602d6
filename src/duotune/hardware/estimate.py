"""Memory and time of a run in closed form.

The coefficients are those of a packed LoRA step with bf16 adapters and no recomputation: activations saved for backward
are about (4·I/H + 8.4)·H elements per token and layer, and a step costs 4 FLOPs per frozen and 6 per trained parameter
and token (no gradient of frozen weights is computed).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from duotune.config.run import RunConfig

GIB = 1 << 30
Basis = Literal["estimated", "simulated", "measured"]

# Rows of the head that are computed at once, and runtime overhead outside tensors.
HEAD_ROWS = 2048
CUDA_OVERHEAD_BYTES = int(1.5 * GIB)
# On a CPU the process itself counts: 536 MiB were resident before the first step of the bundled model, its 12 MiB of
# weights among them (torch 220, pyarrow, transformers and PEFT, what the preparation has left).
CPU_OVERHEAD_BYTES = int(0.5 * GIB)
# And malloc keeps what tensors leave behind, since giving it back at once makes a step 1.6 times as long. Resident were
# 1.6 times the bytes of the live tensors of a training step (413 of 252 MiB) and of a batch of answers (751 of 470).
# Whole runs with rows of 512, 1024 and 2048 tokens took 763, 1092 and 1391 MiB; this says 750, 971 and 1415.
CPU_KEPT = 1.6

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
    """Peak memory of training and evaluation on one device, in bytes.

    Attributes:
        activation_bytes: Of a training step, kept for its backward pass.
        head_bytes: Of a training step, for the logits that exist at once.
        answer_bytes: Of a batch of answers: one layer's activations of all prompts, and their keys and values.
        overhead_bytes: Outside of tensors; on a CPU of the process, and what its allocator keeps.
    """

    weights_bytes: int
    adapter_bytes: int
    activation_bytes: int
    head_bytes: int
    answer_bytes: int
    overhead_bytes: int
    basis: Basis = "estimated"

    @property
    def working_bytes(self) -> int:
        """Of a training step, or of a batch of answers, which never are at the same time."""
        return max(self.activation_bytes + self.head_bytes, self.answer_bytes)

    @property
    def total_bytes(self) -> int:
        """What there is at the highest."""
        return self.weights_bytes + self.adapter_bytes + self.working_bytes + self.overhead_bytes


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
    """Peak memory of a run: of a training step, or of a batch of its evaluation.

    Args:
        shape: The base model.
        config: Batch sizes, sequence length, rank and precision are taken from it.
        on_gpu: bf16 compute and CUDA's overhead, or fp32 on a CPU.
    """
    half = config.model.dtype == "bfloat16" or (config.model.dtype == "auto" and on_gpu)
    element = 2 if half else 4
    weight_element = 0.55 if config.model.quantization == "nf4" else element
    tokens = config.training.per_device_train_batch_size * config.data.sequence_length
    per_layer = 4 * shape.intermediate_size + 8.4 * shape.hidden_size
    trained = lora_parameters(shape, config.lora.r, config.lora.target_modules)
    dropout = 1.6 if config.lora.lora_dropout else 1.0
    prompts = config.evaluation.batch_size * config.data.sequence_length
    found = MemoryEstimate(
        weights_bytes=int(shape.parameters * weight_element),
        adapter_bytes=trained * 16,
        activation_bytes=int(tokens * shape.num_layers * per_layer * element * dropout),
        head_bytes=min(tokens, HEAD_ROWS) * shape.vocab_size * (element + 4),
        answer_bytes=int(prompts * (per_layer + _cached(shape)) * element),
        overhead_bytes=CUDA_OVERHEAD_BYTES if on_gpu else CPU_OVERHEAD_BYTES,
    )
    return found if on_gpu else replace(found, overhead_bytes=_on_cpu(found))


def _cached(shape: Shape) -> int:
    """Elements of keys and values that each token of a prompt leaves in the cache."""
    found = sum(rows for name, (rows, _) in shape.linear_layers().items() if name.endswith((".k_proj", ".v_proj")))
    return found or 2 * shape.hidden_size * shape.num_layers


def _on_cpu(found: MemoryEstimate) -> int:
    return found.overhead_bytes + int((CPU_KEPT - 1) * found.working_bytes)


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
