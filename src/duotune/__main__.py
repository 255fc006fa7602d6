"""Entry point of `duotune` and `python -m duotune`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from duotune.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
