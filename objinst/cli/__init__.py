"""The interactive commands. Each is in its own module, which is loaded when the command runs.

Errors are one message and an exit status: 2 for an invalid command line, 1 for the rest (objinst.errors).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from objinst import VERSION

COMMANDS = {
    "demo": ("objinst.cli.demo", "Build and run a small instrumented service pair and show its traces."),
    "collector": ("objinst.cli.collector", "Receive OTLP/HTTP and show traces as trees."),
    "plan": ("objinst.cli.plan", "Show what would be hooked in PACKAGES, and what not and why."),
    "explain": ("objinst.cli.explain", "Show one function's registers, stack layout and generated code."),
    "link": ("objinst.cli.link", "Link as `go tool link` does, with hooks: for other build systems."),
    "survey": ("objinst.cli.survey", "Show how many functions can be hooked, by form, and why others cannot."),
    "bench": ("objinst.cli.bench", "Measure what instrumentation costs a program of yours."),
    "inspect": ("objinst.cli.inspect", "Show what is in a Go archive or object."),
    "hooks": ("objinst.cli.hooks", "Print the folder of the Go module for hook packages and their tests."),
    "verify": ("objinst.cli.verify", "Check a linked program against the report of its link."),
    "sbom": ("objinst.cli.sbom", "Write a bill of materials of a linked program."),
    "doctor": ("objinst.cli.doctor", "Check what otelobj needs on this machine."),
    "cache": ("objinst.cli.cache", "Show, warm, export, import or clean the cache."),
}
EPILOG = "Building: go build -toolexec=otelobj PACKAGES, or GOFLAGS=-toolexec=otelobj; with rules of your own: -toolexec='otelobj --rules FILE'."


class LazyGroup(click.Group):
    """Knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches  # noqa: PLC0415 - only mistakes pay for it

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean `otelobj {near[0]}`?" if near else f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=lambda ctx, _, on: _version(ctx, on=on), help="Show the version and exit.")
def group() -> None:
    """OpenTelemetry for Go programs at the price of a relink."""


def _version(ctx: click.Context, *, on: bool) -> None:
    if on and not ctx.resilient_parsing:
        click.echo(f"otelobj {VERSION}")
        ctx.exit()


def main(argv: Sequence[str]) -> int:
    """The exit status. Raises OtelobjError for errors that are not click's own."""
    try:
        result = group.main(list(argv), prog_name="otelobj", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        _forget_stdout()
        return 1
    return result if isinstance(result, int) else 0


def _forget_stdout() -> None:
    """The reader of our output has exited (`| head`), so Python must not report errors at exit."""
    import os  # noqa: PLC0415
    import sys  # noqa: PLC0415

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


__all__ = ["group", "main"]
