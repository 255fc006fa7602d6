"""The systemd unit that runs vLLM: static, so that an adapter change rewrites only the YAML."""

from __future__ import annotations

import grp
import os
import pwd
import re
import string
from pathlib import Path

from duotune.config.host import ServingConfig
from duotune.errors import UsageError

_TEMPLATE = Path(__file__).parent.parent / "assets" / "vllm.service.template"


# May read published adapters; made by the system install.
GROUP = "duotune"


class _UnitTemplate(string.Template):
    """Lower-case names only: `%C` and upper-case variables belong to systemd."""

    flags = re.NOFLAG
    idpattern = "[a-z_]+"


def render(config_file: Path, serving: ServingConfig) -> str:
    """The unit's text.

    Args:
        config_file: The YAML that vLLM will read.
        serving: Executable, unit name, user and address.

    Raises:
        UsageError: A value holds a control character, which no unit file can carry.
    """
    return _UnitTemplate(_TEMPLATE.read_text()).substitute(
        unit=serving.unit,
        executable=quote(serving.executable),
        config_file=quote(str(config_file)),
        identity=_identity(serving),
        network="PrivateNetwork=yes" if serving.listen.startswith("unix:") else "PrivateNetwork=no",
    )


def _identity(serving: ServingConfig) -> str:
    """Who vLLM runs as: the configured user, else one of systemd's own where the system install made our group."""
    if serving.user:
        return f"User={quote(serving.user)}"
    if any(group.gr_name == GROUP for group in grp.getgrall()):
        return f"DynamicUser=yes\nSupplementaryGroups={GROUP}"
    return f"User={quote(pwd.getpwuid(os.geteuid()).pw_name)}"


def quote(word: str) -> str:
    """One word of an `ExecStart=` line, safe from systemd's expansion of `%`, `$`, quotes and backslashes.

    Source: systemd.service(5), "Command lines"; `$` is expanded even inside single quotes.

    Raises:
        UsageError: The word holds a control character.
    """
    if not word.isprintable():
        raise UsageError(f"{word!r} cannot stand in a systemd unit.", "Use a path without control characters.")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = all(character.isalnum() or character in "/._-:@%$+=" for character in word)
    return escaped if plain else f'"{escaped}"'
