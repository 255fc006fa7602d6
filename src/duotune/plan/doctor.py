"""What `duotune doctor` looks at: the host itself, before any run or deployment is planned."""

from __future__ import annotations

from duotune import paths
from duotune.adapters.verify import Check
from duotune.config.host import ServingConfig
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.host import disk_free_bytes, read_host
from duotune.plan.checks import device_check
from duotune.serving.checks import check_service
from duotune.serving.systemd import find_service

LEAST_FREE_BYTES = 10 * 10**9
"""A run of default settings keeps a few gigabytes of parts, datasets and checkpoints."""


def look_around(serving: ServingConfig) -> list[Check]:
    """The GPU, the disk, vLLM and who would run it; nothing is changed.

    Args:
        serving: The host's settings.
    """
    device = device_check(next(iter(visible_gpus()), None), read_host().cores)
    free = disk_free_bytes(paths.home())
    return [
        Check("device", True, device.detail, warning=device.status == "warning"),
        Check("disk", True, f"{free / 1e9:.1f} GB free for {paths.home()}", warning=free < LEAST_FREE_BYTES),
        *check_service(serving, find_service(serving)),
    ]
