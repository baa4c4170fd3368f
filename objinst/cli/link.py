"""`otelobj link` in the list of commands. The work is in objinst.link.external, which builds run without the cost of this command line."""

from __future__ import annotations

import click

from objinst.link import external


class Verbatim(click.Command):
    """Passes the linker's flags on without parsing them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["args"] = tuple(args)
        return []


@click.command(cls=Verbatim, add_help_option=False)
def command(args: tuple[str, ...]) -> int:
    """Link like `go tool link`, with hooks."""
    return external.main(args)
