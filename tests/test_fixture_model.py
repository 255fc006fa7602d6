"""The model that other tests lean on."""

from pathlib import Path


def test_micro_model_has_single_control_tokens_and_loads(micro_model: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    tokenizer = Tokenizer.from_file(str(micro_model / "tokenizer.json"))
    assert len(tokenizer.encode("<|fim_prefix|>").ids) == 1
    model = AutoModelForCausalLM.from_pretrained(micro_model)
    assert model.config.vocab_size == tokenizer.get_vocab_size()
