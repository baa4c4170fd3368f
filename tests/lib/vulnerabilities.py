"""govulncheck, pinned in tests/lib/govulncheck, and databases of vulnerabilities for it (go.dev/doc/security/vuln/database)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchains import go, go_env, goroot, newest

HERE = Path(__file__).parent / "govulncheck"
DATE = "2026-01-01T00:00:00Z"


def govulncheck(folder: Path) -> Path:
    """The program, built into a folder."""
    program = folder / "govulncheck"
    go(newest(), HERE, "build", "-mod=readonly", "-o", program, "golang.org/x/vuln/cmd/govulncheck")
    return program


def run(program: Path, folder: Path, *args: str | Path, version: str | None = None) -> subprocess.CompletedProcess[str]:
    """govulncheck in a folder. Exit status 3: something was found."""
    env = go_env(version or newest())
    assert goroot(version or newest())
    return subprocess.run([program, *map(str, args)], cwd=folder, env=env, capture_output=True, text=True, check=False)


def database(folder: Path, entries: Sequence[Mapping[str, str]]) -> str:
    """A database of vulnerabilities and its address. entries: id, module, fixed (a version), package, symbol."""
    (folder / "ID").mkdir(parents=True)
    (folder / "index").mkdir()
    modules: dict[str, list[dict[str, str]]] = {}
    for entry in entries:
        affected = {
            "package": {"name": entry["module"], "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": entry["fixed"]}]}],
            "ecosystem_specific": {"imports": [{"path": entry["package"], "symbols": [entry["symbol"]]}]},
        }
        osv = {"schema_version": "1.3.1", "id": entry["id"], "modified": DATE, "published": DATE, "summary": "made up", "details": "made up"}
        (folder / "ID" / f"{entry['id']}.json").write_text(json.dumps({**osv, "affected": [affected], "database_specific": {"url": "https://example.com"}}))
        modules.setdefault(entry["module"], []).append({"id": entry["id"], "modified": DATE, "fixed": entry["fixed"]})
    write = {
        "db": {"modified": DATE},
        "modules": [{"path": path, "vulns": vulns} for path, vulns in sorted(modules.items())],
        "vulns": [{"id": entry["id"], "modified": DATE} for entry in entries],
    }
    for name, content in write.items():
        (folder / "index" / f"{name}.json").write_text(json.dumps(content))
    return f"file://{folder}"
