"""`otelobj link` in the list of commands. The work is in objinst.link.external, which builds start without this command line's price."""

from __future__ import annotations

import click

from objinst.link import external


class Verbatim(click.Command):
    """The linker's flags are not ours to understand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.params["args"] = tuple(args)
        return []


@click.command(cls=Verbatim, add_help_option=False)
def command(args: tuple[str, ...]) -> int:
    """Link as `go tool link` does, with hooks."""
    return external.main(args)
