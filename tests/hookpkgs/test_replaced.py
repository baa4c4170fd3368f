"""What takes the place of a module's files passes the module's own tests."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hookmodules import go
from places import HOOKS
from toolchains import newest

from objinst import hooktree
from objinst.goversions import number
from objinst.hookpkgs import pins as reader

DIRECTIVE = re.compile(r"^replace (?:\(.*?^\)|.*?)$", re.MULTILINE | re.DOTALL)
"""The modules name their neighbours in OpenTelemetry's repository."""
CONCERNED = [item for item in reader.pins().replacements if item.concerns(number(newest()))]
PACKAGES = sorted({(item.module, str(Path(item.file).parent)) for item in CONCERNED})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each module, with our files."""
    place, versions = tmp_path_factory.mktemp("modules"), []
    modules = sorted({item.module for item in CONCERNED})
    for module in modules:
        where = Path(go(newest(), HOOKS / hooktree.PRIVATE, "list", "-m", "-f", "{{.Dir}}", module).strip())
        copy = shutil.copytree(where, place / module, copy_function=shutil.copyfile)
        for path in (copy, *copy.rglob("*/")):
            path.chmod(0o755)
        for file, content in reader.pins().replaced(module, where, newest()).items():
            (copy / file).write_bytes(content)
        text = (copy / "go.mod").read_text()
        (copy / "go.mod").write_text(DIRECTIVE.sub("", text))
        versions += re.findall(r"^go (\S+)$", text, re.MULTILINE)
    go_version = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    (place / "go.work").write_text(f"go {go_version}\n" + "".join(f"use ./{module}\n" for module in modules))
    return place


@pytest.mark.parametrize(("module", "package"), PACKAGES)
def test_the_tests_of_the_module_pass(module: str, package: str, workspace: Path) -> None:
    folder, here = workspace / module / package, str(workspace / "go.work")
    go(newest(), folder, "vet", ".", GOWORK=here)
    if list(folder.glob("*_test.go")):
        go(newest(), folder, "test", ".", GOWORK=here)
