"""Small tokenizers built the way the families of code models build theirs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TRAINING_TEXT = ["def area(r):\n    return 3.14 * r ** 2\n", "for (int i = 0; i < n; i++) { a[i] += b; }\n"] * 4


def byte_level_tokenizer(directory: Path, controls: Mapping[str, bool], bos: str = "", eos: str = "") -> Path:
    """Write a byte-level BPE, as Qwen, StarCoder2 and DeepSeek have it.

    Args:
        directory: Made when it is not there.
        controls: Added tokens, and whether each is marked special.
        bos: Put before every text by the tokenizer itself.
        eos: Declared in tokenizer_config.json.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TRAINING_TEXT, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False)
    )
    return _write(directory, tokenizer, controls, bos, eos)


def sentencepiece_tokenizer(directory: Path, controls: Mapping[str, bool], bos: str = "<s>", eos: str = "</s>") -> Path:
    """Write a BPE with byte fallback and a dummy leading space, as Code Llama and Codestral have it."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(33, 127)), "▁r", "de", "def"]
    merges = [("▁", "r"), ("d", "e"), ("de", "f")]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _write(directory, tokenizer, controls, bos, eos)


def edit_tokenizer(directory: Path, **changes: Any) -> None:
    """Change top-level entries of a written tokenizer.json."""
    file = directory / "tokenizer.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **changes}))


def _write(directory: Path, tokenizer: Any, controls: Mapping[str, bool], bos: str, eos: str) -> Path:
    from tokenizers import AddedToken, processors

    directory.mkdir(parents=True, exist_ok=True)
    for name, special in _with(controls, (bos, eos)):
        token = AddedToken(name, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps({"eos_token": eos} if eos else {}))
    return directory


def _with(controls: Mapping[str, bool], others: Iterable[str]) -> list[tuple[str, bool]]:
    return [*((other, True) for other in others if other and other not in controls), *controls.items()]
