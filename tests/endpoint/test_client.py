"""The client of vLLM: answers, refusals in the server's own words, and silence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from duotune.endpoint.address import Address
from duotune.endpoint.client import Endpoint, Refused, Unreachable

ANSWERS: dict[str, tuple[int, bytes]] = {}


class Handler(BaseHTTPRequestHandler):
    """Answers what the test said."""

    def log_message(self, *args: object) -> None:
        return

    def do_GET(self) -> None:
        status, body = ANSWERS.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    ANSWERS.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Endpoint(Address("127.0.0.1", server.server_port)) as endpoint:
        yield endpoint
    server.shutdown()
    server.server_close()


def test_nobody_there_is_told_from_a_refusal(tmp_path: Path) -> None:
    with Endpoint(Address(socket=str(tmp_path / "none.sock"))) as endpoint, pytest.raises(Unreachable, match="Nobody"):
        endpoint.models()


def test_proxies_of_the_environment_are_never_asked(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    ANSWERS["/health"] = (200, b"")
    with Endpoint(endpoint.address) as fresh:
        assert fresh.healthy()


def test_dead_engine_is_not_healthy(endpoint: Endpoint) -> None:
    ANSWERS["/health"] = (503, b"")
    assert not endpoint.healthy()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "rank 64 is too large."}}', "rank 64 is too large"),
        (b'{"message": "no such model", "code": 404}', "no such model"),
        (b"<html>\x1b[31mbad gateway", r"<html>\\x1b\[31mbad gateway"),
        (b"", "no reason given"),
    ],
)
def test_refusal_is_in_the_servers_own_words_and_safe_to_print(endpoint: Endpoint, body: bytes, said: str) -> None:
    ANSWERS["/v1/load_lora_adapter"] = (400, body)
    with pytest.raises(Refused, match=f"answered 400: {said}"):
        endpoint.load_adapter("a.v1", "/adapters/a.v1")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"prompt_logprobs": [null]}]}',
        b'{"choices": [{"prompt_logprobs": [null, {"9": {"logprob": -1}}]}]}',
    ],
)
def test_log_probabilities_of_other_tokens_are_refused(endpoint: Endpoint, body: bytes) -> None:
    ANSWERS["/v1/completions"] = (200, body)
    with pytest.raises(Refused):
        endpoint.prompt_logprobs("a.v1", [3, 4])


def test_log_probabilities_are_those_of_the_given_tokens(endpoint: Endpoint) -> None:
    top = b'{"4": {"logprob": -2.5, "rank": 7}, "8": {"logprob": -0.1, "rank": 1}}'
    ANSWERS["/v1/completions"] = (200, b'{"choices": [{"prompt_logprobs": [null, ' + top + b"]}]}")
    assert endpoint.prompt_logprobs("a.v1", [3, 4]) == [None, -2.5]


@pytest.mark.parametrize(
    "body", [b'{"data": ["x"]}', b'{"data": 5}', b"{}", b'{"data": [null]}', b'{"data": {"a": 1}}']
)
def test_list_of_models_that_is_none_is_refused(endpoint: Endpoint, body: bytes) -> None:
    ANSWERS["/v1/models"] = (200, body)
    with pytest.raises(Refused, match="its list of models is none"):
        endpoint.models()


def test_length_that_is_no_number_is_not_known(endpoint: Endpoint) -> None:
    ANSWERS["/v1/models"] = (200, b'{"data": [{"id": "m", "max_model_len": "long"}]}')
    assert endpoint.models()[0].max_model_len is None
