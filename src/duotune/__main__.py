"""Entry point of `duotune` and `python -m duotune`."""

import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from duotune.cli.main import run

    os.umask(0o007)  # code and adapters are for their owner and group alone
    sys.exit(run())


if __name__ == "__main__":
    main()
