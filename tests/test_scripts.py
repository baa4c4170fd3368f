"""Every script of scriptrunner.SCRIPTS, for each Go version and architecture that it names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import scriptrunner

CASES = [
    pytest.param(script, version, goarch, id=f"{script.path.stem}-{version}-{goarch}", marks=[pytest.mark.long] if scriptrunner.is_long(script, version, goarch) else [])
    for script, version, goarch in scriptrunner.cases()
]


@pytest.mark.parametrize(("script", "version", "goarch"), CASES)
def test_script(script: scriptrunner.Script, version: str, goarch: str, tmp_path: Path) -> None:
    missing = script.missing(goarch)
    if missing:
        if os.environ.get("OTELOBJ_CI"):
            pytest.fail(f"CI promises {', '.join(missing)}")
        pytest.skip(f"not installed: {', '.join(missing)}")
    scriptrunner.play(script, version, goarch, tmp_path)
