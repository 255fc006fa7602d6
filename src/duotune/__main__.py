"""Entry point of `duotune` and `python -m duotune`."""

import os
import sys


def main() -> None:
    """Open the app, or run the command line and leave with its exit code."""
    before = os.umask(0o007)  # code and adapters are for their owner and group alone
    os.environ.setdefault("DUOTUNE_UMASK", f"{before:03o}")  # what is handed over is as the person's own files are
    if len(sys.argv) == 1:
        from duotune.cli.opening import can_paint, open_app

        if can_paint():
            open_app()
    from duotune.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
