"""What decides how an adapter is compared with its base model."""

from __future__ import annotations

from duotune.config.fields import Section, setting


class EvaluationConfig(Section):
    """What is compared between base and adapter, and how much of it."""

    fim_items: int = setting(
        200,
        help="Held-out completions to compare; below 200 only large effects show.",
        unit="items",
        steps=(0, 50, 100, 200, 500, 1000, 2000),
        ge=0,
        le=5000,
    )
    signature_items: int = setting(
        100,
        help="Held-out functions to write from their signature.",
        unit="items",
        steps=(0, 50, 100, 200, 500, 1000),
        ge=0,
        le=5000,
    )
    watched_items: int = setting(
        8,
        help="Of the completions, so many are answered at each validation too, for the run's curves; 0 answers none.",
        unit="items",
        ge=0,
        le=64,
    )
    max_new_tokens: int = setting(
        256,
        help="Longest answer that is generated; an answer that needs more counts as truncated.",
        steps=(64, 128, 256, 512, 1024),
        ge=8,
        le=4096,
    )
    batch_size: int = setting(
        16,
        help="Prompts answered at once; more is faster until memory ends.",
        steps=(1, 2, 4, 8, 16, 32, 64),
        ge=1,
        le=512,
    )
    embedder: str = setting(
        "base",
        help='Embedding similarity by "base" (the base model, mean pooling) or by a sentence-transformers folder.',
    )
    seed: int = setting(0, help="Seed of the choice of items and of the resampling.", ge=0)
