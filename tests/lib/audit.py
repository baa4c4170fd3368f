"""`make audit`: known vulnerabilities in what otelobj pins. Go modules by govulncheck and their authors' retractions, the tool's Python packages by
pip-audit.

    PYTHONPATH=tests/lib python -m audit [--db URL]

Exit status 1: something is vulnerable. Where a database cannot be reached, one line says so and what it was, and the status is 0: the machine's network
is no property of the repository. Packages that are imported count, not only functions that are called, since the packages of the private zone end up
in other people's programs. The hook modules are looked at in a workspace with hooks/private, which has the versions that are linked. The standard
library is that of the machine that builds, and does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.hookpkgs.pins import pins

ROOT = Path(__file__).resolve().parents[2]
GOVULNCHECK = ROOT / "tests/lib/govulncheck"
TOOL = "golang.org/x/vuln/cmd/govulncheck"
REQUIREMENTS = ROOT / "requirements.txt"
DATABASE = "https://vuln.go.dev"
PATIENCE = 5
"""Seconds for one answer of a server."""
LIMIT = 300
"""Seconds for one run of a tool."""


class NotRun(Exception):  # noqa: N818 - an outcome, not an error
    """Why something could not be looked at."""


def go_folders() -> list[Path]:
    """The Go modules that reach users, and govulncheck's. Programs of tests may have old releases."""
    hooks = [ROOT / "hooks" / folder for folder in (*hooktree.modules().values(), hooktree.PRIVATE)]
    return [*hooks, *(path.parent for path in sorted((ROOT / "objinst").rglob("go.mod"))), ROOT / "testbins/demo", GOVULNCHECK]


def findings(text: str) -> Iterator[tuple[str, str]]:
    """(vulnerability, PACKAGE of MODULE VERSION) from govulncheck's JSON (golang.org/x/vuln, internal/govulncheck, Finding)."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        message, end = decoder.raw_decode(text, at)
        at = end + len(text[end:]) - len(text[end:].lstrip())
        finding = message.get("finding")
        if finding:
            frame = finding["trace"][0]
            if frame.get("package") and frame["module"] != "stdlib":
                yield finding["osv"], f"{frame['package']} of {frame['module']} {frame.get('version', '')}"


def check_go(database: str) -> list[str]:
    """What is vulnerable. Raises NotRun."""
    try:
        with urllib.request.urlopen(f"{database}/index/db.json", timeout=PATIENCE) as answer:  # noqa: S310 - an address from the command line
            answer.read()
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise NotRun(f"{database} cannot be reached: {error}") from None
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, "govulncheck")
        done = _run(["go", "build", "-o", str(program), TOOL], GOVULNCHECK)
        if done.returncode:
            raise NotRun(f"govulncheck does not build: {_last_line(done.stderr)}")
        workspace = Path(scratch, "go.work")
        hooks = [folder for folder in go_folders() if folder.is_relative_to(ROOT / "hooks")]
        version = re.search(r"^go (\S+)", (ROOT / "hooks" / hooktree.PRIVATE / "go.mod").read_text("utf-8"), re.MULTILINE)
        workspace.write_text(f"go {version[1] if version else ''}\n\n" + "".join(f"use {folder}\n" for folder in hooks), "utf-8")
        said = []
        for folder in go_folders():
            place = str(workspace) if folder in hooks else "off"
            packages = TOOL if folder == GOVULNCHECK else "./..."
            done = _run([str(program), "-db", database, "-scan=package", "-format=json", packages], folder, GOWORK=place)
            if done.returncode:
                raise NotRun(f"govulncheck in {folder.relative_to(ROOT)}: {_last_line(done.stderr)}")
            said += [f"{folder.relative_to(ROOT)}: {name}: {what}" for name, what in sorted(set(findings(done.stdout)))]
        return said


def check_retracted() -> list[str]:
    """Pinned releases that their authors have taken back. Raises NotRun."""
    folder = ROOT / "hooks" / hooktree.PRIVATE
    if _run(["go", "env", "GOPROXY"], folder).stdout.strip() == "off":
        raise NotRun("GOPROXY=off")  # go list would find none
    form = "{{with .Retracted}}{{$.Path}} {{$.Version}}: {{.}}{{end}}"
    done = _run(["go", "list", "-m", "-retracted", "-f", form, "--", *pins().modules], folder, patience=12 * PATIENCE)
    if done.returncode:
        raise NotRun(f"go list: {_last_line(done.stderr)}")
    return [f"{folder.relative_to(ROOT)}: retracted: {line}" for line in done.stdout.splitlines() if line]


def check_python() -> list[str]:
    """What is vulnerable. Raises NotRun."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(REQUIREMENTS), "--require-hashes", "--disable-pip", "-f", "json"]
    done = _run([*command, "--progress-spinner", "off", "--timeout", str(PATIENCE)], ROOT)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        raise NotRun(f"pip-audit: {_last_line(done.stderr)}") from None
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    said = [f"{REQUIREMENTS.name}: {v['id']}: {p['name']} {p['version']}" for p in packages for v in p.get("vulns", ())]
    if skipped and not said:
        raise NotRun(f"{len(skipped)} of {len(packages)} packages: {skipped[0]}")
    return said


def _run(command: list[str], folder: Path, patience: int = LIMIT, **env: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"} | env
    try:
        return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=patience)
    except subprocess.TimeoutExpired:
        raise NotRun(f"{' '.join(command[:3])} was not done after {patience} seconds") from None
    except OSError as error:
        raise NotRun(f"{command[0]}: {error.strerror}") from None


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it says nothing")


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--db", default=DATABASE, metavar="URL", help="the database of vulnerabilities in Go modules")
    given = parser.parse_args(args)
    vulnerable = []
    for what, check in (("vulnerable Go modules", lambda: check_go(given.db)), ("retracted releases", check_retracted), ("vulnerable Python packages", check_python)):
        try:
            found = check()
        except NotRun as reason:
            print(f"audit: {what} were not looked for: {reason}")
            continue
        vulnerable += found
        print(f"audit: {what}: {len(found) or 'none'} found")
        print("".join(f"  {line}\n" for line in found), end="")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
