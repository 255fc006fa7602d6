"""What decides how an adapter is trained: its shape, and the optimisation."""

from __future__ import annotations

from typing import Literal

from duotune.config.fields import Section, setting


class LoraSettings(Section):
    """The adapter's shape, in PEFT's names."""

    r: int = setting(
        16,
        help="Rank: 8 to 16 suits most projects; higher learns more detail, uses more memory, overfits sooner.",
        steps=(4, 8, 16, 32, 64, 128, 256),
        ge=1,
        le=512,
    )
    lora_alpha: int = setting(
        32,
        help="Scale of the update (lora_alpha / r multiplies it); twice r is a sound start.",
        steps=(8, 16, 32, 64, 128, 256, 512),
        ge=1,
        le=4096,
    )
    lora_dropout: float = setting(
        0.0,
        help="Above 0 fights overfitting on tiny projects, at half again the memory and time.",
        steps=(0.0, 0.05, 0.1, 0.2),
        ge=0,
        lt=1,
    )
    target_modules: Literal["all-linear"] | list[str] = setting(
        "all-linear", help='Layers that get an adapter; fewer, such as ["q_proj", "v_proj"], train faster, learn less.'
    )
    use_rslora: bool = setting(False, help="Scale by the square root of r instead of r; steadier at ranks above 64.")


class TrainingConfig(Section):
    """The optimisation, in the names of the Hugging Face Trainer."""

    num_train_epochs: float = setting(
        1.0,
        help="Passes over the data; more helps small projects, and overfits beyond 3 to 5.",
        steps=(0.25, 0.5, 1, 2, 3, 5),
        gt=0,
        le=100,
    )
    max_steps: int = setting(0, help="Stop after so many optimizer steps; 0 lets the epochs decide.", ge=0)
    max_minutes: float = setting(
        0,
        help="Fit training into so many minutes by fewer steps, decided once after a measured start; 0 is no limit.",
        unit="minutes",
        steps=(0, 15, 30, 60, 120, 240, 480),
        ge=0,
    )
    learning_rate: float = setting(
        2e-4,
        help="Step size; halve it when the loss jumps, double it when the loss hardly moves.",
        steps=(1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3),
        gt=0,
        le=1,
    )
    lr_scheduler_type: Literal["cosine", "linear", "constant"] = setting(
        "cosine", help="How the learning rate falls after the warm-up; cosine suits almost everything."
    )
    warmup_ratio: float = setting(
        0.05,
        help="Share of the steps that ramps the learning rate up.",
        steps=(0.0, 0.03, 0.05, 0.1, 0.2),
        ge=0,
        le=0.5,
    )
    per_device_train_batch_size: int = setting(
        1,
        help="Packed rows per forward pass; more is faster until memory ends.",
        label="batch size",
        steps=(1, 2, 4, 8, 16, 32),
        ge=1,
    )
    gradient_accumulation_steps: int = setting(
        4,
        help="Forward passes per optimizer step; larger steps without more memory.",
        label="accumulation steps",
        steps=(1, 2, 4, 8, 16, 32),
        ge=1,
    )
    weight_decay: float = setting(
        0.0, help="Pull of the adapter towards zero; small values fight overfitting.", steps=(0.0, 0.01, 0.1), ge=0
    )
    max_grad_norm: float = setting(1.0, help="Longest gradient step allowed; tames rare bad batches.", gt=0)
    eval_steps: int = setting(
        0, help="Optimizer steps between validation losses; 0 is up to ten times per run.", unit="steps", ge=0
    )
    save_steps: int = setting(
        0, help="Optimizer steps between checkpoints; 0 saves with every validation loss.", unit="steps", ge=0
    )
    early_stopping_patience: int = setting(
        3,
        help="Validation losses without a new best before training stops; 0 never stops early.",
        label="patience",
        steps=(0, 1, 2, 3, 5, 10),
        ge=0,
    )
    seed: int = setting(0, help="Seed of initial adapter weights and of the order of rows.", ge=0)
