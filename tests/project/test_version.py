"""The version stands in objinst/__init__.py; the hooks' modules, which programs link without us, say the same."""

from __future__ import annotations

import re

from places import ROOT

import objinst

GO = re.compile(r'^(?:const |\t)Version\s+= "(\d[^"]*)"$', re.MULTILINE)


def test_hooks_have_the_version() -> None:
    found = {str(path.relative_to(ROOT)): version for path in (ROOT / "hooks").rglob("*.go") for version in GO.findall(path.read_text())}
    assert len(found) >= 3 and set(found.values()) == {objinst.VERSION}, found


def test_it_is_written_nowhere_else() -> None:
    written = [path for path in (ROOT / "objinst").rglob("*.py") if f'"{objinst.VERSION}"' in path.read_text()]
    assert written == [ROOT / "objinst/__init__.py"]
    assert f'"{objinst.VERSION}"' not in (ROOT / "pyproject.toml").read_text()
