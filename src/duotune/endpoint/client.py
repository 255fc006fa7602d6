"""Requests to vLLM: what it serves, what it says of given tokens, and adapters loaded while it runs.

Source: vLLM 0.32, entrypoints/openai (routes and fields) and entrypoints/serve/lora (loading adapters).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

from duotune.endpoint.address import Address
from duotune.errors import HostError, printable

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
_SHOWN = 300


class Unreachable(HostError):
    """Nobody answers at the address: the server is down, or still loading its model."""


class Refused(HostError):
    """The server answered, and said no, or something that makes no sense.

    Attributes:
        status: HTTP status.
        reason: The server's own words.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        super().__init__(message, "See the server's log: `duotune serve status` names it.")
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class ServedModel:
    """One entry of the model list.

    Attributes:
        name: What requests ask for.
        root: Directory that it was loaded from, as the server knows it.
        parent: Name of the base model; empty for the base model itself.
        max_model_len: Longest prompt and answer, in tokens; None where the server gives none (adapters).
    """

    name: str
    root: str
    parent: str
    max_model_len: int | None


class Endpoint:
    """A server at an address; safe to use from several threads, and closed by leaving its `with` block.

    Every method raises `Unreachable` when nobody answers and `Refused` when the answer is no.
    """

    def __init__(self, address: Address, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.address = address
        # A host without TCP port still needs a name in the request. Proxies of the environment are never asked. No
        # address of ours has TLS: loading the authorities' certificates would only cost time.
        url = "http://vllm" if address.socket else f"http://{address}"
        self._client = httpx2.Client(
            base_url=url,
            transport=httpx2.HTTPTransport(uds=address.socket or None, trust_env=False, verify=False),
            timeout=httpx2.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def healthy(self) -> bool:
        """Whether the server says that its engine works."""
        try:
            self._ask("GET", "/health")
        except Refused:
            return False
        return True

    def version(self) -> str:
        """The server's version."""
        return str(self._json("GET", "/version").get("version", ""))

    def models(self) -> list[ServedModel]:
        """What it serves, in its order: base models first."""
        entries = self._json("GET", "/v1/models").get("data")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._refused(200, "its list of models is none")
        return [_model(entry) for entry in entries]

    def adapters(self) -> dict[str, Path]:
        """Name and directory of each adapter that it serves."""
        return {model.name: Path(model.root) for model in self.models() if model.parent}

    def complete(self, model: str, prompt_ids: Sequence[int], max_tokens: int) -> str:
        """A greedy completion of token ids."""
        answer = self._completion(model, prompt_ids, max_tokens=max_tokens)
        return str(answer.get("text", ""))

    def prompt_logprobs(self, model: str, token_ids: Sequence[int]) -> list[float | None]:
        """Log-probability of each token given those before it, in nats; None for the first, which has none before it.

        Returns:
            As many entries as there are token ids.
        """
        answer = self._completion(model, token_ids, max_tokens=1, prompt_logprobs=0)
        entries = answer.get("prompt_logprobs") or []
        try:
            return [
                None if entry is None else float(entry[str(token)]["logprob"])
                for token, entry in zip(token_ids, entries, strict=True)
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(200, "its log-probabilities are not those of the given tokens") from error

    def load_adapter(self, name: str, path: str) -> None:
        """Load an adapter under a name that is not served yet; works only where vLLM allows it."""
        self._ask("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": path})

    def unload_adapter(self, name: str) -> None:
        """Take an adapter's name off the list; its weights leave the cache when others need the room."""
        self._ask("POST", "/v1/unload_lora_adapter", {"lora_name": name})

    def _completion(self, model: str, prompt_ids: Sequence[int], **fields: object) -> Mapping[str, Any]:
        body = {"model": model, "prompt": list(prompt_ids), "temperature": 0.0, **fields}
        choices = self._json("POST", "/v1/completions", body).get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
            raise self._refused(200, "it did not answer with one completion")
        return choices[0]

    def _json(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        response = self._ask(method, path, body)
        try:
            document = response.json()
        except ValueError as error:
            raise self._refused(response.status_code, f"it did not answer {path} with JSON") from error
        if not isinstance(document, dict):
            raise self._refused(response.status_code, f"it did not answer {path} with a JSON object")
        return document

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx2.Response:
        try:
            response = self._client.request(method, path, json=body)
        except httpx2.TransportError as error:
            raise Unreachable(
                f"Nobody answers at {printable(self.address)}: {printable(error) or type(error).__name__}.",
                "See `duotune serve status`.",
            ) from error
        if response.status_code != httpx2.codes.OK:
            raise self._refused(response.status_code, _reason(response))
        return response

    def _refused(self, status: int, reason: str) -> Refused:
        return Refused(f"The server at {printable(self.address)} answered {status}: {reason}.", status, reason)


def _model(entry: Mapping[str, object]) -> ServedModel:
    longest = entry.get("max_model_len")
    return ServedModel(
        name=str(entry.get("id")),
        root=str(entry.get("root") or ""),
        parent=str(entry.get("parent") or ""),
        max_model_len=longest if isinstance(longest, int) else None,
    )


def _reason(response: httpx2.Response) -> str:
    """The server's own words: OpenAI's error object, in either of the places where vLLM puts it, or the bare text."""
    try:
        document = response.json()
        error = document.get("error", document)
        text = str(error.get("message") or document)
    except (ValueError, AttributeError):
        text = response.text
    return printable(text[:_SHOWN]).rstrip(".") or "no reason given"
