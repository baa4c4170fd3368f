"""Hook sets of builds that the go command has made: what its linker was given, and whether the linker would take what was resolved."""

from __future__ import annotations

import subprocess
from pathlib import Path

from objinst.gobuild import BuildInfo, ImportCfg
from objinst.gobuild.gocmd import Go
from objinst.goobj.archive import Archive, fingerprint, peek
from objinst.hookpkgs import HookRequest, HookSet
from objinst.paths import hooks_dir
from objinst.store.digest import hooks_digest
from toolchains import goroot

GO = "1.26"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def request(folder: Path, wanted: tuple[str, ...], *command: str) -> HookRequest:
    """Runs a build and reads what its linker was given."""
    before = set(folder.parent.glob("go-build*"))
    subprocess.run([goroot(GO) / "bin/go", *command], cwd=folder, check=True, capture_output=True)
    work = next(iter(set(folder.parent.glob("go-build*")) - before))
    cfg = ImportCfg.read(next(work.glob("b*/importcfg.link")))
    info = BuildInfo.parse(cfg.modinfo)
    return HookRequest(
        wanted, cfg.packages, {name: f"{peek(path).line} {peek(path).build_id}" for name, path in cfg.packages.items()},
        tuple((dep.path, dep.version, dep.replaced_by) for dep in info.deps), info.settings, folder, peek(cfg.packages["runtime"]).line, hooks_dir(), hooks_digest(),
    )  # fmt: skip


def go_command(**env: str) -> Go:
    return Go(goroot(GO), {"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0"} | env)


def disagreements(wanted: HookRequest, hook_set: HookSet) -> list[str]:
    """What the linker checks: every import of every object has the fingerprint of the archive that is linked."""
    everything = {**wanted.link, **hook_set.archives}
    prints = {name: fingerprint(path) for name, path in everything.items()}
    imports = [(name, other, fp) for name, path in everything.items() for other, fp in Archive.read(path).go_object()[1].autolib]
    return [f"{name} imports {other}" for name, other, fp in imports if prints.get(other) != fp]
