"""Links of programs that have OpenTelemetry's API: the bridge is compiled against their copy and the private one, or left out with a line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hook_sets import GO, disagreements, go_command, request, write
from objinst.errors import OtelobjError
from objinst.gobuild import buildinfo
from objinst.gobuild.gocmd import Go
from objinst.goobj.archive import Archive
from objinst.hookpkgs import HookSet, resolve
from objinst.hooktree import BRIDGE_PATH
from objinst.rules import OBSERVERS, PRIVATE
from toolchains import go_env, goroot

RT = "github.com/otelobj/otelobj/hooks/rt"
ACTIVE = "github.com/otelobj/otelobj/hooks/active"
SPAN = "github.com/otelobj/otelobj/hooks/span"
GLOBALS = f"{BRIDGE_PATH}/globals"
LOGS = f"{BRIDGE_PATH}/logs"
API = "go.opentelemetry.io/otel"
HOOKS = "example.com/app/hooks"
APP = {
    "go.mod": f"module example.com/app\n\ngo 1.24\n\nrequire {API} v1.28.0\n",
    "main.go": f'package main\n\nimport "{API}"\n\nfunc main() {{ println(otel.Version()) }}\n',
    "hooks/hooks.go": f'package hooks\n\nimport (\n\t"{API}/trace"\n\t"{ACTIVE}"\n)\n\nfunc Span() trace.Span {{ return active.Span() }}\n',
}
BUILD = ("build", "-mod=mod", "-work", "-o", "x", ".")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the tests of this file: what they need of the zone is compiled once."""
    return tmp_path_factory.mktemp("bridged") / "cache"


@pytest.fixture
def app(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in go_env(GO).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(shared))
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))
    monkeypatch.setenv("GOENV", "off")
    buildinfo.parent_flags.cache_clear()
    write(tmp_path / "app", APP)
    yield tmp_path / "app"
    buildinfo.parent_flags.cache_clear()


def parts(found: HookSet) -> set[str]:
    return {name.removeprefix(f"{BRIDGE_PATH}/") for name in found.archives if name.startswith(f"{BRIDGE_PATH}/")}


def imports(archive: Path) -> set[str]:
    return {path for path, _ in Archive.read(archive).go_object()[1].autolib}


def test_the_bridge_imports_both_copies(app: Path) -> None:
    wanted = request(app, (ACTIVE, RT, GLOBALS), *BUILD)
    found = resolve(wanted, go_command())
    assert disagreements(wanted, found) == [] and found.notes == () and found.left_out == ()
    assert {"attrs", "spans", "bags", "globals", "choice", "meters"} <= parts(found) and not parts(found) & {"own/spans", "users"}
    assert {f"{BRIDGE_PATH}/spans", GLOBALS, f"{BRIDGE_PATH}/meters"} <= set(found.loads)
    assert {f"{API}/trace", f"{PRIVATE}{API}/trace"} <= imports(found.archives[f"{BRIDGE_PATH}/spans"])
    assert f"{API}/trace" in found.uses and f"{API}/trace" not in found.archives and f"{OBSERVERS}{ACTIVE}" not in found.archives


@pytest.mark.parametrize("package", ["", "/attribute"])
def test_hooks_of_the_users_own_have_the_programs_api(package: str, app: Path) -> None:
    """Their hooks/active is a copy over that API, which hands on to ours; also where the program has less of the API than they need."""
    (app / "main.go").write_text(f'package main\n\nimport _ "{API}{package}"\n\nfunc main() {{}}\n')
    wanted = request(app, (ACTIVE, RT, HOOKS), *BUILD)
    found = resolve(wanted, go_command())
    assert disagreements(wanted, found) == []
    assert {f"{API}/trace", ACTIVE} <= imports(found.archives[HOOKS])
    assert f"{API}/trace" in imports(found.archives[ACTIVE]) and f"{PRIVATE}{API}/trace" in imports(found.archives[f"{OBSERVERS}{ACTIVE}"])
    assert f"{BRIDGE_PATH}/users" in found.loads and {ACTIVE, f"{OBSERVERS}{ACTIVE}"} <= imports(found.archives[f"{BRIDGE_PATH}/users"])


def test_a_program_without_the_api_has_no_bridge(app: Path) -> None:
    (app / "main.go").write_text("package main\n\nfunc main() {}\n")
    found = resolve(request(app, (ACTIVE, RT, GLOBALS), *BUILD), go_command())
    assert parts(found) == set() and found.loads == () and found.left_out == (GLOBALS,) and found.notes == ()


