"""hooks/ is found by looking: what a folder must hold, and that mistakes in it name their file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from objinst import hooktree
from objinst.errors import OtelobjError, UsageError
from rule_files import load

README = "---\ntitle: example.com/kettle\ndefault: {default}\nlowest: v1.0.0\nnewest: v1.2.0\n---\nKettles.\n"
RULE = "{name}:\n  target: example.com/kettle\n  where: {{ func: Boil }}\n  do:\n    - span: {{}}\n"
CACHED = (hooktree.libraries, hooktree.supporting, hooktree.modules, hooktree.built_in_files)


def forget() -> None:
    for function in CACHED:
        function.cache_clear()


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with `sdk` and the library `kettle`."""
    write(tmp_path / "sdk", rules=RULE.format(name="sdk_exit"))
    write(tmp_path / "instrumentation" / "kettle", readme=README.format(default="true"), rules=RULE.format(name="kettle_boil"))
    monkeypatch.setattr(hooktree, "hooks_dir", lambda: tmp_path)
    forget()
    yield tmp_path
    forget()


def write(folder: Path, *, readme: str = "", rules: str = "", workers: str = "", mod: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("README.md", readme), ("rules.yaml", rules), ("workers.yaml", workers), ("go.mod", mod)):
        if text:
            (folder / name).write_text(text)
    forget()


def in_force(**environ: str) -> list[tuple[str, str]]:
    return [(rule.name, rule.instrumentation) for rule in load([], environ).rules]


def test_rules_belong_to_their_folder(hooks: Path) -> None:
    assert in_force() == [("kettle_boil", "kettle"), ("sdk_exit", "sdk")]
    assert in_force(OTELOBJ_DISABLE="kettle") == [("sdk_exit", "sdk")]
    assert hooktree.names() == ["kettle", "sdk"]


def test_workers_belong_to_the_sdk(hooks: Path) -> None:
    write(hooks / "instrumentation" / "kettle", workers=RULE.format(name="sdk_worker_kettle"))
    assert ("sdk_worker_kettle", "sdk") in in_force(OTELOBJ_DISABLE="kettle")


def test_a_folder_may_hold_workers_alone(hooks: Path) -> None:
    write(hooks / "instrumentation" / "pot", readme=README.format(default="true"), workers=RULE.format(name="sdk_worker_pot"))
    assert in_force() == [("kettle_boil", "kettle"), ("sdk_worker_pot", "sdk"), ("sdk_exit", "sdk")]


def targets(path: Path) -> dict[str, set[str]]:
    """Rule -> what its targets begin with: the packages, up to a glob."""
    found = yaml.safe_load(path.read_text()) if path.exists() else {}
    texts = {name: rule["target"] if isinstance(rule["target"], list) else [rule["target"]] for name, rule in found.items()}
    return {name: {prefix for text in each for prefix in prefixes(text)} for name, each in texts.items()}


def prefixes(target: str) -> Iterator[str]:
    parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", target)]
    for words in itertools.product(*parts):
        yield re.split(r"/[^/]*[*?\[]", "".join(words))[0]


def left_behind() -> list[str]:
    """Workers of a library with a folder that are not in it."""
    libraries = [hooktree.hooks_dir() / "instrumentation" / name for name in hooktree.libraries()]
    homes = {prefix for folder in libraries for file in ("rules.yaml", "workers.yaml") for found in targets(folder / file).values() for prefix in found}
    workers = targets(hooktree.hooks_dir() / "sdk" / "workers.yaml")
    return [name for name, places in workers.items() if any(f"{a}/".startswith(f"{b}/") or f"{b}/".startswith(f"{a}/") for a in places for b in homes)]


def test_workers_of_a_library_are_in_its_folder() -> None:
    forget()
    assert left_behind() == []


@pytest.mark.parametrize("target", ["example.com/kettle", "example.com/kettle/v2/pool", "example.com/{pot,kettle}/**/pool", "example.com/kettle/*"])
def test_workers_left_behind_are_found(hooks: Path, target: str) -> None:
    write(hooks / "sdk", workers=RULE.format(name="sdk_worker_kettle").replace("example.com/kettle", target) + RULE.format(name="sdk_worker_pan").replace("kettle", "kettles"))
    assert left_behind() == ["sdk_worker_kettle"]


def test_a_library_that_is_off_by_default(hooks: Path) -> None:
    write(hooks / "instrumentation" / "kettle", readme=README.format(default="false"), workers=RULE.format(name="sdk_worker_kettle"))
    assert [name for name, _ in in_force()] == ["sdk_worker_kettle", "sdk_exit"]
    assert ("kettle_boil", "kettle") in in_force(OTELOBJ_ENABLE="kettle")
    assert ("kettle_boil", "kettle") not in in_force(OTELOBJ_ENABLE="kettle", OTELOBJ_DISABLE="kettle")
    with pytest.raises(UsageError, match="OTELOBJ_ENABLE: no instrumentation is called 'kettel'"):
        in_force(OTELOBJ_ENABLE="kettel")


def test_modules_are_those_one_level_down(hooks: Path) -> None:
    for place, path in (("sdk", "a.b/sdk"), ("instrumentation/kettle", "a.b/kettle"), ("instrumentation/kettle/difftest", "a.b/not")):
        write(hooks / place, mod=f"module {path}\n\ngo 1.24\n")
    assert hooktree.modules() == {"a.b/kettle": "instrumentation/kettle", "a.b/sdk": "sdk"}
    write(hooks / "sdk", mod="go 1.24\n")
    with pytest.raises(OtelobjError, match="sdk/go.mod names no module"):
        hooktree.modules()


@pytest.mark.parametrize("readme", ["Kettles.\n", README, README.format(default="true").replace("lowest", "low"), "---\na: [\n---\n"])
def test_front_matter_is_checked(hooks: Path, readme: str) -> None:
    write(hooks / "instrumentation" / "kettle", readme=readme)
    with pytest.raises(OtelobjError, match="kettle/README.md: ") as caught:
        hooktree.libraries()
    assert "docs/contributing/library.md" in caught.value.remedy


def test_what_is_no_library(hooks: Path) -> None:
    """A folder that a removed branch has left behind is none; one with another name than rules can have is refused."""
    (hooks / "instrumentation" / "gone" / "__pycache__").mkdir(parents=True)
    assert list(hooktree.libraries()) == ["kettle"]
    write(hooks / "instrumentation" / "go_redis", readme=README.format(default="true"))
    with pytest.raises(OtelobjError, match="no name of a library"):
        hooktree.libraries()
