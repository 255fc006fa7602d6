"""Adapters that change the micro model without a training."""

from __future__ import annotations

from pathlib import Path


def write_random_adapter(model: Path, directory: Path, scale: float = 0.5, seed: int = 3) -> Path:
    """An adapter of random weights over every linear layer, in PEFT's format."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    adapted = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"]))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    adapted.save_pretrained(str(directory))
    return directory
