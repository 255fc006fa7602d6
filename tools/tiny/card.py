"""The model card, written from the figures."""

from typing import Any

CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [code, fill-in-the-middle, python]
---

# duotune tiny

A Qwen2-architecture code model of {parameters:.2f} million parameters ({layers} layers, hidden {hidden}, vocabulary
{vocabulary:,}, tied embeddings, bfloat16) with the control tokens of Qwen2.5-Coder. It is small enough to ship
inside the package, so that the quick start, the tests and the CPU benchmarks of duotune work with a real model. It
is not meant to write code for anyone.

## Use

Fill-in-the-middle, in prefix-suffix-middle order:

```
<|fim_prefix|>{{prefix}}<|fim_suffix|>{{suffix}}<|fim_middle|>
```

The model ends a middle with `<|endoftext|>`. Source text must be encoded without recognising control tokens in it.
Rows of up to {longest:,} tokens were trained; {positions:,} positions are allowed.

## Training

- Corpus: the standard library of CPython {python}, library and test files ({files:,} files, {unique:.2f} million
  tokens). Its text is under the Python Software Foundation License. {held} more files were held out; `control.json`
  lists them with their hashes and the rule that chose them.
- {steps:,} steps of 4,096 tokens ({seen:.1f} million tokens), {decay}, float32.
  Muon on the matrices, AdamW on the rest. Short fill-in-the-middle documents first, longer ones later, with attention
  guided from the start of the middle back to the end of the prefix; see `tools/tiny/settings.py` and `jump_loss` in
  `tools/tiny/network.py`.
- Again: `python tools/tiny/train.py --steps {steady} --decay-steps {decay_steps}`.

## Figures on the held-out files

| | this model | 5-gram | N |
| --- | --- | --- | --- |
| bits per byte | {bpb:.3f} | {bpb_base:.3f} | {bpb_n:,} bytes |
| first middle token, nats | {first:.3f} | {first_base:.3f} | {rest_n} |
| rest of a line, exact match | {exact:.1%} | {exact_base:.1%} | {rest_n} |
| the same, from the prefix alone | {exact_prefix:.1%} | {exact_base:.1%} | {rest_n} |
| part of a line, exact match | {span_exact:.1%} | - | {other_n} |
| two to five lines, exact match | {lines_exact:.1%} | - | {other_n} |
| stops by itself, rest of a line | {stops:.1%} | - | {rest_n} |
| stops by itself, part of a line | {span:.1%} | - | {other_n} |
| stops by itself, two to five lines | {lines:.1%} | - | {other_n} |
| stops by itself, all of these | {all_stops:.1%} | - | {all_n} |

The 5-gram is an interpolated Kneser-Ney model (one discount per order) of the same training tokens; it sees the
prefix only and writes to the end of the line. Cuts fall on any character, also inside words; prefixes have up to
384 tokens, suffixes up to 128, middles up to 48. Decoding is greedy, at most 64 new tokens, from the bfloat16
weights computed in float32. The network starts every window of 1,024 tokens anew in bits per byte; the 5-gram
always sees four tokens."""


def render_card(figures: dict[str, Any], control: dict[str, Any]) -> str:
    """The text of ``README.md``.

    Args:
        figures: What ``figures.json`` holds.
        control: What ``control.json`` holds.
    """
    shape, training, stops = figures["shape"], figures["training"], figures["stops"]
    rest, other = figures["rest_of_line"]["count"], stops["count"]
    everything = figures["rest_of_line"]["stops"] * rest + (stops["span"] + stops["lines"]) * other
    decay_steps = training["decay_steps"]
    return CARD.format(
        parameters=figures["parameters"] / 1e6,
        layers=shape["layers"],
        hidden=shape["hidden"],
        vocabulary=shape["vocabulary"],
        positions=shape["positions"],
        python=control["python"],
        files=training["files"],
        held=len(control["files"]),
        unique=training["unique_tokens"] / 1e6,
        steps=training["steps"],
        longest=training["longest_row"],
        seen=training["tokens_seen"] / 1e6,
        decay=f"the last {decay_steps} at a falling rate" if decay_steps else "an average of the latest weights",
        steady=training["steps"] - decay_steps,
        decay_steps=decay_steps,
        bpb=figures["bits_per_byte"]["network"],
        bpb_base=figures["bits_per_byte"]["baseline"],
        bpb_n=figures["bits_per_byte"]["bytes"],
        first=figures["first_middle_token_nats"]["network"],
        first_base=figures["first_middle_token_nats"]["baseline"],
        exact=figures["rest_of_line"]["network"],
        exact_base=figures["rest_of_line"]["baseline"],
        exact_prefix=figures["rest_of_line"]["network_prefix_only"],
        stops=figures["rest_of_line"]["stops"],
        rest_n=rest,
        span=stops["span"],
        lines=stops["lines"],
        span_exact=stops["span_exact"],
        lines_exact=stops["lines_exact"],
        other_n=other,
        all_stops=everything / (rest + 2 * other),
        all_n=rest + 2 * other,
    )
