"""The shape of a base model, read from config.json and the headers of its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duotune.errors import ModelError, printable
from duotune.models.weights import Tensor, read_tensors

IN_A_LAYER = re.compile(r"(^|\.)(layers|h|blocks)\.\d+\.")
NOT_LINEAR = re.compile(r"(norm|embed|^ln|_ln$|^gate$|^router$|rotary)")
"""Last part of the names of modules with a 2-D weight that are not linear layers for an adapter."""
HEADS = ("lm_head.weight", "embed_out.weight")


@dataclass(frozen=True)
class ModelShape:
    """What memory arithmetic, adapter verification and planning need to know of a model.

    Attributes:
        architecture: First entry of `architectures` in config.json, such as `Qwen2ForCausalLM`.
        head_dim: Width of one attention head.
        tied_embeddings: The output layer shares the input embedding's weights.
        parameters: Number of weights, tied ones counted once.
        weight_bytes: Size of the weights as stored.
        dtype: Precision of most weights as stored, in safetensors' names (`BF16`, `F32`, ...).
        quantization: Method of a checkpoint that is stored quantized (`gptq`, `awq`, `fp8`, ...), or "".
        tensors: All tensor names with their shapes.
    """

    architecture: str
    hidden_size: int
    num_layers: int
    intermediate_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    max_position_embeddings: int
    tied_embeddings: bool
    parameters: int
    weight_bytes: int
    dtype: str
    quantization: str
    tensors: Mapping[str, tuple[int, ...]]

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Linear layers inside the decoder layers as name -> (out_features, in_features).

        Names are those of modules, such as `model.layers.0.self_attn.q_proj`; embeddings, the output layer, norms
        and the routers of expert layers are left out, as PEFT's `all-linear` leaves them out.
        """
        found = {}
        for tensor, shape in self.tensors.items():
            module, _, kind = tensor.rpartition(".")
            inside = IN_A_LAYER.search(module) is not None
            if kind == "weight" and len(shape) == 2 and inside and not NOT_LINEAR.search(module.rpartition(".")[2]):
                found[module] = (shape[0], shape[1])
        return found


def read_shape(directory: Path) -> ModelShape:
    """Read a model's shape without loading it.

    Raises:
        ModelError: config.json or the weights are missing, damaged, or of a kind that duotune does not know.
    """
    config = _read_config(directory)
    text: Mapping[str, Any] = config
    if isinstance(config.get("text_config"), dict) and "hidden_size" not in config:
        text = config["text_config"]
    tensors = read_tensors(directory)
    hidden_size = _number(directory, text, "hidden_size", "n_embd")
    num_heads = _number(directory, text, "num_attention_heads", "n_head")
    tied = bool(config.get("tie_word_embeddings", True)) and not _has_own_head(config, tensors)
    counted = {name: tensor for name, tensor in tensors.items() if not (tied and name in HEADS)}
    quantization = config.get("quantization_config")
    return ModelShape(
        architecture=str((config.get("architectures") or ["unknown"])[0]),
        hidden_size=hidden_size,
        num_layers=_number(directory, text, "num_hidden_layers", "n_layer"),
        intermediate_size=_number(directory, text, "intermediate_size", "n_inner", default=4 * hidden_size),
        num_heads=num_heads,
        num_kv_heads=_number(
            directory, text, "num_key_value_heads", default=1 if text.get("multi_query") else num_heads
        ),
        head_dim=_number(directory, text, "head_dim", default=hidden_size // num_heads),
        vocab_size=_number(directory, text, "vocab_size"),
        max_position_embeddings=_number(directory, text, "max_position_embeddings", "n_positions"),
        tied_embeddings=tied,
        parameters=sum(tensor.elements for tensor in counted.values()),
        weight_bytes=sum(tensor.size_bytes for tensor in tensors.values()),
        dtype=_main_dtype(tensors),
        quantization=str(quantization.get("quant_method", "unknown")) if isinstance(quantization, dict) else "",
        tensors={name: tensor.shape for name, tensor in tensors.items()},
    )


def _read_config(directory: Path) -> dict[str, Any]:
    file = directory / "config.json"
    try:
        config = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"{printable(directory)} is not a model directory: it has no config.json.",
            "Name the directory that holds config.json and the *.safetensors files.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{printable(file)} cannot be read: {printable(error)}.", "Copy the model's config.json again."
        ) from error
    if not isinstance(config, dict):
        raise ModelError(f"{printable(file)} does not hold a JSON object.", "Copy the model's config.json again.")
    return config


def _number(directory: Path, config: Mapping[str, Any], *keys: str, default: int | None = None) -> int:
    """First of the keys that holds a positive whole number; GPT-2's descendants spell several of them differently."""
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        if value is not None:
            raise ModelError(
                f"{key} = {printable(repr(value))} in {printable(directory / 'config.json')} is not a positive number.",
                "Copy the model's config.json again.",
            )
    if default is None:
        raise ModelError(
            f"{printable(directory / 'config.json')} has no {keys[0]}, so its model is of a kind that duotune "
            "does not know.",
            "Use a decoder-only language model in Hugging Face format.",
        )
    return default


def _has_own_head(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bool:
    """Whether the output layer has weights of its own: what the file holds decides unless the config says `tied`."""
    return config.get("tie_word_embeddings") is not True and any(head in tensors for head in HEADS)


def _main_dtype(tensors: Mapping[str, Tensor]) -> str:
    sizes: dict[str, int] = {}
    for tensor in tensors.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.size_bytes
    return max(sizes, key=lambda dtype: sizes[dtype], default="")
