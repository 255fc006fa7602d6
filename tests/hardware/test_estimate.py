"""Memory and time arithmetic against figures worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from duotune.config.run import AdapterConfig, ModelConfig, ProjectConfig, RunConfig
from duotune.config.training import LoraSettings
from duotune.hardware.estimate import GIB, device_flops, lora_parameters, training_flops_per_token, training_memory
from duotune.models.locate import locate
from duotune.models.shape import read_shape


@dataclass(frozen=True)
class Qwen7B:
    """Qwen2.5-7B's shape, from its config.json."""

    parameters: int = 7_615_616_512
    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_layers: int = 28
    num_heads: int = 28
    head_dim: int = 128
    vocab_size: int = 152064
    tied_embeddings: bool = False

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        sizes = {
            "self_attn.q_proj": (3584, 3584),
            "self_attn.k_proj": (512, 3584),
            "self_attn.v_proj": (512, 3584),
            "self_attn.o_proj": (3584, 3584),
            "mlp.gate_proj": (18944, 3584),
            "mlp.up_proj": (18944, 3584),
            "mlp.down_proj": (3584, 18944),
        }
        return {f"model.layers.{layer}.{name}": size for layer in range(28) for name, size in sizes.items()}


def config(**lora: object) -> RunConfig:
    return RunConfig(
        name="r",
        projects=[ProjectConfig(source="/x")],
        model=ModelConfig(path="tiny"),
        adapter=AdapterConfig(name="a"),
        lora=LoraSettings.model_validate(lora),
    )


def test_lora_parameters_of_all_linear_layers_at_rank_16() -> None:
    # 28 layers x 16 x (2 x 7168 + 2 x 4096 + 3 x 22528)
    assert lora_parameters(Qwen7B(), 16, "all-linear") == 28 * 16 * (2 * 7168 + 2 * 4096 + 3 * 22528)


def test_only_named_modules_get_an_adapter() -> None:
    assert lora_parameters(Qwen7B(), 8, ["q_proj", "v_proj"]) == 28 * 8 * (7168 + 4096)


def test_flops_are_four_per_frozen_and_six_per_trained_parameter() -> None:
    # notes on training: 29.1 GFLOP per token for this shape at r 16, documents of 1k tokens
    assert training_flops_per_token(Qwen7B(), config(r=16)) == pytest.approx(29.1e9, rel=0.03)


def test_memory_counts_weights_once_and_grows_with_tokens() -> None:
    short = training_memory(Qwen7B(), config(), on_gpu=True)
    assert short.weights_bytes == pytest.approx(15.2e9, rel=0.01)
    longer = training_memory(
        Qwen7B(), config().model_copy(update={"data": config().data.model_copy(update={"sequence_length": 4096})}), True
    )
    assert longer.activation_bytes == pytest.approx(2 * short.activation_bytes)
    assert 15 * GIB < short.total_bytes < 40 * GIB


@pytest.mark.parametrize(("sequence_length", "measured_mib"), [(512, 763), (1024, 1092), (2048, 1391)])
def test_memory_on_a_cpu_is_what_whole_runs_of_the_bundled_model_took(sequence_length: int, measured_mib: int) -> None:
    # ru_maxrss of workers that prepared, trained and evaluated, all other settings at their defaults
    shape = read_shape(locate("tiny"))
    data = config().data.model_copy(update={"sequence_length": sequence_length})
    found = training_memory(shape, config().model_copy(update={"data": data}), on_gpu=False)
    assert found.total_bytes / (1 << 20) == pytest.approx(measured_mib, rel=0.15)


def test_a_batch_of_answers_counts_where_it_is_more_than_a_training_step() -> None:
    usual = training_memory(Qwen7B(), config(), on_gpu=True)
    evaluation = config().evaluation.model_copy(update={"batch_size": 256})
    many = training_memory(Qwen7B(), config().model_copy(update={"evaluation": evaluation}), on_gpu=True)
    assert usual.working_bytes == usual.activation_bytes + usual.head_bytes
    # 16 times the prompts of the usual batch: a layer's activations and 28 x 2 x 512 keys and values for each token
    assert many.answer_bytes == int(256 * 2048 * (4 * 18944 + 8.4 * 3584 + 28 * 2 * 512) * 2)
    assert many.total_bytes - usual.total_bytes == many.answer_bytes - usual.working_bytes


def test_dropout_and_full_precision_cost_memory() -> None:
    plain = training_memory(Qwen7B(), config(), on_gpu=True)
    assert training_memory(Qwen7B(), config(lora_dropout=0.1), on_gpu=True).activation_bytes > plain.activation_bytes
    assert training_memory(Qwen7B(), config(), on_gpu=False).weights_bytes == 2 * plain.weights_bytes


def test_device_rate_comes_from_the_gpus_name() -> None:
    assert device_flops("NVIDIA H200", 16) > device_flops("NVIDIA L4", 16) > device_flops(None, 16)
