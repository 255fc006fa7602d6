"""The guidance of attention: where it looks, and that following it lowers it."""

from __future__ import annotations

import torch
from tools.tiny.network import Jumps, build_network, jump_loss
from tools.tiny.settings import GUIDED_TOKENS, Shape

PREFIX, SUFFIX, MIDDLE, END = 90, 91, 92, 93
SHAPE = Shape(vocabulary=96, hidden=48, mlp=32, layers=6, heads=3, kv_heads=1, positions=64)


def rows() -> torch.Tensor:
    """A document whose middle has two tokens, one in the other order, and plain text."""
    psm = [PREFIX, 1, 2, SUFFIX, 3, MIDDLE, 4, 5, END, 6, 7, 8]
    spm = [PREFIX, SUFFIX, 3, MIDDLE, 1, 2, 4, 5, END, 6, 7, 8]
    return torch.tensor([psm, spm, list(range(1, 13))])


def test_jumps_lead_from_the_start_of_the_middle_to_the_suffix_token() -> None:
    jumps = Jumps.of(rows(), SUFFIX, MIDDLE, END, 1.0)
    assert jumps.sources[0].tolist() == list(range(5, 5 + GUIDED_TOKENS))
    assert jumps.target[0] == 3
    assert jumps.present[0].tolist() == [1, 1, 1] + [0] * (GUIDED_TOKENS - 3)
    assert jumps.present[1:].sum() == 0


def test_following_the_guidance_lowers_it() -> None:
    network = build_network(SHAPE, END)
    ids = rows()
    jumps = Jumps.of(ids, SUFFIX, MIDDLE, END, 1.0)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        hidden = network(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states
        loss = jump_loss(network, hidden, jumps)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
