"""The bundled tiny model is whole, small, and speaks the prompt contract."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from support.models import CONTROL_TOKENS

MODEL = Path(__file__).resolve().parents[2] / "src" / "duotune" / "assets" / "tiny"


@pytest.fixture(scope="module")
def network() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(MODEL)


def test_the_directory_holds_at_most_sixteen_megabytes() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 16_000_000


def test_transformers_loads_a_tied_qwen2_in_bfloat16(network: PreTrainedModel) -> None:
    assert type(network).__name__ == "Qwen2ForCausalLM"
    assert network.dtype == torch.bfloat16
    assert network.config.tie_word_embeddings
    assert network.get_input_embeddings().weight is network.get_output_embeddings().weight


def test_the_weights_file_holds_bfloat16_and_no_second_copy_of_the_embeddings() -> None:
    with safe_open(MODEL / "model.safetensors", framework="pt") as weights:
        kinds = {name: weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118
    assert set(kinds.values()) == {"BF16"}
    assert "model.embed_tokens.weight" in kinds
    assert "lm_head.weight" not in kinds


def test_every_control_token_is_one_special_id_of_the_models_vocabulary(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    ids = [tokenizer(token, add_special_tokens=False)["input_ids"] for token in CONTROL_TOKENS]
    assert [len(found) for found in ids] == [1] * len(CONTROL_TOKENS)
    assert len({found[0] for found in ids}) == len(CONTROL_TOKENS)
    assert {found[0] for found in ids} <= set(tokenizer.all_special_ids)
    assert max(found[0] for found in ids) < network.config.vocab_size
    assert len(tokenizer) == network.config.vocab_size


def test_the_end_token_ends_text_in_tokenizer_model_and_generation(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert tokenizer.eos_token_id == end
    assert tokenizer.pad_token_id is not None
    assert network.config.eos_token_id == end
    assert network.generation_config.eos_token_id == end


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_a_control_token_spelled_in_source_stays_text(token: str) -> None:
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    source = f"MARK = '{token}'  # {token}\n"
    ids = tokenizer.encode(source, add_special_tokens=False).ids
    assert not {tokenizer.token_to_id(name) for name in CONTROL_TOKENS}.intersection(ids)
    assert tokenizer.decode(ids, skip_special_tokens=False) == source


def test_the_transformers_tokenizer_gives_the_ids_of_the_tokenizers_library(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    plain = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    source = "def größe(x):\r\n\tif x >= 1234:\n        return 'don\\'t'  # 你好 \n\n\n"
    ids = tokenizer(source, add_special_tokens=False)["input_ids"]
    assert ids == plain.encode(source, add_special_tokens=False).ids
    assert tokenizer.decode(ids) == source


def test_a_chat_is_rendered_as_chatml(tokenizer: PreTrainedTokenizerBase) -> None:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_code_is_likelier_than_the_same_tokens_shuffled(
    network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    source = (
        "    def __init__(self, name):\n        self.name = name\n\n    def __repr__(self):\n        return self.name\n"
    )
    ids = torch.tensor([tokenizer(source, add_special_tokens=False)["input_ids"]])
    shuffled = ids[:, torch.randperm(ids.shape[1], generator=torch.Generator().manual_seed(1))]
    with torch.no_grad():
        losses = [float(network(input_ids=rows, labels=rows).loss) for rows in (ids, shuffled)]
    assert losses[0] < losses[1] - 2


def test_the_control_list_follows_its_rule_and_names_hashes() -> None:
    control = json.loads((MODEL / "control.json").read_text(encoding="utf-8"))
    assert len(control["files"]) > 50
    for file in control["files"]:
        assert int(hashlib.sha256(file["path"].encode()).hexdigest(), 16) % 10 == 0
        assert re.fullmatch(r"[0-9a-f]{64}", file["sha256"])


def test_the_card_states_the_figures_that_were_measured() -> None:
    figures = json.loads((MODEL / "figures.json").read_text(encoding="utf-8"))
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    row = f"| bits per byte | {figures['bits_per_byte']['network']:.3f} | {figures['bits_per_byte']['baseline']:.3f} |"
    assert row in card
    rest = figures["rest_of_line"]
    assert f"| rest of a line, exact match | {rest['network']:.1%} | {rest['baseline']:.1%} |" in card
