"""The expected figures of a run: steps, disk space and the time of each stage."""

from __future__ import annotations

import math

from duotune.config.run import RunConfig
from duotune.hardware.estimate import (
    MemoryEstimate,
    device_flops,
    generation_seconds,
    training_flops_per_token,
)
from duotune.hardware.measured import measured_speed
from duotune.models.shape import ModelShape
from duotune.plan.records import Duration, ModelPlan

# Bytes of source that one core prepares in a second, all stages; measured on the Python standard library.
_PREPARED_BYTES_PER_SECOND = 700_000


def optimizer_steps(tokens: int, config: RunConfig) -> int:
    """Optimizer steps for so many tokens of source."""
    training = config.training
    if training.max_steps:
        return training.max_steps
    trained = tokens * (1 - config.data.validation_fraction - config.data.test_fraction)
    rows_per_step = training.per_device_train_batch_size * training.gradient_accumulation_steps
    rows = math.ceil(trained / config.data.sequence_length)
    return math.ceil(rows * training.num_train_epochs / rows_per_step)


def disk_bytes(source_bytes: int, tokens: int, memory: MemoryEstimate | None) -> int:
    """Texts and signatures, ten bytes per packed token, three checkpoints with optimizer state, the adapter twice."""
    adapters = memory.adapter_bytes * 4 if memory else 0
    return int(source_bytes * 2.5 + tokens * 10 + adapters + 50e6)


def durations(
    config: RunConfig,
    shape: ModelShape | None,
    model: ModelPlan | None,
    device: str,
    cores: int,
    tokens: int,
    source_bytes: int,
) -> dict[str, Duration]:
    """Expected time of each stage; from speeds that this machine has shown, where it has."""
    expected = {"prepare": Duration(seconds=2 + source_bytes / _PREPARED_BYTES_PER_SECOND, basis="estimated")}
    if shape and model:
        flops = device_flops(None if device == "cpu" else device, cores)
        expected["train"] = _training(config, shape, model, device, flops, tokens)
        expected["evaluate"] = _evaluation(config, shape, model, device, flops)
    expected["publish"] = Duration(seconds=2, basis="estimated")
    return expected


def _training(
    config: RunConfig, shape: ModelShape, model: ModelPlan, device: str, flops: float, tokens: int
) -> Duration:
    training = config.training
    per_step = training.per_device_train_batch_size * training.gradient_accumulation_steps
    trained = optimizer_steps(tokens, config) * per_step * config.data.sequence_length
    speed = measured_speed(device, model.fingerprint, "training_tokens_per_second")
    seconds = trained / (speed or flops / training_flops_per_token(shape, config))
    if training.max_minutes:
        seconds = min(seconds, training.max_minutes * 60)
    return Duration(seconds=10 + seconds, basis="measured" if speed else "estimated")


def _evaluation(config: RunConfig, shape: ModelShape, model: ModelPlan, device: str, flops: float) -> Duration:
    items = config.evaluation.fim_items + config.evaluation.signature_items
    speed = measured_speed(device, model.fingerprint, "evaluated_items_per_second")
    if speed:
        return Duration(seconds=5 + items / speed, basis="measured")
    one = generation_seconds(shape, items, config.evaluation.batch_size, flops, device != "cpu")
    return Duration(seconds=5 + 2 * one, basis="estimated")
