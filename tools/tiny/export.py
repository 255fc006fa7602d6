"""Turn a run's newest checkpoint into the directory that the package ships."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig, Qwen2ForCausalLM

from tools.tiny.checkpoint import load_newest
from tools.tiny.documents import Documents
from tools.tiny.evaluate import bits_per_byte, exact_matches, first_token_loss, stop_share
from tools.tiny.ngram import NGram
from tools.tiny.questions import draw_questions
from tools.tiny.settings import Recipe


@dataclass(frozen=True)
class Counts:
    """How many held-out questions are asked."""

    rest_of_line: int = 1000
    other: int = 250


def load_trained(network: Qwen2ForCausalLM, work: Path) -> dict[str, Any]:
    """Put a run's weights, rounded to bfloat16, into a network.

    A run that has decayed its rate gives its last weights, one that has not the average of its latest.

    Returns:
        What the card says about the run.

    Raises:
        FileNotFoundError: The run has no checkpoint.
    """
    state = load_newest(work)
    if state is None:
        raise FileNotFoundError(f"There is no checkpoint in {work}. Train first.")
    decayed = state["decay_start"] is not None
    weights = state["network"] if decayed else state["network"] | state["average"]
    network.load_state_dict({name: value.to(torch.bfloat16).float() for name, value in weights.items()}, strict=False)
    network.tie_weights()
    decay_steps = state["step"] - state["decay_start"] if decayed else 0
    return {"steps": state["step"], "decay_steps": decay_steps}


def measure(
    network: Qwen2ForCausalLM, held_out: Documents, training: Documents, recipe: Recipe, counts: Counts
) -> dict[str, Any]:
    """Every figure of the card, the network's beside those of a 5-gram of the same training tokens."""
    network.eval()
    baseline = NGram(np.concatenate(training.tokens), recipe.shape.vocabulary)
    rest = draw_questions(held_out, "rest", counts.rest_of_line)
    return {
        "bits_per_byte": bits_per_byte(network, baseline, held_out),
        "first_middle_token_nats": first_token_loss(network, baseline, held_out, rest),
        "rest_of_line": exact_matches(network, baseline, held_out, rest),
        "stops": stop_share(network, held_out, counts.other),
    }


def write_model(network: Qwen2ForCausalLM, directory: Path) -> None:
    """Write the weights in bfloat16 with their configuration.

    Args:
        network: The trained network.
        directory: Where to write.
    """
    directory.mkdir(parents=True, exist_ok=True)
    copy = Qwen2ForCausalLM(network.config)
    copy.load_state_dict(network.state_dict())
    end = network.config.eos_token_id
    copy.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=end, pad_token_id=end, bos_token_id=None, max_new_tokens=64
    )
    copy.to(torch.bfloat16).save_pretrained(directory)


def write_json(path: Path, value: object) -> None:
    """Write indented JSON that ends in a newline."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def facts(recipe: Recipe, parameters: int, run: dict[str, Any], training: Documents) -> dict[str, Any]:
    """What the card says about how the model came to be."""
    return {
        "parameters": parameters,
        "shape": asdict(recipe.shape),
        "training": run
        | {
            "tokens_seen": run["steps"] * recipe.batch_tokens,
            "unique_tokens": int(sum(len(tokens) for tokens in training.tokens)),
            "files": len(training.texts),
            "longest_row": recipe.longest_row(run["steps"], run["decay_steps"]),
        },
    }
