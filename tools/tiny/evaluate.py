"""The figures of the model card, the network's beside the baseline's."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from tools.tiny.documents import Documents, IntArray
from tools.tiny.ngram import NGram
from tools.tiny.questions import NEW_TOKENS, Question, draw_questions

WINDOW_TOKENS = 1024
TOKENS_PER_FILE = 2048
PROMPTS_AT_ONCE = 32


def bits_per_byte(network: PreTrainedModel, baseline: NGram, held_out: Documents) -> dict[str, float]:
    """Bits per byte of both models on the first tokens of each held-out file, in windows of 1,024 tokens.

    The baseline always sees its four tokens; the network starts each window anew.
    """
    lengths = _byte_lengths(held_out)
    network_nats = baseline_nats = 0.0
    count = bytes_read = 0
    for tokens in held_out.tokens:
        ids = np.concatenate([np.full(4, held_out.end), tokens[:-1][:TOKENS_PER_FILE]])
        contexts = np.lib.stride_tricks.sliding_window_view(ids, 4)[:-1]
        baseline_nats -= float(np.log(baseline.probabilities(contexts, ids[4:])).sum())
        for start in range(3, len(ids) - 1, WINDOW_TOKENS):
            network_nats += float(_losses(network, ids[start : start + WINDOW_TOKENS + 1]).sum())
        count += len(ids) - 4
        bytes_read += int(lengths[ids[4:]].sum())
    scale = math.log(2) * bytes_read
    return {"network": network_nats / scale, "baseline": baseline_nats / scale, "tokens": count, "bytes": bytes_read}


def first_token_loss(
    network: PreTrainedModel, baseline: NGram, held_out: Documents, questions: list[Question]
) -> dict[str, float]:
    """Mean loss of the first middle token in nats; the baseline sees the prefix only."""
    losses = [_losses(network, np.array([*q.prompt(held_out), q.middle[0]]))[-1] for q in questions]
    contexts = np.array([q.before[-4:] for q in questions])
    chances = baseline.probabilities(contexts, np.array([q.middle[0] for q in questions]))
    return {"network": float(np.mean(losses)), "baseline": float(-np.log(chances).mean()), "count": len(questions)}


def exact_matches(
    network: PreTrainedModel, baseline: NGram, held_out: Documents, questions: list[Question]
) -> dict[str, float]:
    """Share of rests of lines that come out exactly.

    ``network`` sees prefix and suffix and must stop by itself; ``network_prefix_only`` and ``baseline`` see the prefix
    and write to the end of the line.
    """
    filled = generate(network, held_out, [q.prompt(held_out) for q in questions])
    plain = generate(network, held_out, [[held_out.end, *q.before] for q in questions])
    guesses = [_baseline_line(baseline, held_out, q) for q in questions]
    texts = [q.text for q in questions]
    return {
        "network": _share(text == answer and stopped for text, (answer, stopped) in zip(texts, filled, strict=True)),
        "network_prefix_only": _share(
            text == answer.split("\n")[0] for text, (answer, _) in zip(texts, plain, strict=True)
        ),
        "baseline": _share(text == guess for text, guess in zip(texts, guesses, strict=True)),
        "stops": _share(stopped for _, stopped in filled),
        "count": len(questions),
    }


def stop_share(network: PreTrainedModel, held_out: Documents, count: int) -> dict[str, float]:
    """Share of middles after which the network stops by itself within 64 tokens."""
    found: dict[str, float] = {"count": count}
    for kind in ("span", "lines"):
        questions = draw_questions(held_out, kind, count)
        answers = generate(network, held_out, [q.prompt(held_out) for q in questions])
        found[kind] = _share(stopped for _, stopped in answers)
        exact = (q.text == text and stopped for q, (text, stopped) in zip(questions, answers, strict=True))
        found[f"{kind}_exact"] = _share(exact)
    return found


@torch.no_grad()
def generate(network: PreTrainedModel, documents: Documents, prompts: list[list[int]]) -> list[tuple[str, bool]]:
    """Complete prompts greedily: the text, and whether the network stopped by itself."""
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    answers: dict[int, tuple[str, bool]] = {}
    for low in range(0, len(order), PROMPTS_AT_ONCE):
        members = order[low : low + PROMPTS_AT_ONCE]
        width = max(len(prompts[index]) for index in members)
        ids = torch.full((len(members), width), documents.end)
        mask = torch.zeros((len(members), width), dtype=torch.long)
        for row, index in enumerate(members):
            ids[row, width - len(prompts[index]) :] = torch.tensor(prompts[index])
            mask[row, width - len(prompts[index]) :] = 1
        output = network.generate(
            ids.to(network.device), attention_mask=mask.to(network.device), max_new_tokens=NEW_TOKENS, do_sample=False
        )
        for index, row_ids in zip(members, output[:, width:].tolist(), strict=True):
            stopped = documents.end in row_ids
            kept = row_ids[: row_ids.index(documents.end)] if stopped else row_ids
            answers[index] = (documents.tokenizer.decode(kept, skip_special_tokens=False), stopped)
    return [answers[index] for index in range(len(prompts))]


@torch.no_grad()
def _losses(network: PreTrainedModel, ids: IntArray) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    tensor: Tensor = torch.from_numpy(ids)[None].to(network.device)
    logits = network(input_ids=tensor, use_cache=False).logits[0, :-1].float()
    losses: np.ndarray[tuple[int], np.dtype[np.float32]] = (
        functional.cross_entropy(logits, tensor[0, 1:], reduction="none").cpu().numpy()
    )
    return losses


def _baseline_line(baseline: NGram, documents: Documents, question: Question) -> str:
    context = list(question.before)
    for _ in range(NEW_TOKENS):
        context.append(baseline.most_likely(context))
        text = documents.tokenizer.decode(context[len(question.before) :], skip_special_tokens=False)
        if "\n" in text or context[-1] == documents.end:
            break
    return text.split("\n")[0]


def _byte_lengths(documents: Documents) -> IntArray:
    """Bytes of each token: in byte-level BPE each character of a token stands for one."""
    vocabulary = documents.tokenizer.get_vocab()
    lengths = np.zeros(len(vocabulary), dtype=np.int64)
    for token, index in vocabulary.items():
        lengths[index] = len(token)
    return lengths


def _share(hits: Iterator[bool]) -> float:
    values = list(hits)
    return sum(values) / len(values)
