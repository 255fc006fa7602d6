"""Embedding similarity."""

from pathlib import Path

import numpy as np
import pytest
import torch

from duotune.config.run import ModelConfig
from duotune.errors import UsageError
from duotune.evaluation.embed import Embedder, cosines, open_embedder, random_pairs
from duotune.evaluation.model import TwoModels, load_two
from duotune.models.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def models(micro_model: Path) -> TwoModels:
    return load_two(micro_model, None, ModelConfig(path=str(micro_model)), "cpu")


@pytest.fixture(scope="module")
def embedder(models: TwoModels, micro_model: Path) -> Embedder:
    return open_embedder("base", models, load_tokenizer(micro_model))


def test_the_base_embedder_is_the_mean_of_the_last_hidden_states(
    embedder: Embedder, models: TwoModels, micro_model: Path
) -> None:
    texts = ["class A:\n    pass\n", "x", "raise UsageError(message, hint)"]
    found = embedder.embed(texts)
    for vector, text in zip(found, texts, strict=True):
        ids = torch.tensor([load_tokenizer(micro_model).encode(text)])
        with torch.inference_mode():
            hidden = models.causal.model(input_ids=ids, use_cache=False).last_hidden_state[0]
        expected = torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy()
        np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_equal_texts_have_similarity_one_and_an_empty_answer_zero(embedder: Embedder) -> None:
    left = embedder.embed(["return self.value", "return self.value", "x = 1"])
    right = embedder.embed(["return self.value", "", " \n"])
    assert cosines(left, right).tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert embedder.embed([]).shape[0] == 0


def test_random_pairs_never_pair_a_text_with_itself() -> None:
    vectors = np.eye(6, dtype=np.float32)
    assert random_pairs(vectors, seed=0) == 0.0
    assert random_pairs(vectors[:1], seed=0) == 0.0


def test_an_embedder_that_is_not_there_is_refused_by_its_setting(models: TwoModels, micro_model: Path) -> None:
    with pytest.raises(UsageError, match=r"evaluation\.embedder names"):
        open_embedder("/nowhere/at/all", models, load_tokenizer(micro_model))


def test_a_sentence_transformers_directory_is_named_by_its_content(
    models: TwoModels, micro_model: Path, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers import models as parts

    transformer = parts.Transformer(str(micro_model))
    SentenceTransformer(modules=[transformer, parts.Pooling(32)], device="cpu").save(str(tmp_path / "small"))
    embedder = open_embedder(str(tmp_path / "small"), models, load_tokenizer(micro_model))
    assert embedder.name.startswith("small (")
    vectors = embedder.embed(["x = 1", "x = 1", ""])
    assert cosines(vectors, vectors).tolist() == pytest.approx([1.0, 1.0, 0.0], abs=1e-5)
