"""A library is one folder: that of docs/contributing/library.md, and another one after it, work in a copy of the checkout without any other edit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import scriptrunner
from places import ROOT
from toolchains import goroot

from objinst import hooktree
from rule_files import read_file

GUIDE = ROOT / "docs" / "contributing" / "library.md"
FOLDER = "hooks/instrumentation/kettle"
SECOND = "teapot"
"""A library like the page's, of another module. It comes after nethttp in the order of names, and kettle before."""
GO = "1.26"
BUILD = "exec go build -toolexec=otelobj -o app ."
SWITCHES = (
    "OTEL_GO_DISABLED_INSTRUMENTATIONS=kettle",
    "OTEL_GO_DISABLED_INSTRUMENTATIONS=kettle_boil",
    "OTEL_GO_ENABLED_INSTRUMENTATIONS=nethttp",
    "OTEL_SDK_DISABLED=true",
)
VARIABLE = "OTELOBJ_TEAPOT_STRENGTH"
ASK = 'package main\n\nimport "github.com/otelobj/otelobj/hooks/rt"\n\nfunc init() { println("kettle on:", rt.Enabled("kettle")) }\n'


def guide_files() -> dict[str, str]:
    """Path -> content of every file that the page tells to write."""
    return dict(re.findall(r"^`(hooks/\S+)`:\n\n```\w*\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL))


def second(text: str) -> str:
    return text.replace("kettle", SECOND).replace("Kettle", SECOND.title()).replace("Boil", "Pour").replace("boil", "pour")


def second_files() -> dict[str, str]:
    """Like those of the page, with a variable that the library reads and lists."""
    files = {second(name): second(text) for name, text in guide_files().items()}
    folder, sanitize = second(FOLDER), '\t"github.com/otelobj/otelobj/hooks/rt/sanitize"\n'
    hooks, readme = files[f"{folder}/hooks.go"], files[f"{folder}/README.md"]
    hooks = hooks.replace(sanitize, sanitize.replace("sanitize", "environ") + sanitize).replace("const scope", f'var strength = environ.Get("{VARIABLE}")\n\nconst scope')
    files[f"{folder}/hooks.go"] = hooks
    files[f"{folder}/README.md"] = readme.replace("### Switches\n\nNone.\n", f"### Switches\n\n- `{VARIABLE}`: how strong\n")
    assert VARIABLE in hooks and "environ" in hooks and VARIABLE in files[f"{folder}/README.md"]
    return files


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that has been used before the library was added: what otelobj remembers of it must not hide the new folder."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("bin", "docs", "hooks", "objinst", "tests", "testbins", "trampolines"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml", "README.md", "NOTICE"):
        shutil.copy(ROOT / name, root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    case = root / "case"
    play(case, root, [BUILD, "run ./app", "spans 0"])
    for name, text in {**guide_files(), **second_files()}.items():
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


@pytest.mark.parametrize("name", ["kettle", SECOND])
def test_the_script_of_the_page(checkout: Path, tmp_path: Path, name: str) -> None:
    scriptrunner.play(scriptrunner.parse(checkout / f"hooks/instrumentation/{name}/scripts/{name}.txtar"), GO, "amd64", tmp_path, checkout)


def test_a_program_with_both(checkout: Path, tmp_path: Path) -> None:
    """Each has its name and its switches."""
    script = f"{second(FOLDER)}/scripts/{SECOND}.txtar"
    for name, text in scriptrunner.parse(checkout / script).files.items():
        if name.startswith(f"{SECOND}/"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
    (tmp_path / "pour.go").write_text(f'package main\n\nimport (\n\t"context"\n\n\t"example.com/{SECOND}"\n)\n\nfunc init() {{ {SECOND}.Pour(context.Background(), 1) }}\n')
    both = [f"exec go mod edit -require=example.com/{SECOND}@v1.0.0 -replace=example.com/{SECOND}=./{SECOND}", BUILD, "run ./app", "spans 3", "span pour"]
    both += ["env OTEL_GO_DISABLED_INSTRUMENTATIONS=kettle", "forget", "run ./app", "spans 1", "span pour"]
    both += ["env OTEL_GO_DISABLED_INSTRUMENTATIONS=kettel", "run ./app", f"stderr 'is called kettel; known: .*\\bkettle, .*\\bnethttp, .*\\b{SECOND}\\b'"]
    play(tmp_path, checkout, both)


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
    play(tmp_path, checkout, [*lines, "stderr 'no instrumentation or rule is called kettel; known: .*\\bkettle, .*\\bnethttp\\b'", "spans 2"])


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
    """As the page says: go mod tidy, then vet and tests."""
    env = os.environ | {"GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    for words in (["mod", "tidy"], ["vet", "./..."], ["test", "./..."]):
        done = subprocess.run([goroot(GO) / "bin" / "go", *words], cwd=checkout / FOLDER, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_nothing_else_is_edited(checkout: Path, tmp_path: Path) -> None:
    """Tests that speak of what is instrumented by default hold in the copy, once the pages are made that are made from folders."""
    listed = python(checkout, "-c", "from objinst import hooktree; print(*hooktree.libraries())").stdout.split()
    assert {"kettle", SECOND} <= set(listed) and listed.index("kettle") < listed.index("nethttp") < listed.index(SECOND)
    page(checkout)
    noticed = python(checkout, "docs/notice.py")
    assert noticed.returncode == 0, noticed.stderr
    here = "project/test_library.py::"
    tests = ("rules/test_load.py", "project/test_hooktree.py", "project/test_configuration.py", f"{here}test_libraries_of_this_checkout", f"{here}test_the_page_is_fresh")
    done = python(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{name}" for name in tests))
    assert done.returncode == 0, done.stdout + done.stderr
    for script in ("span_switches", "messages"):
        (tmp_path / script).mkdir()
        scriptrunner.play(scriptrunner.parse(checkout / f"tests/scripts/{script}.txtar"), GO, "amd64", tmp_path / script, checkout)


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
