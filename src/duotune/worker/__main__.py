"""`python -m duotune.worker RUN_DIR`: how front ends and systemd start the worker."""

import os
import sys
from pathlib import Path


def main() -> int:
    """Run the worker on one run directory and return its exit code."""
    if len(sys.argv) != 2:
        print("usage: python -m duotune.worker RUN_DIR", file=sys.stderr)
        return 2
    # Read when torch starts its threads. By default they spin while they wait for each other, and on a host whose cores
    # are not all free that costs more than the work: a step took over seven times as long on two busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # CUDA counts GPUs as the driver does, so that the leased one is the one that computes.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    # Nothing leaves the host: the libraries below would otherwise ask a hub for what they do not find.
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
    from duotune.worker.process import work

    return work(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
