"""The runtime's own tests, with the slot in runtime.g and the stubs in place, give what they give plainly: only TestSizeof knows the size of g."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import toolchains

RULES = """\
fmt_calls:
  target: fmt
  where: { func: "Sprint*" }
  do:
    - probe: count
"""
"""Something must be hooked for the runtime to be rewritten; formatting is what the tests do all the time."""


def results(program: Path, folder: Path) -> dict[str, str]:
    """Test -> PASS, FAIL or SKIP. The tests run where their sources are, as `go test` does it."""
    done = subprocess.run([str(program), "-test.short", "-test.v", "-test.timeout=30m"], cwd=folder, capture_output=True, text=True, timeout=2400, check=False)
    return {name: result for result, name in re.findall(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", done.stdout, re.MULTILINE)}


@pytest.mark.long
@pytest.mark.parametrize("version", [toolchains.telemetry(), "1.26", toolchains.newest()])
def test_same_as_plain(version: str, tmp_path: Path) -> None:
    source = toolchains.goroot(version) / "src" / "runtime"
    (tmp_path / "rules.yaml").write_text(RULES)
    env = toolchains.go_env(version, "amd64", OTELOBJ_DISABLE="all")
    found = {}
    for name, flags in (("plain", []), ("hooked", [f"-toolexec=otelobj --rules {tmp_path / 'rules.yaml'}"])):
        program = tmp_path / f"{name}.test"
        subprocess.run(["go", "test", *flags, "-c", "-o", str(program), "."], cwd=source, env=env, check=True, capture_output=True)
        found[name] = results(program, source)
    assert len(found["plain"]) > 300
    different = {name: (found["plain"].get(name), result) for name, result in found["hooked"].items() if result != found["plain"].get(name)}
    assert different == {"TestSizeof": ("PASS", "FAIL")}
    assert found["plain"].keys() == found["hooked"].keys()
