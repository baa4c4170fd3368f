"""A library is one folder: the one that docs/contributing/library.md makes works in a copy of the checkout without any other edit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import scriptrunner
from toolchains import goroot

from objinst import hooktree
from rule_files import read_file

ROOT = Path(__file__).parent.parent.parent
GUIDE = ROOT / "docs" / "contributing" / "library.md"
FOLDER = "hooks/instrumentation/kettle"
GO = "1.26"
BUILD = "exec go build -toolexec=otelobj -o app ."
SWITCHES = (
    "OTEL_GO_DISABLED_INSTRUMENTATIONS=kettle",
    "OTEL_GO_DISABLED_INSTRUMENTATIONS=kettle_boil",
    "OTEL_GO_ENABLED_INSTRUMENTATIONS=nethttp",
    "OTEL_SDK_DISABLED=true",
)
ASK = 'package main\n\nimport "github.com/otelobj/otelobj/hooks/rt"\n\nfunc init() { println("kettle on:", rt.Enabled("kettle")) }\n'


def guide_files() -> dict[str, str]:
    """Path -> content of every file that the page tells to write."""
    return dict(re.findall(r"^`(hooks/\S+)`:\n\n```\w*\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that has been used before the library was added: what otelobj remembers of it must not hide the new folder."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("bin", "docs", "hooks", "objinst", "trampolines"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".venv").symlink_to(ROOT / ".venv")
    case = root / "case"
    play(case, root, [BUILD, "run ./app", "spans 0"])
    for name, text in guide_files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    play(case, root, [BUILD, "run ./app", "spans 2"])
    return root


def play(folder: Path, root: Path, lines: list[str]) -> None:
    """Runs script lines with the program of the page's script."""
    text = guide_files()[f"{FOLDER}/scripts/kettle.txtar"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "case.txtar"
    path.write_text("\n".join(lines) + "\n" + text[text.index("-- go.mod --") :])
    scriptrunner.play(scriptrunner.parse(path), GO, "amd64", folder, root)


def python(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)


def test_the_script_of_the_page(checkout: Path, tmp_path: Path) -> None:
    scriptrunner.play(scriptrunner.parse(checkout / FOLDER / "scripts" / "kettle.txtar"), GO, "amd64", tmp_path, checkout)


def test_switches_of_the_program(checkout: Path, tmp_path: Path) -> None:
    """Without an SDK no span arrives anyway, so the program asks hooks/rt whether the hooks are on."""
    rt = "github.com/otelobj/otelobj/hooks/rt"
    lines = [f"exec go mod edit -require={rt}@v0.0.0 -replace={rt}={checkout}/hooks/rt", BUILD]
    for variable in SWITCHES:
        lines += [f"env {variable}", "run ./app", "stderr '^kettle on: false$'", f"env {variable.partition('=')[0]}="]
    (tmp_path / "ask.go").write_text(ASK)
    play(tmp_path, checkout, [*lines, "spans 0", "run ./app", "stderr '^kettle on: true$'", "spans 2"])


def test_names_are_known(checkout: Path, tmp_path: Path) -> None:
    lines = [BUILD, "env OTEL_GO_DISABLED_INSTRUMENTATIONS=kettel", "run ./app"]
    play(tmp_path, checkout, [*lines, "stderr 'no instrumentation or rule is called kettel; known: kettle, nethttp$'", "spans 2"])


def test_switches_of_the_build(checkout: Path, tmp_path: Path) -> None:
    play(tmp_path, checkout, ["env OTELOBJ_DISABLE=kettle", BUILD, "run ./app", "spans 0"])


def test_off_by_default(checkout: Path, tmp_path: Path) -> None:
    readme = checkout / FOLDER / "README.md"
    text = readme.read_text()
    readme.write_text(text.replace("default: true", "default: false"))
    try:
        play(tmp_path, checkout, [BUILD, "run ./app", "spans 0", "env OTELOBJ_ENABLE=kettle", BUILD, "run ./app", "spans 2"])
        assert "off; `OTELOBJ_ENABLE=kettle`" in page(checkout)
    finally:
        readme.write_text(text)


def page(root: Path) -> str:
    done = python(root, "docs/libraries.py")
    assert done.returncode == 0, done.stderr
    return (root / "docs" / "libraries.md").read_text()


def test_the_plan_has_it(checkout: Path, tmp_path: Path) -> None:
    play(tmp_path, checkout, ["exec otelobj plan .", "stdout 'kettle_boil'"])


def test_the_page_has_it(checkout: Path) -> None:
    assert python(checkout, "docs/libraries.py", "--check").returncode == 1
    text = page(checkout)
    assert "| [`kettle`](#kettle) | example.com/kettle | v1.0.0 | v1.2.0 | 1.24 | on |" in text
    assert "## kettle\n\nClients of" in text and "## nethttp\n" in text


def test_its_go_module_is_whole(checkout: Path) -> None:
    """As the page says: go mod tidy, then vet and tests; `make lint` finds the module."""
    env = os.environ | {"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    for words in (["mod", "tidy"], ["vet", "./..."], ["test", "./..."]):
        done = subprocess.run([goroot(GO) / "bin" / "go", *words], cwd=checkout / FOLDER, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_libraries_of_this_checkout() -> None:
    """Every rule is called after its library, so that programs know the name without a list."""
    for name, library in hooktree.libraries().items():
        assert list(library.folder.glob("scripts/*.txtar")), f"{name} has no script"
        for file in library.rule_files():
            prefix = f"{name}_" if file.path.name == hooktree.RULES else "sdk_"
            assert all(f"{rule.name}_".startswith(prefix) for rule in read_file(file.path, instrumentation=file.instrumentation)), file.path


def test_the_page_is_fresh() -> None:
    done = subprocess.run([sys.executable, "docs/libraries.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
