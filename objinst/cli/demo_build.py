"""The demo's program: built plainly and with otelobj, and the cost."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from objinst import paths
from objinst.cli.gotool import GoCommand
from objinst.errors import OtelobjError
from objinst.link.report import Report

COUNTING = """#!/bin/sh
# Counts what compiles, and passes everything on.
case ${{1##*/}} in
compile | asm | cgo) [ "$2" = -V=full ] || echo "$1" >>{count} ;;
esac
exec {launcher} "$@"
"""
LINK_STEP = "link"
"""The real linker's part in the report's seconds."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Plain program and instrumented one. seconds: of the link step alone, everything compiled already; size: bytes of the program.

    recompiled: compiler, assembler and cgo runs of the instrumented build after the plain one. own_seconds: otelobj's part of the link.
    """

    recompiled: int
    own_seconds: float
    plain_seconds: float
    seconds: float
    plain_size: int
    size: int

    def line(self) -> str:
        added, grown = self.seconds - self.plain_seconds, self.size - self.plain_size
        return (
            f"cost: {self.recompiled} packages recompiled; {added:+.2f} s for the link ({self.plain_seconds:.2f} → {self.seconds:.2f} s, "
            f"{self.own_seconds:.2f} s of it otelobj's own steps, the rest mostly the larger program); "
            f"{grown / 1e6:+.1f} MB ({self.plain_size / 1e6:.1f} → {self.size / 1e6:.1f} MB)"
        )


@dataclass(frozen=True, slots=True)
class Built:
    """program: the instrumented one."""

    program: Path
    cost: Cost
    report: Report


def build(go: GoCommand, folder: Path) -> Built:
    """Builds in `folder`. Each link is timed on its second run, the common case for a developer. Raises OtelobjError."""
    plain, program, count, report = (folder / name for name in ("plain", "demo", "compiled", "report.json"))
    shim = folder / "toolexec"
    shim.write_text(COUNTING.format(count=shlex.quote(str(count)), launcher=shlex.quote(str(paths.launcher()))))
    shim.chmod(0o755)
    count.touch()
    _go_build(go, plain, [])
    plain_seconds = _go_build(go, plain, [])
    toolexec = [f"-toolexec='{shim}'"]
    _go_build(go, program, toolexec, OTELOBJ_REPORT=str(report))
    recompiled = len(count.read_text().splitlines())
    seconds = _go_build(go, program, toolexec, OTELOBJ_REPORT=str(report))
    told = Report.from_json(report.read_text(), str(report))
    own_seconds = sum(value for step, value in told.seconds.items() if step != LINK_STEP)
    return Built(program, Cost(recompiled, own_seconds, plain_seconds, seconds, plain.stat().st_size, program.stat().st_size), told)


def _go_build(go: GoCommand, out: Path, flags: list[str], **env: str) -> float:
    """Seconds. Removes the program first, so that it is linked even if nothing changed."""
    out.unlink(missing_ok=True)
    own = {name: "" for name in os.environ if name.startswith("OTELOBJ_") and name != "OTELOBJ_CACHE_DIR"}
    started = time.monotonic()
    host = {"GOOS": go.env["GOHOSTOS"], "GOARCH": go.env["GOHOSTARCH"]}
    done = go.run(["build", *flags, "-o", str(out), "."], paths.demo_dir(), {**own, **host, "GOFLAGS": "-buildvcs=false", "GOWORK": "off", **env})
    if done.returncode:
        raise OtelobjError(f"the demo program does not build:\n{done.stderr.strip()}", "`otelobj doctor` says what is missing")
    return time.monotonic() - started
