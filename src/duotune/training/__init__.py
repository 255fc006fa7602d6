"""Packed tokens in, LoRA adapter out: a thin loop over unmodified transformers and peft."""
