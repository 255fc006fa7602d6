"""The command table. Only the chosen command's module is imported, so that `--help` answers at once."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from duotune import __version__
from duotune.cli.output import print_error, print_json_error
from duotune.errors import DuotuneError, ExitCode, UsageError

# Command -> module and one line of help, which must not cost the module's import.
COMMANDS = {
    "run": ("run", "Train an adapter as a TOML file says: prepare, train, evaluate, publish."),
    "runs": ("runs", "List runs, newest first."),
    "status": ("runs", "Show where a run stands."),
    "logs": ("runs", "Show a run's log; -f follows it."),
    "stop": ("runs", "Stop a run at its next step, with a checkpoint."),
    "resume": ("run", "Continue a run that was stopped, failed or was lost."),
    "remove": ("runs", "Delete a run's directory; published adapters stay."),
    "adapters": ("adapters", "List, show, verify, publish, merge, export and remove adapters."),
    "projects": ("projects", "List, add, show and remove projects."),
    "assign": ("projects", "Choose the adapters that a project gets."),
    "serve": ("serve", "Show what vLLM would serve, and how."),
    "doctor": ("doctor", "Look at what this host has and lacks; --install sets it up."),
    "config": ("config", "Write, check and explain configuration files."),
}


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when they are chosen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"duotune.cli.{COMMANDS[name][0]}")
        command = getattr(module, name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            nearest = get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean `duotune {nearest[0]}`?" if nearest else ""
            ctx.fail(f"there is no command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="First steps: `duotune config new > run.toml`, edit it, `duotune run run.toml --dry-run`.",
)
@click.version_option(__version__, prog_name="duotune")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Fine-tune code models for self-hosted GitLab Duo on your own GPU host. Nothing leaves the host.

    Without a command, the full-screen app opens.

    Results go to standard output, progress and errors to standard error. Exit codes: 0 ok, 1 the run failed or a
    check did not hold, 2 usage or configuration, 3 the environment (GPU, disk, S3, systemd, vLLM), 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        _open_app()


def _open_app() -> NoReturn:
    """Run the full-screen app in this terminal.

    Raises:
        UsageError: There is no terminal that it could be painted on.
    """
    from duotune.cli.opening import can_paint, open_app

    if not can_paint():
        raise UsageError(
            "The full-screen app needs a terminal, and this is none that it could be painted on.",
            "Without one, `duotune run CONFIG.toml` trains, and `duotune --help` lists what else there is.",
        )
    open_app()


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    Every expected error becomes two sentences on standard error, and with `--json` one document on standard output too.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        result = cli.main(arguments, prog_name="duotune", standalone_mode=False)
        return result if isinstance(result, int) else ExitCode.OK
    except DuotuneError as error:
        print_error(error.message, error.hint)
        if _asks_for_json(arguments):
            print_json_error(error)
        return error.exit_code
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except click.ClickException as error:
        error.show()
        if _asks_for_json(arguments):
            print_json_error(UsageError(error.format_message()))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


def _asks_for_json(arguments: list[str]) -> bool:
    """Whether `--json` is among the arguments as an option; click may have failed before it came to it."""
    command: click.Command = cli
    words = iter(arguments)
    for word in words:
        if word in ("--", "--json"):
            return word == "--json"
        if word.startswith("-"):
            option = next((one for one in command.params if word in one.opts and isinstance(one, click.Option)), None)
            if option is not None and not option.is_flag:
                next(words, None)
        elif isinstance(command, click.Group):
            command = command.get_command(click.Context(command), word) or command
    return False
