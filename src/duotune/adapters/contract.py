"""contract.json of a published adapter: what a server must answer to be trusted with it (DESIGN §4.1)."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.errors import CheckFailed, printable

CONTRACT = "contract.json"


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ContractCase(_Stored):
    """One prompt whose log-probabilities a server must reproduce.

    Attributes:
        prompt_ids: Token ids of the prompt.
        target_ids: Token ids that follow it, at most 32.
        base: Log-probability of each target token under the base model, in nats.
        adapter: The same under the adapter; None when none was evaluated.
    """

    id: str
    prompt_ids: list[int]
    target_ids: list[int]
    base: list[float]
    adapter: list[float] | None

    @property
    def ids(self) -> list[int]:
        """Prompt and answer."""
        return [*self.prompt_ids, *self.target_ids]


class Contract(_Stored):
    """The contract.

    Attributes:
        model: Fingerprint of the base model.
        tokenizer: SHA-256 of tokenizer.json.
        family: The fill-in-the-middle format of the prompts; None without one.
        precision: Precision in which the log-probabilities were computed: the one that is served, "bfloat16"; over
            a base model that is quantized for training it says so, and a server must quantize alike to answer alike.
    """

    version: int = 1
    model: str
    tokenizer: str
    family: str | None
    precision: str
    cases: list[ContractCase]


def read_contract(adapter: Path) -> Contract | None:
    """The contract of a published adapter; None where it was published without an evaluation.

    Raises:
        CheckFailed: The file is there and cannot be used.
    """
    file = adapter / CONTRACT
    try:
        return Contract.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no contract"
        raise CheckFailed(f"{printable(file)} cannot be used: {what}.", "Publish the adapter again.") from error
