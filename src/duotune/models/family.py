"""Fill-in-the-middle and repository formats per model family, detected from the tokenizer's own control tokens.

The formats and their evidence: Qwen2.5-Coder (its README; arXiv 2409.12186, figures 3 and 4), CodeGemma (Google's
model card), StarCoder2 (arXiv 2402.19173, section 5; issues of its repository), Granite Code (issues of its
repository), Mellum (`MellumCompletionService` of JetBrains' mellum-sdk; its special_tokens_map.json as other programs
list it), DeepSeek-Coder (README), Code Llama (arXiv 2308.12950, section 2.3, and `encode_infilling` of its code),
Mistral (mistral-common, `encode_fim`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from duotune.models.tokenizer import CodeTokenizer

Order = Literal["prefix-first", "suffix-first"]


@dataclass(frozen=True)
class FimFormat:
    """How a family writes a fill-in-the-middle prompt, as token ids.

    Attributes:
        family: Name of the family.
        opening: Before everything (bos), often nothing.
        prefix: Before the source above the hole.
        suffix: Before the source below the hole.
        middle: After both; the answer follows.
        order: Which of prefix and suffix comes first.
        end: Closes the answer.
        document_end: Closes a plain document.
        stops: Every id that ends an answer, `end` first.
        space_before_prefix: The family's tokenizer puts a space before the text that follows `prefix`.
    """

    family: str
    opening: tuple[int, ...]
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    middle: tuple[int, ...]
    order: Order
    end: int
    document_end: int
    stops: tuple[int, ...]
    space_before_prefix: bool = False


@dataclass(frozen=True)
class _Spelling:
    """A family's control tokens as they are spelled; all but `stops` and `opening` must be in the vocabulary."""

    family: str
    prefix: str
    suffix: str
    middle: str
    end: str
    document_end: str
    opening: str = ""
    requires: str = ""
    order: Order = "prefix-first"
    stops: tuple[str, ...] = ()


PIPED = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
BARE = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
QWEN_STOPS = (*PIPED, "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_start|>", "<|im_end|>")
DEEPSEEK_END = "<｜end▁of▁sentence｜>"

# The order matters: CodeGemma, Granite 3.3 and Qwen spell the three tokens alike and differ in what else they have.
SPELLINGS = (
    _Spelling(
        "codegemma",
        *PIPED,
        end="<|file_separator|>",
        document_end="<eos>",
        opening="<bos>",
        stops=(*PIPED, "<eos>", "<end_of_turn>"),
    ),
    _Spelling(
        "granite",
        *PIPED,
        end="<|end_of_text|>",
        document_end="<|end_of_text|>",
        stops=(*PIPED, "<|fim_pad|>", "<|filename|>", "<|reponame|>", "<|start_of_role|>"),
    ),
    _Spelling("qwen2.5-coder", *PIPED, end="<|endoftext|>", document_end="<|endoftext|>", stops=QWEN_STOPS),
    _Spelling(
        "starcoder2",
        *BARE,
        end="<|endoftext|>",
        document_end="<|endoftext|>",
        requires="<file_sep>",
        stops=("<file_sep>", "<repo_name>", "<reponame>", "<fim_pad>", *BARE),
    ),
    # StarCoder's tokens with roles of a conversation beside them, and what stands below the hole comes first.
    _Spelling(
        "mellum",
        *BARE,
        end="<|endoftext|>",
        document_end="<|endoftext|>",
        requires="<assistant>",
        order="suffix-first",
        stops=("<filename>", "<reponame>", "<fim_pad>", *BARE),
    ),
    _Spelling(
        "granite-code",
        *BARE,
        end="<|endoftext|>",
        document_end="<|endoftext|>",
        stops=("<filename>", "<reponame>", "<fim_pad>", *BARE),
    ),
    _Spelling(
        "deepseek-coder",
        "<｜fim▁begin｜>",
        "<｜fim▁hole｜>",
        "<｜fim▁end｜>",
        end=DEEPSEEK_END,
        document_end=DEEPSEEK_END,
        opening="<｜begin▁of▁sentence｜>",
        stops=("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>"),
    ),
    _Spelling(
        "codellama",
        "▁<PRE>",
        "▁<SUF>",
        "▁<MID>",
        end="▁<EOT>",
        document_end="</s>",
        opening="<s>",
        stops=("</s>", "▁<PRE>", "▁<SUF>", "▁<MID>"),
    ),
    _Spelling(
        "codestral",
        "[PREFIX]",
        "[SUFFIX]",
        "",
        end="</s>",
        document_end="</s>",
        opening="<s>",
        order="suffix-first",
        stops=("[PREFIX]", "[SUFFIX]", "[MIDDLE]", "[INST]", "[/INST]"),
    ),
)


@dataclass(frozen=True)
class RepositoryFormat:
    """How a family writes several files of one repository: name, then each file with its path on a line of its own.

    Attributes:
        repository: Before the repository's name.
        file: Before each file's path.
        after_name: Between the name and the first file.
    """

    repository: int
    file: int
    after_name: str


# Spelling of both tokens, and what stands after the name. CodeGemma's `<|file_separator|>` is not here: it ends its
# answers, and the family has no token for a repository. DeepSeek-Coder, Code Llama and Codestral have neither token.
REPOSITORY_SPELLINGS = (
    ("<|repo_name|>", "<|file_sep|>", "\n"),  # Qwen2.5-Coder
    ("<repo_name>", "<file_sep>", ""),  # StarCoder2
    ("<reponame>", "<file_sep>", "\n"),  # CodeQwen1.5
    ("<reponame>", "<filename>", ""),  # StarCoder, Granite Code, Mellum
    ("<|reponame|>", "<|filename|>", ""),  # Granite 3.3 and 4
)


def detect_repository(tokenizer: CodeTokenizer) -> RepositoryFormat | None:
    """The repository format that a vocabulary's control tokens speak of, None when there is none."""
    for repository, file, after_name in REPOSITORY_SPELLINGS:
        ids = tokenizer.control_id(repository), tokenizer.control_id(file)
        if ids[0] is not None and ids[1] is not None:
            return RepositoryFormat(ids[0], ids[1], after_name)
    return None


def detect_fim(tokenizer: CodeTokenizer) -> FimFormat | None:
    """The fill-in-the-middle format that a vocabulary's control tokens speak of, None when there is none."""
    for spelling in SPELLINGS:
        found = _resolve(tokenizer, spelling)
        if found is not None:
            return found
    return None


def _resolve(tokenizer: CodeTokenizer, spelling: _Spelling) -> FimFormat | None:
    names = (spelling.prefix, spelling.suffix, spelling.middle, spelling.end, spelling.document_end, spelling.requires)
    ids = {name: tokenizer.control_id(name) for name in names if name}
    present = {name: token_id for name, token_id in ids.items() if token_id is not None}
    if len(present) < len(ids):
        return None
    bos = tokenizer.control_id(spelling.opening) if spelling.opening else None
    end = present[spelling.end]
    others = (tokenizer.control_id(name) for name in spelling.stops)
    return FimFormat(
        family=spelling.family,
        opening=tokenizer.opening_ids or (() if bos is None else (bos,)),
        prefix=(present[spelling.prefix],),
        suffix=(present[spelling.suffix],),
        middle=(present[spelling.middle],) if spelling.middle else (),
        order=spelling.order,
        end=end,
        document_end=present[spelling.document_end],
        stops=tuple(dict.fromkeys([end, *(token_id for token_id in others if token_id is not None)])),
        space_before_prefix=tokenizer.begins_with_space,
    )
