"""`otelobj sbom`: the contents of a linked program, as CycloneDX: its own modules and those that otelobj has linked in.

The contents come from the program's build info (runtime/debug.BuildInfo), which `go version -m` prints. otelobj adds its own modules there, those of
the private zone by their real names: a module is listed twice where the program has another version of it. Purls and hashes have the form that
cyclonedx-gomod uses.
"""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from objinst import VERSION
from objinst.cli import gotool
from objinst.errors import OtelobjError, UsageError
from objinst.gobuild.buildinfo import PRIVATE_SETTING
from objinst.link.report import Report

HASH = "h1:"
"""The prefix of a module's hash: SHA-256, base64 (golang.org/x/mod/sumdb/dirhash)."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a program. sum: SHA-256 in hex, "" if the build info has none."""

    path: str
    version: str
    sum: str


@click.command
@click.option("--report", "report_file", type=click.Path(path_type=Path), metavar="FILE", help="The link's report: marks the modules that otelobj has brought.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it; standard output if not given.")
@click.argument("binary", type=click.Path(path_type=Path))
def command(binary: Path, report_file: Path | None, output: Path | None) -> int:
    """Write a bill of materials (CycloneDX 1.6, JSON) of BINARY, a linked program."""
    info = build_info(binary)
    bom = bill(list(modules(info)), linked_in(report_file) if report_file else (), binary.name, private(info))
    if output is None:
        click.echo(bom)
        return 0
    try:
        output.write_text(bom + "\n", "utf-8")
    except OSError as error:
        raise OtelobjError(f"{output}: {error.strerror}", "name another place with -o") from error
    return 0


def build_info(binary: Path) -> str:
    """What `go version -m` prints. Raises OtelobjError if it is not a Go program, or there is no go command."""
    go = gotool.find()
    if go is None:
        raise OtelobjError("no go on PATH, nor in the usual places", "`go version -m` reads what is in the program: install Go")
    done = go.run(["version", "-m", "--", str(binary.absolute())], Path.cwd())
    if done.returncode or "\tpath\t" not in done.stdout:
        said = (done.stderr.strip() or done.stdout.strip() or "no build info").splitlines()[0]
        raise OtelobjError(f"{binary}: {said}", "is it a program that the go command has built?")
    return done.stdout


def modules(text: str) -> Iterator[Module]:
    """The modules in build info; for a replaced module, its replacement."""
    found: list[Module] = []
    for line in text.splitlines():
        kind, *rest = line.removeprefix("\t").split("\t")
        if kind in ("mod", "dep", "=>") and len(rest) > 1:
            if kind == "=>" and found:
                found.pop()
            found.append(Module(rest[0], rest[1], _hex(rest[2]) if len(rest) > 2 else ""))
    yield from found


def private(text: str) -> frozenset[tuple[str, str]]:
    """Path and version of the modules in build info of which the program has a private copy."""
    line = next((line for line in text.splitlines() if line.startswith(f"\tbuild\t{PRIVATE_SETTING}=")), "")
    listed = line.partition("=")[2].split(",") if line else []
    return frozenset((path, version) for path, _, version in (name.rpartition("@") for name in listed))


def _hex(text: str) -> str:
    try:
        return base64.b64decode(text.removeprefix(HASH), validate=True).hex() if text.startswith(HASH) else ""
    except binascii.Error:
        return ""


def linked_in(report_file: Path) -> tuple[str, ...]:
    """Packages that otelobj has added, from the report. Raises UsageError."""
    try:
        text = report_file.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"report {report_file}: {error.strerror}", "link with OTELOBJ_REPORT=FILE") from error
    return tuple(Report.from_json(text, str(report_file)).packages_linked_in)


def bill(found: list[Module], packages: tuple[str, ...], name: str, private: Collection[tuple[str, str]] = ()) -> str:
    """packages: those that otelobj has added. private: of `private`. Raises OtelobjError if the library is not installed."""
    cyclonedx, purl = _library()
    bom = cyclonedx["Bom"]()
    brought = {owner for package in packages if (owner := max((m.path for m in found if f"{package}/".startswith(f"{m.path}/")), key=len, default=""))}
    for number, module in enumerate(found):
        namespace, _, last = module.path.rpartition("/")
        reference = f"pkg:golang/{module.path}@{module.version}"
        component = cyclonedx["Component"](
            name=module.path, version=module.version, bom_ref=reference, purl=purl("golang", namespace or None, last, module.version),
            type=cyclonedx["ComponentType"].LIBRARY if number else cyclonedx["ComponentType"].APPLICATION,
            hashes=[cyclonedx["HashType"](alg=cyclonedx["HashAlgorithm"].SHA_256, content=module.sum)] if module.sum else [],
            properties=[cyclonedx["Property"](name=key, value="true") for key, holds in (
                ("otelobj:linked-in", (module.path, module.version) in private or module.path in brought),
                ("otelobj:private", (module.path, module.version) in private),
            ) if holds],
        )  # fmt: skip
        if number:
            bom.components.add(component)
            bom.register_dependency(bom.metadata.component, [component])
        else:
            bom.metadata.component = component
    bom.metadata.properties.add(cyclonedx["Property"](name="otelobj:binary", value=name))
    bom.metadata.properties.add(cyclonedx["Property"](name="otelobj:version", value=VERSION))
    text: str = cyclonedx["JsonV1Dot6"](bom).output_as_string(indent=1)
    return text


def _library() -> tuple[dict[str, Any], Any]:
    """Names of cyclonedx-python-lib, and packageurl's PackageURL."""
    try:
        from cyclonedx.model import HashAlgorithm, HashType, Property  # noqa: PLC0415
        from cyclonedx.model.bom import Bom  # noqa: PLC0415
        from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
        from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
        from packageurl import PackageURL  # noqa: PLC0415
    except ImportError as error:
        raise OtelobjError(
            f"otelobj sbom writes with cyclonedx-python-lib: {error}", f"{sys.executable} -m pip install 'cyclonedx-python-lib>=8'"
        ) from error
    names = (HashAlgorithm, HashType, Property, Bom, Component, ComponentType, JsonV1Dot6)
    return {name.__name__: name for name in names}, PackageURL
