"""Addresses as the host's configuration names them."""

from __future__ import annotations

import pytest

from duotune.endpoint.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        ("[::1]:8000", Address("::1", 8000)),
        ("gpu-host:80", Address("gpu-host", 80)),
        ("unix:/run/a b/vllm.sock", Address(socket="/run/a b/vllm.sock")),
    ],
)
def test_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("unix:/run/vllm.sock", True),
        ("localhost:8000", True),
        ("127.0.0.2:8000", True),
        ("[::1]:8000", True),
        ("0.0.0.0:8000", False),
        ("gpu-host:8000", False),
    ],
)
def test_address_that_only_this_host_reaches_is_local(text: str, local: bool) -> None:
    assert parse_address(text).local is local
