"""`python -m duotune.worker RUN_DIR`: how front ends and systemd start the worker."""

import sys
from pathlib import Path


def main() -> int:
    """Run the worker on one run directory and return its exit code."""
    if len(sys.argv) != 2:
        print("usage: python -m duotune.worker RUN_DIR", file=sys.stderr)
        return 2
    from duotune.worker.process import work

    return work(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
