"""The chunked cross entropy."""

import torch

from duotune.training.loss import cross_entropy


def test_value_and_gradient_equal_those_of_torch_for_every_chunk_size() -> None:
    generator = torch.Generator().manual_seed(0)
    head = torch.nn.Linear(8, 30)
    targets = torch.randint(0, 30, (13,), generator=generator)
    weights = torch.rand(13, generator=generator)
    states = torch.randn(13, 8, generator=generator)
    expected_states = states.clone().requires_grad_()
    losses = torch.nn.functional.cross_entropy(head(expected_states), targets, reduction="none")
    expected = (losses * weights).sum()
    torch.autograd.backward(3 * expected)
    for rows in (1, 5, 13, 0):
        mine = states.clone().requires_grad_()
        loss = cross_entropy(mine, head, targets, weights, rows)
        torch.autograd.backward(3 * loss)
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(mine.grad, expected_states.grad)


def test_no_gradient_is_made_where_none_is_wanted() -> None:
    head = torch.nn.Linear(8, 30)
    with torch.no_grad():
        loss = cross_entropy(torch.randn(4, 8), head, torch.arange(4), torch.ones(4))
    assert not loss.requires_grad
