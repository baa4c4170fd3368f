"""The hook modules with the pinned modules of the private zone, which are newer than what their own go.mod files name: vetted and tested together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hookmodules import go
from places import HOOKS
from toolchains import newest

from objinst import hooktree
from objinst.hookpkgs.pins import pins

API = "go.opentelemetry.io/otel"


@pytest.mark.long
def test_they_compile_and_work_with_the_pinned_versions(tmp_path: Path) -> None:
    """A workspace selects the highest version that one of its modules names."""
    folders = [*hooktree.modules().values(), hooktree.PRIVATE]
    (tmp_path / "go.work").write_text("go 1.26.0\n\n" + "".join(f"use {HOOKS / folder}\n" for folder in folders))
    for folder in folders:
        selected = go(newest(), HOOKS / folder, "list", "-m", "-f", "{{.Version}}", API, GOWORK=str(tmp_path / "go.work")).strip()
        assert selected == pins().modules[API].version
        go(newest(), HOOKS / folder, "vet", "./...", GOWORK=str(tmp_path / "go.work"))
        go(newest(), HOOKS / folder, "test", "-timeout", "30m", "./...", GOWORK=str(tmp_path / "go.work"))
