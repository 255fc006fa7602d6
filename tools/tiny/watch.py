"""Held-out losses by part of a fill-in-the-middle document: the first middle token moves long before exact match."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from tools.tiny.documents import Documents

LENGTHS = ((64, 256), (256, 96))  # row length in tokens, rows
ROWS_AT_ONCE = 32


class Watch:
    """A fixed set of held-out documents."""

    def __init__(self, held_out: Documents) -> None:
        """Cut the documents.

        Args:
            held_out: The held-out files.
        """
        self.end = held_out.end
        self.middle = held_out.middle
        self.sets = {length: torch.from_numpy(held_out.fim_rows(rows, length)) for length, rows in LENGTHS}

    @torch.no_grad()
    def losses(self, network: nn.Module, weights: dict[str, Tensor], device: torch.device) -> dict[str, float]:
        """Mean losses in nats.

        Args:
            network: The architecture.
            weights: The weights to measure, by parameter name.
            device: Where to compute.
        """
        found: dict[str, float] = {}
        for length, rows in self.sets.items():
            sums = {"first": [0.0, 0], "rest": [0.0, 0], "stop": [0.0, 0], "context": [0.0, 0]}
            for chunk in torch.split(rows, ROWS_AT_ONCE):
                ids = chunk.to(device)
                output = functional_call(network, weights, (), {"input_ids": ids, "use_cache": False}, tie_weights=True)
                loss = functional.cross_entropy(output.logits[:, :-1].mT, ids[:, 1:], reduction="none")
                for part, mask in self._parts(ids).items():
                    sums[part][0] += float(loss[mask].sum())
                    sums[part][1] += int(mask.sum())
            found |= {f"{part}_{length}": total / max(1, count) for part, (total, count) in sums.items()}
        return found

    def _parts(self, ids: Tensor) -> dict[str, Tensor]:
        given, target = ids[:, :-1], ids[:, 1:]
        first = given.eq(self.middle)
        after = first.cumsum(1) > 0
        ended = given.eq(self.end).cumsum(1) > 0
        stop = after & ~ended & target.eq(self.end)
        rest = after & ~ended & ~first & ~stop
        context = ~after & target.ne(self.middle)
        return {"first": first, "rest": rest, "stop": stop, "context": context}
