"""The systemd units: vLLM's, static so that an adapter change rewrites only the YAML, and the one that pauses it."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
import shutil
import string
import sys
from pathlib import Path

from duotune import paths
from duotune.config.host import ServingConfig, host_setting
from duotune.endpoint.address import Address, parse_address
from duotune.errors import UsageError, printable
from duotune.serving import ready
from duotune.serving.files import directory

_ASSETS = Path(__file__).parent.parent / "assets"

# May read published adapters; made by the system install.
GROUP = "duotune"
_PREFIXES = tuple("+@-:!|")
# nvidia or nvidia-frontend by the driver's age, nvidia-uvm, nvidia-caps
_NVIDIA = "DeviceAllow=char-nvidia* rw"
WRITTEN = "# Written by duotune"


class _UnitTemplate(string.Template):
    """Lower-case names only: `%C` and upper-case variables belong to systemd."""

    flags = re.NOFLAG
    idpattern = "[a-z_]+"


def render(
    config_file: Path,
    serving: ServingConfig,
    user_manager: bool = False,
    private_users: bool = True,
    base: Path | None = None,
) -> str:
    """The service's text.

    Args:
        config_file: The YAML that vLLM will read.
        serving: Executable, unit name, user and address.
        user_manager: For a user's systemd, which cannot change users.
        private_users: That systemd may make user namespaces; without them a user's one can hide nothing.
        base: Directory of the base model, which may lie in our home.

    Raises:
        UsageError: A value holds a character that a unit file cannot carry.
    """
    over_socket = serving.listen.startswith("unix:")
    hides = private_users or not user_manager
    rest = _filled(
        "vllm.service.template",
        unit=serving.unit,
        edit=f"systemctl {'--user ' if user_manager else ''}edit {serving.unit}",
        executable=quote(_command(serving.executable)),
        config_file=quote(str(config_file)),
        condition=str(config_file).replace("%", "%%"),
        python=quote(sys.executable),
        ready=quote(str(Path(ready.__file__).absolute())),
        address=quote(serving.listen),
        identity="" if user_manager else _identity(serving),
        loading=_loading(over_socket),
        confinement=_confinement(parse_address(serving.listen), user_manager, private_users),
        view=_view(base) if hides else "",
        wanted_by="default.target" if user_manager else "multi-user.target",
    )
    return f"{_sealed(rest)}{rest}"


def render_pause(serving: ServingConfig) -> str:
    """The target's text: vLLM's service stops for it, and starts again when no run needs it any more."""
    rest = _filled("vllm-pause.target.template", unit=serving.unit)
    return f"{_sealed(rest)}{rest}"


def is_as_written(text: str) -> bool:
    """Whether a unit is as some version of duotune wrote it."""
    first, newline, rest = text.partition("\n")
    return f"{first}{newline}" == _sealed(rest)


def _sealed(rest: str) -> str:
    return f"{WRITTEN}; do not edit. sha256 of what follows: {hashlib.sha256(rest.encode()).hexdigest()}\n"


def _filled(template: str, **values: str) -> str:
    text = _UnitTemplate((_ASSETS / template).read_text()).substitute(values)
    return re.sub(r"\n{3,}", "\n\n", text)


def _command(executable: str) -> str:
    """The command's full path, where it is on this host: what is not there is refused before it is installed.

    Raises:
        UsageError: It begins with a sign that is systemd's own. Source: systemd.service(5), "Command lines".
    """
    found = shutil.which(executable)
    if found is None and executable[:1] in _PREFIXES:
        own = host_setting("serving.executable", "/opt/vllm/bin/vllm")
        raise UsageError(
            f"serving.executable = {printable(executable)} is no path.", f"Set its full path, such as {own}."
        )
    return str(Path(found).absolute()) if found else executable


def _loading(over_socket: bool) -> str:
    """Loading adapters at run time has no key: it is switched on only where nobody but our group can connect."""
    return "Environment=VLLM_ALLOW_RUNTIME_LORA_UPDATING=1" if over_socket else ""


def _confinement(address: Address, user_manager: bool, private_users: bool) -> str:
    if user_manager and not private_users:
        return (_ASSETS / "vllm-confinement-user.template").read_text().rstrip()
    lines = ["PrivateUsers=yes"] if private_users else []
    lines += ["PrivateNetwork=yes" if address.socket else "PrivateNetwork=no"]
    if not user_manager:  # a user's one has no say in packets and devices, and would leave these out without a word
        lines += ["IPAddressDeny=any", "IPAddressAllow=localhost"] if address.local else []
        lines += ["DevicePolicy=closed", _NVIDIA]
    return _filled("vllm-confinement.template", by_manager="\n".join(lines)).rstrip()


def seen_in_home(base: Path | None) -> list[Path]:
    """The directories of our home that the unit of the system's systemd sees; it sees nothing else of it.

    Adapters that are published while vLLM runs have to appear, so that it is the directory of all of them.
    """
    seen = [paths.adapters(), directory()]
    inside = base is not None and paths.home() in base.parents
    return [*seen, base] if base and inside and not any(place in (base, *base.parents) for place in seen) else seen


def _view(base: Path | None) -> str:
    why = "# Of duotune's own directory it sees published adapters and its configuration: no catalog, runs or datasets."
    seen = "".join(f"BindReadOnlyPaths={_mounted(place)}\n" for place in seen_in_home(base))
    return f"{why}\nTemporaryFileSystem={_mounted(paths.home(), ':ro')}\n{seen}".rstrip()


def _mounted(place: Path, options: str = "") -> str:
    """A path of a mount setting. Source: systemd.exec(5): a colon separates options, and `%` is a specifier.

    Raises:
        UsageError: It holds what cannot be told from systemd's own signs.
    """
    text = str(place)
    if not text.isprintable() or any(sign in text for sign in ":\\\"'"):
        raise UsageError(
            f"{printable(text)} cannot be named in a systemd unit.",
            "Use a path without colons, quotes, backslashes and control characters.",
        )
    text = text.replace("%", "%%") + options
    return f'"{text}"' if " " in text else text


def _identity(serving: ServingConfig) -> str:
    """Who vLLM runs as: the configured user, else one of systemd's own; never root unless somebody says so.

    In a system install it reads published adapters as one of our group. That is its first group, not a further one, so
    that the socket that vLLM makes belongs to it.
    """
    if serving.user:
        group = f"\nGroup={GROUP}" if runs_as_group() else ""
        return f"User={quote(serving.user)}{group}"
    if runs_as_group():
        return f"DynamicUser=yes\nGroup={GROUP}"
    if os.geteuid() == 0:
        return "DynamicUser=yes"
    return f"User={quote(pwd.getpwuid(os.geteuid()).pw_name)}"


def place_of_sockets(user_manager: bool) -> Path:
    """The directory that systemd makes for the unit, and removes when it ends (`RuntimeDirectory=`)."""
    run = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}") if user_manager else Path("/run")
    return run / "duotune-vllm"


def runs_as_group() -> bool:
    """Whether this is a system install, whose group reads published adapters."""
    return paths.home() == paths.SYSTEM_HOME and any(group.gr_name == GROUP for group in grp.getgrall())


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
