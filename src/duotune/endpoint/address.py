"""Where a server listens."""

from __future__ import annotations

from dataclasses import dataclass

from duotune.errors import UsageError, printable


@dataclass(frozen=True)
class Address:
    """A TCP address or a unix socket.

    Attributes:
        host: Name or IP address; empty for a socket.
        port: TCP port; 0 for a socket.
        socket: Path of the unix socket; empty for TCP.
    """

    host: str = ""
    port: int = 0
    socket: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix:{self.socket}" if self.socket else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that a configuration names.

    Args:
        text: `host:port`, `[ipv6]:port`, or `unix:/path`.

    Raises:
        UsageError: It is none of them.
    """
    if text.startswith("unix:/") and text.isprintable():
        return Address(socket=text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    if not host or not text.isprintable() or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise UsageError(
            f"serving.listen is {printable(text)!r}, which is no address.",
            'Write "127.0.0.1:8000", or "unix:/run/duotune-vllm/vllm.sock" for a socket.',
        )
    return Address(host=host.strip("[]"), port=int(port))
