"""Every tests/scripts/*.txtar, for each Go version and architecture that it names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import scriptrunner

CASES = [
    pytest.param(script, version, goarch, id=f"{script.path.stem}-{version}-{goarch}", marks=[pytest.mark.long] if script.slow else [])
    for script, version, goarch in scriptrunner.cases()
]


@pytest.mark.parametrize(("script", "version", "goarch"), CASES)
def test_script(script: scriptrunner.Script, version: str, goarch: str, tmp_path: Path) -> None:
    if goarch == "arm64" and not shutil.which(scriptrunner.QEMU):
        if os.environ.get("OTELOBJ_CI"):
            pytest.fail("CI promises qemu-user-static")
        pytest.skip("qemu-user-static is not installed")
    if goarch == "arm64" and script.needs_loader and not Path(scriptrunner.ARM64_LOADER).exists():
        if os.environ.get("OTELOBJ_CI"):
            pytest.fail("CI promises libc6-arm64-cross")
        pytest.skip("libc6-arm64-cross is not installed")
    scriptrunner.play(script, version, goarch, tmp_path)
