"""Where a server listens."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


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

    @property
    def local(self) -> bool:
        """Whether only this host can reach it: a socket, or an address of the loopback."""
        if self.socket or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix:{self.socket}" if self.socket else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that a host's configuration names, which has checked that it is one.

    Args:
        text: `host:port`, `[ipv6]:port`, or `unix:/path`.
    """
    if text.startswith("unix:"):
        return Address(socket=text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    return Address(host=host.strip("[]"), port=int(port))
