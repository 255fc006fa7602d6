"""Whether systemd may put a service into a user namespace, which is what a user's one needs to hide files from it.

Kernels forbid it by limits, distributions by AppArmor or SELinux, so that it is not guessed from settings.
"""

from __future__ import annotations

from pathlib import Path

from duotune.runs.systemd import Manager, ended

LIMIT = Path("/proc/sys/user/max_user_namespaces")
OWN_NAMESPACE = Path("/proc/self/ns/user")
# What a service ends with whose surroundings could not be made. Source: systemd.exec(5), "Process exit codes".
_NOT_SET_UP = range(200, 250)
_TRIED = ("PrivateUsers=yes", "PrivateTmp=yes", "ProtectSystem=strict", "ProtectKernelTunables=yes")


def may_make_user_namespaces(manager: Manager) -> bool | None:
    """Whether `PrivateUsers=` and what builds on it holds in a service of that systemd; None where it did not tell.

    A user's systemd is given a service that ends at once. The system's is root, whom only the kernel can refuse; asking
    it in that way would need rights that members of our group do not have.
    """
    if not manager.user:
        return OWN_NAMESPACE.exists() and _limit() > 0
    options = [word for setting in _TRIED for word in ("--property", setting)]
    done = ended(["systemd-run", *manager.scope, "--quiet", "--collect", "--wait", *options, "true"])
    if done is None or (done.returncode != 0 and done.returncode not in _NOT_SET_UP):
        return None
    return done.returncode == 0


def _limit() -> int:
    """How many there may be; a kernel without the setting has no limit of its own."""
    try:
        return int(LIMIT.read_text())
    except (OSError, ValueError):
        return 1
