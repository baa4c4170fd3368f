"""What cannot be measured is one message; a peer that cannot be is left out. Needs no Go toolchain: the go command is a script."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from objinst.__main__ import main as entry
from objinst.bench import measure, program, variants, watch
from objinst.bench.gobench import packages
from objinst.bench.model import Machine, Quantity, Results
from objinst.bench.program import Edits, Program
from objinst.bench.run import Request, check
from objinst.bench.starts import Address, serving
from objinst.bench.starts import Program as Started
from objinst.cli import bench, gotool
from objinst.errors import OtelobjError, UsageError

REQUEST = Request(Path("go"), Path(), ".", ("plain",), None, None, 1, (), None, "", "", "", "", "1s")


@pytest.fixture
def user(tmp_path: Path) -> Program:
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    return Program(tmp_path, ".", "example.com/x", tmp_path, tmp_path, None, tmp_path / "main.go", "-v", "go1.26")


def variant(user: Program, name: str = "plain", **more: object) -> variants.Variant:
    home = user.folder / f"home-{name}"
    home.mkdir(exist_ok=True)
    return variants.Variant(name, ["/bin/false"], user, home, Edits(user, home / "edits"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"load": "wrk"}, "--load without --listen"), ({"run_args": "-x"}, "--run without --listen"), ({"listen": "8080"}, "not HOST:PORT"),
        ({"listen": "x:99999"}, "not HOST:PORT"), ({"start_args": "'a"}, "--start-args 'a"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(replace(REQUEST, **wrong))  # type: ignore[arg-type]
    check(REQUEST)
    with pytest.raises(UsageError, match="--manual with the import path example.com/x"):
        check(replace(REQUEST, by_hand=Path(), package="example.com/x"))


def test_addresses() -> None:
    assert [Address.parse(text) for text in (":80", "[::1]:80", "host:8080")] == [Address("127.0.0.1", 80), Address("::1", 80), Address("host", 8080)]


def test_names_that_are_not_known() -> None:
    assert variants.choose(["otelobj"]) == ["plain", "otelobj"]
    assert variants.choose(variants.KNOWN) == list(variants.KNOWN)
    with pytest.raises(UsageError, match="tracy is not known"):
        variants.choose(["plain", "tracy"])
    with pytest.raises(UsageError, match="hot is not known"):
        bench._scenes(["cold", "hot"])
    assert bench._scenes(["none"]) == ()


def test_peers_that_are_not_installed(user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    made, missing = variants.make(variants.KNOWN, Path("/go"), user, user, tmp_path)
    assert [one.name for one in made] == ["plain", "by hand", "otelobj"]
    assert {one.variant: one.remedy.split("@")[0] for one in missing} == {
        "orchestrion": "go install github.com/DataDog/orchestrion", "otelc": "go install go.opentelemetry.io/otelc/tool/cmd/otelc",
    }  # fmt: skip


def test_a_build_that_fails(user: Program) -> None:
    with pytest.raises(OtelobjError, match="plain: go build failed in .* with status 1"):
        variant(user).build()


def test_all_are_built_without_version_control(user: Program) -> None:
    made = variant(user)
    made.go = [sys.executable, "-c", f"import sys; open({str(user.folder / 'args')!r}, 'w').write(' '.join(sys.argv[1:]))"]
    made.build("-x")
    assert (user.folder / "args").read_text() == f"build -x -buildvcs=false -o {made.out} -- ."


def test_caches_that_cannot_be_emptied(user: Program) -> None:
    made = variant(user)
    made.own_cache.write_text("a file")
    with pytest.raises(OtelobjError, match="plain: its caches cannot be emptied: "):
        made.empty()


TIME = Quantity("build", "x", "time", "s")


def measured(user: Program, peer: variants.Variant, *, part: str | None) -> tuple[Results, list[str]]:
    """Two rounds of a work that fails for one of two variants, and what was told meanwhile."""
    results = Results("x", Machine("", 1, 0, "", "", "", 0), 1, {"plain": "plain", peer.name: peer.name})
    results.add(peer.name, Quantity("size", "x", "size", "B"), 7)
    told: list[str] = []

    def work(which: variants.Variant) -> None:
        if which is peer:
            which.build()
        results.add(which.name, TIME, 1)

    measure.run(list(measure.rounds([variant(user), peer], 2, "work", work, part)), results, lambda _done, _total, text: told.append(text))
    return results, told


def test_a_peer_that_does_not_build_is_left_out(user: Program) -> None:
    results, told = measured(user, variant(user, "otelc", peer=variants.PEERS["otelc"]), part="")
    assert sorted(told) == ["done", "otelc: work 1/2", "plain: work 1/2", "plain: work 2/2"]
    assert list(results.variants) == ["plain"] and results.missing[0].why.startswith("otelc: go build failed")
    assert {quantity: samples for quantity, samples in results.samples.items() if samples} == {TIME: {"plain": [1, 1]}}
    with pytest.raises(OtelobjError, match="otelobj: go build failed"):
        measured(user, variant(user, "otelobj"), part="")


@pytest.mark.parametrize("name", ["otelobj", "otelc"])
def test_a_failure_keeps_what_was_measured(user: Program, name: str) -> None:
    results, told = measured(user, variant(user, name, peer=variants.PEERS.get(name)), part=None)
    assert sorted(told) == ["done", f"{name}: work 1/2", "plain: work 1/2", "plain: work 2/2"]
    assert results.samples == {Quantity("size", "x", "size", "B"): {name: [7]}, TIME: {"plain": [1, 1]}}
    assert [(one.what, one.why.splitlines()[0].split(" in ")[0]) for one in results.missing] == [(f"{name}: work", f"{name}: go build failed")]


@pytest.mark.parametrize("count", range(1, 8))
def test_rounds_are_balanced(user: Program, count: int) -> None:
    """Each variant is as often at each place, and as often behind each other one."""
    names = "abcdefg"[:count]
    made = [variant(user, name) for name in names]
    rounds = count if count % 2 == 0 else 2 * count
    steps = [step.variant.name for step in measure.rounds(made, rounds, "x", lambda _: None)]
    orders = [steps[at : at + count] for at in range(0, len(steps), count)]
    assert all(sorted(order) == [*names] for order in orders)
    assert {Counter(order[at] for order in orders)[name] for at in range(count) for name in names} == {rounds // count}
    behind = Counter(pair for order in orders for pair in zip(order, order[1:], strict=False))
    assert len(behind) == count * (count - 1) and len({*behind.values()}) <= 1


def test_a_step_that_the_system_fails_is_left_out(user: Program) -> None:
    results = Results("x", Machine("", 1, 0, "", "", "", 0), 1, {"plain": "plain"})

    def work(_: variants.Variant) -> None:
        raise FileNotFoundError(2, "No such file", "program")

    measure.run(list(measure.rounds([variant(user)], 1, "load", work)), results, lambda *_: None)
    assert [(one.what, one.why) for one in results.missing] == [("plain: load", "plain: program: No such file")]
    with pytest.raises(OtelobjError, match="plain: program: No such file"):
        measure.run(list(measure.rounds([variant(user)], 1, "load", work, part="")), results, lambda *_: None)


def test_an_edit_leaves_the_file_alone(user: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PAUSE", 0)
    before = user.file.stat()
    edits = Edits(user, user.folder / "edits")
    texts = []
    for _ in range(2):
        edits.next()
        [(old, new)] = json.loads(edits.overlay.read_text())["Replace"].items()
        assert old == str(user.file)
        texts.append(Path(new).read_text())
    assert texts[0] != texts[1] and all(text.startswith(user.file.read_text()) for text in texts)
    assert user.file.stat() == before or user.file.stat().st_mtime_ns == before.st_mtime_ns
    assert edits.environment() == {"GOFLAGS": f"-v '-overlay={edits.overlay}'"}


def test_a_file_that_cannot_be_edited(user: Program) -> None:
    with pytest.raises(UsageError, match="not a Go file"):
        program._edited({"Dir": "/", "GoFiles": ["x.go"]}, user.folder / "absent.go")
    with pytest.raises(OtelobjError, match="has no Go files but tests"):
        program._edited({"Dir": "/", "ImportPath": "x"}, None)
    user.file.unlink()
    with pytest.raises(OtelobjError, match="main.go: No such file"):
        Edits(user, user.folder / "edits").next()


def script(user: Program, text: str) -> variants.Variant:
    """A variant whose program is a script."""
    made = variant(user)
    made.out.write_text(f"#!{sys.executable}\n{text}")
    made.out.chmod(0o755)
    return made


def free_port() -> Address:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return Address(*taken.getsockname())


def test_a_server_that_does_not_listen(user: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    at = free_port()
    with pytest.raises(OtelobjError, match=r"plain: the program ended with status 3 before it listened at 127.0.0.1:\d+\nno address"), serving(
        script(user, "print('no address', flush=True); raise SystemExit(3)"), Started((), {}), at
    ):
        pass
    monkeypatch.setattr("objinst.bench.starts.PATIENCE", 0.3)
    with pytest.raises(OtelobjError, match="does not listen at"), serving(script(user, "import time; time.sleep(600)"), Started((), {}), at):
        pass


def test_a_server_starts_and_ends(user: Program) -> None:
    at = free_port()
    listens = "import socket, sys\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile True: s.accept()[0].close()\n"
    with serving(script(user, listens), Started((str(at.port),), {}), at) as server:
        assert server.listening > 0 and server.process.poll() is None
        with pytest.raises(OtelobjError, match="somebody listens"), serving(script(user, listens), Started((), {}), at):
            pass
    assert server.ended > 0 and server.process.returncode == -15


def test_a_run_is_measured() -> None:
    code = "import subprocess, sys; x = bytearray(150_000_000); subprocess.run([sys.executable, '-c', 'sum(range(3_000_000))']); print('out'); sys.exit(5)"
    done = watch.run([sys.executable, "-c", code], Path("/"), {})
    assert (done.status, done.out, done.err) == (5, "out\n", "")
    assert done.memory >= done.largest > 150_000_000
    assert 0 < done.cpu


def test_a_run_leaves_nothing_in_the_background(tmp_path: Path) -> None:
    watch.run(["/bin/sh", "-c", f"sleep 600 & echo $! >{tmp_path}/pid"], Path("/"), {"PATH": "/bin:/usr/bin"})
    left = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    for _ in range(1000):
        if not left.exists() or left.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        import time

        time.sleep(0.01)
    pytest.fail("it still runs")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["/usr/local/go/pkg/tool/linux_amd64/link", "-o", "x"], "link"), (["/bin/sh", "/opt/bin/otelobj", "/x/link", "-V=full"], "otelobj"),
        (["python3", "-I", "/x/objinst/__main__.py", "--tool", "/x/link"], "otelobj"), (["go", "build"], "go"), ([""], ""),
    ],
)  # fmt: skip
def test_names_of_tools(words: list[str], name: str) -> None:
    assert watch.tool_name(words) == name


@pytest.mark.parametrize(
    ("files", "args", "message"),
    [
        ({}, [], "no Go module in"),
        ({"go.mod": "module example.com/x\n", "x.go": "package x\n"}, [], "no program in"),
        ({"go.mod": "module example.com/x\n"}, ["./cmd"], "go list failed in"),
        ({"go.mod": "module example.com/x\n", "x.go": "package main\n\nfunc main( {\n"}, [], "x.go:3"),
        ({"go.mod": "module example.com/x\n", "a/x.go": "package main\n", "b/x.go": "package main\n"}, ["./..."], "2 programs in ./..."),
    ],
)
def test_folders_without_a_program(files: dict[str, str], args: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = gotool.find()
    assert found is not None
    monkeypatch.setenv("GOWORK", "off")
    monkeypatch.setenv("GO111MODULE", "on")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert entry(["bench", str(tmp_path), *args, "--scenes", "none"]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said and "remedy" in said


def test_a_copy_has_absolute_paths(tmp_path: Path) -> None:
    """A module in a workspace that replaces another one by a relative path."""
    found = gotool.find()
    assert found is not None
    for name, text in {
        "go.work": "go 1.22\n\nuse ./app\nuse ./other\n", "app/go.mod": "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ../lib\n",
        "app/cmd/main.go": "package main\n\nimport _ \"example.com/lib\"\n\nfunc main() {}\n", "lib/go.mod": "module example.com/lib\n\ngo 1.22\n", "lib/lib.go": "package lib\n",
        "other/go.mod": "module example.com/other\n\ngo 1.22\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    user = program.look_up(found.path, tmp_path / "app" / "cmd", ".")
    (tmp_path / "to").mkdir()
    copy, env = program.copied(found.path, user, tmp_path / "to")
    assert copy.folder == tmp_path / "to/app/cmd" and copy.file == tmp_path / "to/app/cmd/main.go"
    assert f"=> {tmp_path}/lib" in (tmp_path / "to/app/go.mod").read_text()
    work = (tmp_path / "to/go.work").read_text()
    assert f"{tmp_path}/to/app" in work and f"{tmp_path}/other" in work and env == {"GOWORK": str(tmp_path / "to/go.work")}
    listed = program.ask(found.path, ["list", "-deps", "-f", "{{.Dir}}", "."], copy.folder, env).split()
    assert str(tmp_path / "lib") in listed and str(copy.folder) in listed
    made = replace(variant(user), program=copy, env=env)
    assert packages(found.path, made) == []


def test_nothing_is_written_outside_of_a_copy(user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever links there are in a module."""
    outside, module, to = tmp_path / "outside", tmp_path / "module", tmp_path / "to"
    for folder in (outside / "data", module / "cmd", to):
        folder.mkdir(parents=True)
    for name in ("go.mod", "main.go", "data/x"):
        (outside / name).write_text(f"{name}\n")
    (module / "go.mod").symlink_to(outside / "go.mod")
    (module / "main.go").symlink_to("../outside/main.go")
    (module / "data").symlink_to(outside / "data")
    (module / "same").symlink_to(module / "cmd")
    (module / "gone").symlink_to("nowhere")
    (module / "loop").symlink_to("loop")
    monkeypatch.setattr(program, "_make_absolute", lambda *_: None)
    copy, _ = program.copied(Path("go"), replace(user, folder=module, source=module, module=module, file=module / "main.go"), to)
    copied = to / "module"
    assert not (copied / "go.mod").is_symlink() and (copied / "data/x").read_text() == "data/x\n" and (copied / "same").resolve() == copied / "cmd"
    assert copy.module == copied and (copied / "gone").is_symlink()
    edited = replace(copy, file=copied / "main.go")
    Edits(edited, to, in_copy=True).next()
    assert (copied / "main.go").read_text() != (outside / "main.go").read_text() == "main.go\n"
    with pytest.raises(OtelobjError, match="main.go is not in the module, so it is not edited"):
        Edits(replace(copy, file=outside / "main.go"), to, in_copy=True).next()
    assert (outside / "main.go").read_text() == "main.go\n"