def test_another_program_with_the_same_api_compiles_nothing(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve(request(app, (ACTIVE, RT, GLOBALS), *BUILD), go_command())
    (app / "main.go").write_text(APP["main.go"].replace("println(", 'println("other", '))
    other = request(app, (ACTIVE, RT, GLOBALS), *BUILD)
    with monkeypatch.context() as patch:
        patch.setattr(Go, "run", lambda *_, **__: pytest.fail("go was run"))
        assert resolve(other, go_command()) == first
    # One that has less of the API is another configuration.
    (app / "main.go").write_text(f'package main\n\nimport _ "{API}/trace"\n\nfunc main() {{}}\n')
    less = request(app, (ACTIVE, RT, GLOBALS), *BUILD)
    found = resolve(less, go_command())
    assert found.left_out == (GLOBALS,) and {"attrs", "spans"} <= parts(found) and not parts(found) & {"globals", "meters"}
    assert disagreements(less, found) == []


def test_an_api_that_is_too_old_is_not_bridged(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "go.mod").write_text(f"module example.com/app\n\ngo 1.24\n\nrequire {API}/trace v0.20.0\n")
    (app / "main.go").write_text(f'package main\n\nimport _ "{API}/trace"\n\nfunc main() {{}}\n')
    found = resolve(request(app, (ACTIVE, RT, GLOBALS), *BUILD), go_command())
    assert parts(found) == set() and found.left_out == (GLOBALS,)
    assert "older than 1.0.1" in capsys.readouterr().err


def replace_by_fork(app: Path, module: str, file: str, old: str, new: str) -> None:
    """Has the program's module replaced by one in which a text is another."""
    folder = subprocess.run([goroot(GO) / "bin/go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", module], cwd=app, check=True, capture_output=True, text=True).stdout
    fork = app.parent / "fork"
    shutil.copytree(folder.strip(), fork, copy_function=shutil.copyfile)
    for path in (fork, *fork.rglob("*")):
        path.chmod(0o755)
    text = (fork / file).read_text()
    assert text.count(old) >= 1
    (fork / file).write_text(text.replace(old, new))
    with (app / "go.mod").open("a") as mod:
        mod.write(f"\nreplace {module} => {fork}\n")


def test_a_fork_that_the_bridge_does_not_compile_with_is_left_out(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace_by_fork(app, f"{API}/trace", "config.go", "Timestamp() time.Time", "When() time.Time")
    (app / "main.go").write_text(f'package main\n\nimport _ "{API}/trace"\n\nfunc main() {{}}\n')
    found = resolve(request(app, (ACTIVE, RT, GLOBALS), *BUILD), go_command())
    assert parts(found) == set() and found.left_out == (GLOBALS,)
    assert "is not bridged: the bridge does not compile with it" in capsys.readouterr().err


def test_a_log_api_that_the_bridge_does_not_compile_with_is_left_out_alone(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "go.mod").write_text(f"module example.com/app\n\ngo 1.24\n\nrequire (\n\t{API} v1.41.0\n\t{API}/log v0.17.0\n)\n")
    (app / "main.go").write_text(f'package main\n\nimport (\n\t"{API}"\n\t_ "{API}/log/global"\n)\n\nfunc main() {{ println(otel.Version()) }}\n')
    whole = request(app, (ACTIVE, RT, GLOBALS, LOGS), *BUILD)
    found = resolve(whole, go_command())
    assert {"logs", "globals"} <= parts(found) and found.left_out == () and disagreements(whole, found) == []
    assert capsys.readouterr().err.count("warning") == 0
    replace_by_fork(app, f"{API}/log", "record.go", "SeverityText() string", "SeverityName() string")
    found = resolve(request(app, (ACTIVE, RT, GLOBALS, LOGS), *BUILD), go_command())
    assert {"globals", "meters"} <= parts(found) and "logs" not in parts(found) and found.left_out == (LOGS,)
    assert f"log API, {API}/log" in capsys.readouterr().err


def test_a_copy_of_active_that_does_not_hand_on_is_an_error(app: Path) -> None:
    """A hooks/active of the program's own, of another version."""
    other = app.parent / "active"
    write(other, {"go.mod": f"module {ACTIVE}\n\ngo 1.24\n", "a.go": f'package active\n\nimport _ "{API}/trace"\n\nfunc Context() {{}}\n'})
    with (app / "go.mod").open("a") as file:
        file.write(f"\nrequire {ACTIVE} v0.0.0\n\nreplace {ACTIVE} => {other}\n")
    (app / "main.go").write_text(f'package main\n\nimport _ "{ACTIVE}"\n\nfunc main() {{}}\n')
    with pytest.raises(OtelobjError, match="of another version than otelobj"):
        resolve(request(app, (ACTIVE, SPAN, RT, GLOBALS), *BUILD), go_command())
