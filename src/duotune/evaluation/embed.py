"""Embeds answers, to say how near one is to what the author wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from duotune.errors import UsageError, printable
from duotune.evaluation.model import TwoModels
from duotune.models.tokenizer import CodeTokenizer

Vectors = npt.NDArray[np.float32]
LONGEST = 512
BATCH = 32


@dataclass(frozen=True)
class Embedder:
    """A way to embed texts.

    Attributes:
        name: What it is, for the report.
        embed: From texts to unit vectors, shape [texts, dimensions]; an empty text has the vector 0.
    """

    name: str
    embed: Callable[[Sequence[str]], Vectors]


def open_embedder(setting: str, models: TwoModels, tokenizer: CodeTokenizer) -> Embedder:
    """The embedder that `evaluation.embedder` names: "base", or a sentence-transformers directory.

    Raises:
        UsageError: If there is no such directory, or it holds no such model.
    """
    if setting == "base":
        return Embedder("the base model, mean of its last hidden states", lambda texts: _base(texts, models, tokenizer))
    directory = Path(setting).expanduser()
    hint = 'Set evaluation.embedder to "base", or to the directory of a sentence-transformers model.'
    if not directory.is_dir():
        raise UsageError(f"evaluation.embedder names {printable(setting)}, which is no directory.", hint)
    from sentence_transformers import SentenceTransformer

    try:
        # local_files_only and no remote code: a model directory is data, and nothing is downloaded.
        model = SentenceTransformer(
            str(directory), device=str(models.device), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"The embedder in {printable(setting)} cannot be loaded: {printable(error)}.", hint) from error
    # Named by its content and its folder's name: similarities of different embedders must never be compared.
    name = f"{directory.name} ({_digest(directory)[:12]})"

    def embed(texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, 1), np.float32)
        found = model.encode(list(texts), batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True)
        return _unit(np.asarray(found, np.float32), texts)

    return Embedder(name, embed)


def cosines(left: Vectors, right: Vectors) -> npt.NDArray[np.float64]:
    """Cosine of each pair of rows of unit vectors."""
    products: npt.NDArray[np.float64] = (left.astype(np.float64) * right.astype(np.float64)).sum(1)
    return products


def random_pairs(vectors: Vectors, seed: int) -> float:
    """Mean cosine of each text with another one: what similarity is without any likeness of content."""
    if len(vectors) < 2:
        return 0.0
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(vectors))
    return float(cosines(vectors[order], vectors[np.roll(order, 1)]).mean())


def _base(texts: Sequence[str], models: TwoModels, tokenizer: CodeTokenizer) -> Vectors:
    """Mean of the base model's last hidden states over a text's tokens."""
    ids = [found[: min(LONGEST, models.context)] for found in tokenizer.encode_batch(list(texts))]
    order = sorted((index for index, found in enumerate(ids) if found), key=lambda index: len(ids[index]))
    vectors = np.zeros((len(texts), models.causal.config.hidden_size), np.float32)
    decoder = getattr(models.causal, models.causal.base_model_prefix)
    with models.speaking("base"):
        for first in range(0, len(order), BATCH):
            members = order[first : first + BATCH]
            padded = torch.zeros((len(members), max(len(ids[index]) for index in members)), dtype=torch.long)
            mask = torch.zeros_like(padded)
            for row, index in enumerate(members):
                padded[row, : len(ids[index])] = torch.tensor(ids[index])
                mask[row, : len(ids[index])] = 1
            padded, mask = padded.to(models.device), mask.to(models.device)
            hidden = decoder(input_ids=padded, attention_mask=mask, use_cache=False).last_hidden_state.float()
            mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            vectors[members] = mean.cpu().numpy()
    return _unit(vectors, texts)


def _unit(vectors: Vectors, texts: Sequence[str]) -> Vectors:
    vectors = vectors * np.array([bool(text.strip()) for text in texts], np.float32)[:, None]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _digest(directory: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(directory.rglob("*.safetensors")) + sorted(directory.glob("*.json")):
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
