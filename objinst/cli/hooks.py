"""`otelobj hooks`: where the Go module lies that hook packages and their tests import. It comes with otelobj, so its version is otelobj's."""

from __future__ import annotations

import click

from objinst import paths


@click.command
def command() -> int:
    """Print the folder of the Go module github.com/otelobj/otelobj/hooks/rt.

    A build with otelobj finds the module by itself. For go vet, go test and editors name it once, in a workspace:
    go work init . "$(otelobj hooks)".
    """
    print(paths.hooks_dir().resolve() / "rt")
    return 0
