"""HostConfig: what holds for every run and deployment on this machine."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Literal

from pydantic import field_validator

from duotune.config.fields import Section, checked_location, setting
from duotune.errors import printable
from duotune.paths import host_config_file

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_FIGURES = re.compile(r"[0-9.]+")


class ServingConfig(Section):
    """How vLLM serves here."""

    executable: str = setting("vllm", help="vLLM's command; an absolute path into its own virtual environment.")
    version: str = setting("", help="vLLM version that was tested on this host; empty accepts any.")
    base: str = setting(
        "",
        help="Directory of the base model to serve; empty keeps the served one, at first the newest adapter's.",
    )
    served_name: str = setting("base", help="Model name under which the base model answers.", min_length=1)
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = setting(
        "auto", help="Precision of the served weights; auto takes the model's own."
    )
    quantization: Literal["none", "fp8", "awq", "gptq", "compressed-tensors"] = setting(
        "none", help="Quantization of the served base; adapters stay in half precision."
    )
    max_model_len: int = setting(
        0, help="Longest prompt and answer together; 0 is the model's own limit.", unit="tokens", ge=0
    )
    gpu_memory_utilization: float = setting(
        0.9, help="Share of the GPU's memory that vLLM takes; the rest is free for training.", gt=0, le=1
    )
    max_loras: int = setting(
        4, help="Adapters that answer at the same moment; too few makes their requests wait for each other.", ge=1
    )
    listen: str = setting("127.0.0.1:8000", help='Address vLLM answers at: "host:port", or "unix:/path" for a socket.')
    unit: str = setting("vllm-duo.service", help="Name of the systemd unit.", pattern=r"^[A-Za-z0-9:_.@-]+\.service$")
    user: str = setting(
        "",
        help="User the unit runs as; empty is systemd's own, or you without a group duotune.",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,30})?$",
    )
    during_training: Literal["keep", "stop"] = setting(
        "keep", help="stop frees the GPU while a run trains and starts vLLM again when it ends."
    )

    @field_validator("listen")
    @classmethod
    def _is_address(cls, listen: str) -> str:
        if listen.startswith("unix:/") and listen.isprintable():
            return listen
        host, _, port = listen.rpartition(":")
        if not _is_host(host) or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(
                'is no address: write "127.0.0.1:8000", or "unix:/run/duotune-vllm/vllm.sock" for a socket'
            )
        return listen


def _is_host(host: str) -> bool:
    """Whether it is a name, an IPv4 address, or an IPv6 address in brackets."""
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        if bracketed:
            ipaddress.IPv6Address(host[1:-1])
        elif _FIGURES.fullmatch(host):
            ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return bracketed or _NAME.fullmatch(host) is not None


class DefaultsConfig(Section):
    """Locations that runs use when their own configuration names none."""

    data_location: str = setting("", help="Folder or s3://bucket/prefix for prepared datasets.")
    adapter_location: str = setting("", help="Folder or s3://bucket/prefix for published adapters.")

    _locations = field_validator("data_location", "adapter_location")(checked_location)


class HostConfig(Section):
    """The host's configuration; every key has a default, so the file may be absent."""

    serving: ServingConfig = setting(ServingConfig(), help="How vLLM serves here.")
    defaults: DefaultsConfig = setting(DefaultsConfig(), help="Where runs keep things unless they say otherwise.")


def host_setting(key: str, value: str | None = None) -> str:
    """Where a person sets something for this host: the line, and the file that it stands in.

    Args:
        key: Such as `serving.executable`.
        value: What it is to be set to; None names the key alone.
    """
    section, _, name = key.partition(".")
    line = name if value is None else f"{name} = {json.dumps(value, ensure_ascii=False)}"
    return f"`{printable(line)}` below [{section}] in {printable(host_config_file())}"
