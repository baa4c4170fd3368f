"""Runs tests/scripts/*.txtar and those in the folders of libraries: one behaviour each, a real `go build -toolexec=otelobj`, a real run.

The format is that of Go's testscript, cut down to what is used here. A file is a script followed by `-- name --` sections,
which are written to a fresh folder. Script lines:

    # go: 1.24 1.27     Go versions (default: 1.26); `# arch: amd64 arm64` architectures (default: amd64), arm64 with the first and the last of the
                        versions, and with those between in long mode; `# slow` long mode only;
    # long: 1.24 arm64 1.27-arm64 (REASON)    of these cases, those with that version, architecture or both are for long mode
                        `# needs: libc` programs are loaded dynamically, `# needs: cc` and compiled by a C compiler; `# needs: netns`
                        commands run in a network namespace of their own, without network (`unshare -rn`)
    env K=V             for the lines that follow; $NAME is expanded anywhere
    [!] exec CMD ...    a command; `!`: it must fail
    [!] run CMD ...     the same for a built program: under qemu for arm64
    start CMD ...       a built program in the background; `await RE` reads its standard output up to a line that matches; `kill TERM` sends
                        it a signal; `wait` waits for its end, and is then the last command; `ignore INT`: as nohup, before `start`
    [!] stdout RE, [!] stderr RE    of the last command, multi-line regular expression
    status N            exit status of the last command; `-TERM`: it was ended by that signal
    exists F, ! exists F, cmp A B, append F TEXT, rm F
    span NAME k=v ...   the collector has a span of this name with kind/status/parent (name, or `-` for none) or attribute k = v
    forget              the collector forgets what it has received; `receives N` waits until it has N spans
    spans N             the collector has exactly N spans; `metric NAME` it has this metric; `logs N` exactly N log records
    log BODY k=v ...    the collector has a log record with this body, and severity/trace (name of its span, or `-` for none)/scope or attribute
                        k = v; `group.k`: of a map
    py NAME ARGS        a check in tests/lib/script_checks.py

Each script has a collector of its own; OTEL_EXPORTER_OTLP_ENDPOINT names it.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shlex
import shutil
import signal
import socket
import string
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from needs import QEMU
from places import ROOT
import script_checks
from objinst.collector import Collector
from toolchains import goroot

SCRIPTS = ("tests/scripts/*.txtar", "hooks/instrumentation/*/scripts/*.txtar")
ARM64_CC = "aarch64-linux-gnu-gcc"
ARM64_ROOT = "/usr/aarch64-linux-gnu"
"""Where libc6-arm64-cross puts the C library, and the loader that position-independent programs ask for."""


HANGS = 1200
"""Seconds after which a program is taken for one that hangs, on however busy a machine."""
GENEROUS = {
    "OTELOBJ_SHUTDOWN_TIMEOUT": "10m", "OTEL_EXPORTER_OTLP_TIMEOUT": "600000", "OTEL_BSP_EXPORT_TIMEOUT": "600000", "OTEL_METRIC_EXPORT_TIMEOUT": "600000",
    "OTEL_BLRP_EXPORT_TIMEOUT": "600000",
}  # fmt: skip
"""Nothing is lost because the machine has other things to do. Scripts that are about these limits set their own."""


class ScriptFailure(AssertionError):
    """A script line that does not hold."""


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed txtar file."""

    path: Path
    lines: tuple[tuple[int, str], ...]
    files: dict[str, str]

    def directive(self, name: str, default: str) -> list[str]:
        for _, line in self.lines:
            match = re.match(rf"#\s*{name}:\s*(.+)", line)
            if match:
                return match[1].split()
        return default.split()

    @property
    def slow(self) -> bool:
        return any(line.strip() == "# slow" for _, line in self.lines)

    @property
    def left_to_long(self) -> list[str]:
        return list(itertools.takewhile(lambda word: not word.startswith("("), self.directive("long", "")))

    def missing(self, goarch: str) -> list[str]:
        """Debian packages, or what the system must permit, that the script needs and that are not here."""
        needs = set(self.directive("needs", "-"))
        wanted = [("qemu-user-static", shutil.which(QEMU))] if goarch == "arm64" else []
        if goarch == "arm64" and needs & {"libc", "cc"}:
            wanted.append(("libc6-arm64-cross", Path(ARM64_ROOT, "lib").exists()))
        if "cc" in needs:
            wanted.append(("gcc-aarch64-linux-gnu", shutil.which(ARM64_CC)) if goarch == "arm64" else ("gcc", shutil.which("gcc")))
        if "netns" in needs:
            wanted.append(("network namespaces for this user (unshare -rn)", has_namespaces()))
        return [name for name, found in wanted if not found]


