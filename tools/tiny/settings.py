"""Every number that shapes the tiny model, in one place."""

from dataclasses import dataclass, field

SEED = 20_250_101
CONTROL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)


GUIDED_LAYERS = (1, 2, 3, 4)
GUIDED_TOKENS = 6


@dataclass(frozen=True)
class Shape:
    """The network: a Qwen2 architecture, small enough for two CPU cores."""

    vocabulary: int = 4096
    hidden: int = 192
    mlp: int = 512
    layers: int = 6
    heads: int = 3
    kv_heads: int = 1
    rope_theta: float = 10_000.0
    positions: int = 2048


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        until: First step that no longer belongs to the stage.
        lengths: Row length in tokens and its share of the steps.
        fim: Share of the rows that are fill-in-the-middle documents.
        spm: Share of those in suffix-prefix-middle order, where the middle continues the prefix directly.
        hint: Loss weight of predicting the first middle token already at the suffix token, in place of the suffix's
            first. It teaches the jump in two easy halves: look one token back there, then copy that from the middle
            token.
        stop: Loss weight of the token that ends a middle.
        guide: Weight of the guidance of attention, see :func:`tools.tiny.network.jump_loss`.
    """

    until: int
    lengths: tuple[tuple[int, float], ...]
    fim: float
    spm: float
    hint: float
    stop: float = 2.0
    guide: float = 0.1


# Short documents first: after the middle token the model must look back to the end of the prefix, and it learns that
# when the distance is a few tokens and each batch holds dozens of such jumps. Longer rows come when the jump is there.
STAGES = (
    Stage(until=349, lengths=((64, 0.8), (256, 0.2)), fim=0.75, spm=0.1, hint=0.0),
    Stage(until=1081, lengths=((64, 0.8), (256, 0.2)), fim=0.75, spm=0.05, hint=5.0),
    Stage(until=1_000_000, lengths=((64, 0.2), (256, 0.8)), fim=0.7, spm=0.0, hint=3.0),
)
# Last of all the model learns to end: at weight 6 it stopped by itself on 88 % of the middles, and 90 % is the aim.
DECAY_STAGE = Stage(
    until=1_000_000, lengths=((256, 0.8), (1024, 0.2)), fim=0.75, spm=0.0, hint=0.0, stop=10.0, guide=0.0
)


@dataclass(frozen=True)
class Weights:
    """Loss weight of a token by its part in a fill-in-the-middle document (plain text: 1)."""

    context: float = 0.5
    early: tuple[float, ...] = (8.0, 5.0, 3.0)
    middle: float = 2.0

    def of_middle(self, length: int) -> list[float]:
        """The weights of the tokens of a middle, the first ones first."""
        return [*self.early, *([self.middle] * length)][:length]


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    shape: Shape = field(default_factory=Shape)
    weights: Weights = field(default_factory=Weights)
    batch_tokens: int = 4096
    warmup: int = 100
    muon_lr: float = 0.02
    muon_weight_decay: float = 0.1
    adam_lr: float = 3e-3
    clip: float = 1.0
    average_steps: int = 200
    library_share: float = 0.65

    def stage(self, step: int, decaying: bool) -> Stage:
        """The stage that a step belongs to."""
        if decaying:
            return DECAY_STAGE
        return next(stage for stage in STAGES if step < stage.until)

    def longest_row(self, steps: int, decay_steps: int) -> int:
        """Length in tokens of the longest rows that a run of so many steps has seen."""
        seen = {self.stage(step, decaying=False) for step in range(steps - decay_steps)}
        stages = seen | ({DECAY_STAGE} if decay_steps else set())
        return max(length for stage in stages for length, _ in stage.lengths)
