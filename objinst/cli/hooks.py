"""`otelobj hooks`: prints the folder of the Go module that hook packages and their tests import. It is part of otelobj and has its version."""

from __future__ import annotations

import click

from objinst import paths


@click.command
def command() -> int:
    """Print the folder of the Go module github.com/otelobj/otelobj/hooks/rt.

    A build with otelobj finds the module by itself. For go vet, go test and editors, add it to a workspace once:
    go work init . "$(otelobj hooks)".
    """
    print(paths.hooks_dir().resolve() / "rt")
    return 0