@functools.cache
def has_namespaces() -> bool:
    """Whether this user can have a network namespace."""
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


def parse(path: Path) -> Script:
    head, *sections = re.split(r"^-- (.+?) --\n", path.read_text(), flags=re.MULTILINE)
    lines = tuple((number, line) for number, line in enumerate(head.splitlines(), 1) if line.strip())
    return Script(path, lines, dict(zip(sections[::2], sections[1::2], strict=True)))


def is_long(script: Script, version: str, goarch: str) -> bool:
    """Whether a case is for long mode. What depends on the version shows on amd64, what depends on the architecture shows with the ends."""
    given = script.directive("go", "1.26")
    between = goarch == "arm64" and version not in (given[0], given[-1])
    return script.slow or between or not {version, goarch, f"{version}-{goarch}"}.isdisjoint(script.left_to_long)


def paths() -> list[Path]:
    return sorted(path for pattern in SCRIPTS for path in ROOT.glob(pattern))


def cases() -> Iterator[tuple[Script, str, str]]:
    """(script, Go version, GOARCH) of every case."""
    for path in paths():
        script = parse(path)
        for version in script.directive("go", "1.26"):
            for goarch in script.directive("arch", "amd64"):
                yield script, version, goarch


@dataclass(slots=True)
class Run:
    """The state of one case."""

    folder: Path
    goarch: str
    env: dict[str, str]
    collector: Collector
    ignored: list[signal.Signals] = field(default_factory=list)
    background: subprocess.Popen[str] | None = None
    listener: socket.socket | None = None
    accepted: socket.socket | None = None
    last: subprocess.CompletedProcess[str] = field(default_factory=lambda: subprocess.CompletedProcess([], 0, "", ""))

    def command(self, words: list[str], *, negate: bool) -> None:
        self.last = subprocess.run(words, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=HANGS, check=False)
        if (self.last.returncode != 0) != negate:
            expected = "to fail" if negate else "to succeed"
            raise ScriptFailure(f"expected {words} {expected}, status {self.last.returncode}\n{self.last.stdout}\n{self.last.stderr}")

    def exec(self, words: list[str], *, negate: bool) -> None:
        self.command(words, negate=negate)

    def run(self, words: list[str], *, negate: bool) -> None:
        self.command([QEMU, *words] if self.goarch == "arm64" else words, negate=negate)

    def ignore(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        self.ignored += [signal.Signals[f"SIG{word}"] for word in words]

    def start(self, words: list[str], *, negate: bool) -> None:
        assert not negate

        def ignore() -> None:
            for number in self.ignored:
                signal.signal(number, signal.SIG_IGN)

        prefix = [QEMU] if self.goarch == "arm64" else []
        with (self.folder / "stderr").open("w") as errors:
            self.background = subprocess.Popen(
                [*prefix, *words], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=ignore
            )

    def _running(self) -> subprocess.Popen[str]:
        if self.background is None:
            raise ScriptFailure("no program was started")
        return self.background

    def awaits(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        output = self._running().stdout
        assert output is not None
        if not any(re.search(" ".join(words), line) for line in output):
            raise ScriptFailure(f"{' '.join(words)!r} was never written\n{(self.folder / 'stderr').read_text()}")

    def kill(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        self._running().send_signal(signal.Signals[f"SIG{words[0]}"])

    def wait(self, words: list[str], *, negate: bool) -> None:
        assert not negate and not words
        program = self._running()
        output, _ = program.communicate(timeout=HANGS)
        self.last = subprocess.CompletedProcess(program.args, program.returncode, output, (self.folder / "stderr").read_text())
        self.background = None

    def stdout(self, words: list[str], *, negate: bool) -> None:
        self._match(self.last.stdout, words, negate=negate)

    def stderr(self, words: list[str], *, negate: bool) -> None:
        self._match(self.last.stderr, words, negate=negate)

    def _match(self, text: str, words: list[str], *, negate: bool) -> None:
        found = re.search(" ".join(words), text, flags=re.MULTILINE) is not None
        if found == negate:
            raise ScriptFailure(f"{' '.join(words)!r} {'found' if found else 'not found'} in:\n{text}")

    def status(self, words: list[str], *, negate: bool) -> None:
        wanted = -signal.Signals[f"SIG{words[0][1:]}"] if words[0].startswith("-") else int(words[0])
        self._hold((self.last.returncode == wanted) != negate, f"exit status is {self.last.returncode}\n{self.last.stderr}")

    def exists(self, words: list[str], *, negate: bool) -> None:
        self._hold((self.folder / words[0]).exists() != negate, f"{words[0]} exists: {not negate} expected")

    def cmp(self, words: list[str], *, negate: bool) -> None:
        left, right = ((self.folder / word).read_bytes() for word in words)
        self._hold((left == right) != negate, f"{words}: equal={left == right}")

    def append(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        with (self.folder / words[0]).open("a") as file:
            file.write(" ".join(words[1:]) + "\n")

    def rm(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        (self.folder / words[0]).unlink()

    def forget(self, words: list[str], *, negate: bool) -> None:
        assert not negate and not words
        self.collector.clear()

    def receives(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        self.collector.wait_for(int(words[0]), timeout=HANGS)

    def spans(self, words: list[str], *, negate: bool) -> None:
        found = self.collector.spans()
        names = "\n".join(f"{span.name} {span.kind}" for span in found)
        self._hold((len(found) == int(words[0])) != negate, f"{len(found)} spans:\n{names}")

    def span(self, words: list[str], *, negate: bool) -> None:
        name, *wanted = words
        problems = [script_checks.span_problem(self.collector, span, wanted) for span in self.collector.spans() if span.name == name]
        holds = any(problem is None for problem in problems)
        self._hold(holds != negate, f"span {name} {wanted}: {problems or [span.name for span in self.collector.spans()]}")

    def metric(self, words: list[str], *, negate: bool) -> None:
        names = {metric.name for metric in self.collector.metrics()}
        self._hold((words[0] in names) != negate, f"metrics: {sorted(names)}")

    def logs(self, words: list[str], *, negate: bool) -> None:
        found = self.collector.logs()
        bodies = "\n".join(f"{record.severity} {record.body}" for record in found)
        self._hold((len(found) == int(words[0])) != negate, f"{len(found)} log records:\n{bodies}")

    def log(self, words: list[str], *, negate: bool) -> None:
        body, *wanted = words
        found = self.collector.logs()
        problems = [script_checks.log_problem(self.collector, record, wanted) for record in found if record.body == body]
        holds = any(problem is None for problem in problems)
        self._hold(holds != negate, f"log record {body!r} {wanted}: {problems or [record.body for record in found]}")

    def py(self, words: list[str], *, negate: bool) -> None:
        assert not negate
        check: Callable[..., None] = getattr(script_checks, words[0])
        check(self, *words[1:])

    def _hold(self, holds: bool, text: str) -> None:
        if not holds:
            raise ScriptFailure(text)


def play(script: Script, version: str, goarch: str, folder: Path, checkout: Path = ROOT) -> None:
    """Runs one case in `folder` with the otelobj of a checkout; raises ScriptFailure with file and line."""
    for name, text in script.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    root = goroot(version)
    with Collector() as collector:
        env = {key: value for key, value in os.environ.items() if key == "OTELOBJ_CACHE_DIR" or not key.startswith(("OTEL", "GO"))}
        env |= {
            "PATH": f"{checkout / 'bin'}:{root}/bin:{env['PATH']}",
            "GOARCH": goarch,
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-buildvcs=false",
            "QEMU_LD_PREFIX": ARM64_ROOT,
            **({"CC": ARM64_CC} if goarch == "arm64" else {}),
            "CGO_ENABLED": "0",
            "WORK": str(folder),
            "GOROOT_": str(root),
            "HOOKS": str(checkout / "hooks"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        } | GENEROUS
        run = Run(folder, goarch, env, collector)
        try:
            for number, line in script.lines:
                try:
                    play_line(run, line)
                except (ScriptFailure, OSError, subprocess.TimeoutExpired) as error:
                    raise ScriptFailure(f"{script.path.name}:{number}: {line.strip()}\n{error}") from error
        finally:
            for opened in (run.accepted, run.listener):
                if opened is not None:
                    opened.close()
            if run.background is not None:
                run.background.kill()
                run.background.communicate()


def play_line(run: Run, line: str) -> None:
    if line.startswith("#"):
        return
    words = shlex.split(string.Template(line).safe_substitute(run.env), comments=False)
    negate = words[0] == "!"
    verb, *rest = words[1:] if negate else words
    if verb == "env":
        key, _, value = rest[0].partition("=")
        run.env[key] = value
        return
    getattr(run, {"await": "awaits"}.get(verb, verb))(rest, negate=negate)