def test_a_module_that_cannot_be_copied_misses_its_peers(user: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants.shutil, "which", lambda _: "/bin/true")
    (tmp_path / "made").mkdir()
    (tmp_path / "elsewhere").mkdir()
    made, missing = variants.make(variants.KNOWN, Path("/go"), replace(user, source=tmp_path / "elsewhere", module=tmp_path / "module"), None, tmp_path / "made")
    assert [one.name for one in made] == ["plain", "otelobj"] and [one.variant for one in missing] == ["orchestrion", "otelc"]
    assert "is not in the module" in missing[0].why


def test_builds_have_folders_of_their_own(user: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELOBJ_SHARED_CACHE", "/x")
    monkeypatch.setenv("OTELOBJ_RULES", "/rules.yaml")
    made = variant(user)
    made.empty()
    (made.work / "left").mkdir(parents=True)
    with pytest.raises(OtelobjError):
        made.build()
    assert not (made.work / "left").exists()
    env = made.environment()
    assert {env[name] for name in ("GOCACHE", "OTELOBJ_CACHE_DIR", "GOTMPDIR")} == {f"{made.home}/gocache", f"{made.home}/cache", f"{made.home}/work"}
    assert Path(env["GOTMPDIR"]).is_dir() and Path(env["OTELOBJ_CACHE_DIR"]).stat().st_mode & 0o777 == 0o700
    assert "OTELOBJ_SHARED_CACHE" not in env and env["OTELOBJ_RULES"] == "/rules.yaml"
