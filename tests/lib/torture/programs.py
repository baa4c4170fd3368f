"""The programs of Go's test directory: built as run.go builds them, but always by the go command, run, and compared."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torture.godir import Program
from torture.model import Config, Difference, Form, Mode, Result, Verdict, excerpt
from torture.process import Finished, run
from torture.toolchain import Toolchain, calls_in

SUITE = "go"
AGAIN = 3
BUILD_LIMIT = 900.0
PACKAGE = re.compile(r"^package (\w+)", re.MULTILINE)
RELATIVE = re.compile(r'(import\s+(?:[\w.]+\s+)?|^\s+(?:[\w.]+\s+)?)"\./', re.MULTILINE)
TRACE = re.compile(r"^goroutine \d+ ", re.MULTILINE)
VARYING = re.compile(r"0x[0-9a-f]+|\+0x[0-9a-f]+|goroutine \d+|\d+(?:\.\d+)?(?:ns|µs|ms|s)\b|/tmp/[\w./-]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program did. built: whether it could be built; end and output: of the build, if not. calls: as probes counted them."""

    built: bool
    end: str
    output: str
    calls: int = 0
    seconds: float = 0.0

    @property
    def essence(self) -> tuple[bool, str, str]:
        """Without the addresses of a traceback, which differ from build to build."""
        return self.built, self.end, VARYING.sub("?", self.output) if TRACE.search(self.output) else self.output


class Runner:
    """One program in one configuration. source: Go's test directory."""

    def __init__(self, program: Program, source: Path, config: Config, work: Path, limit: float) -> None:
        self.program, self.source, self.config, self.work, self.limit = program, source, config, work, limit

    def compare(self, modes: Sequence[Mode], *, plainly: bool = True) -> list[Result]:
        """plainly: run the plain program in any case; otherwise only if the hooked one does not do what the directory expects of it."""
        if not self.program.built_for(self.config):
            return [self._result(mode, Verdict.SKIPPED, why="its build constraint does not hold") for mode in modes]
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            place = Path(folder)
            plain = self.outcome(None, place) if plainly else None
            return [self._compare(mode, plain, place) for mode in modes]

    def _compare(self, mode: Mode, plain: Outcome | None, place: Path) -> Result:
        if plain is not None and not plain.built:
            return self._result(mode, Verdict.SKIPPED, why=f"Go {self.config.go} does not build it")
        hooked = self.outcome(mode, place)
        if plain is None:
            if hooked.built and hooked.end == "exit 0" and hooked.output == self.expected():
                return self._result(mode, Verdict.SAME, hooked)
            plain = self.outcome(None, place)
            if not plain.built:
                return self._result(mode, Verdict.SKIPPED, why=f"Go {self.config.go} does not build it")
        if hooked.essence == plain.essence:
            return self._result(mode, Verdict.SAME, hooked)
        if plain.end in {"slow", "hang"}:
            return self._result(mode, Verdict.SLOW, hooked, why="the plain program does not end within the limit either")
        if hooked.end == "slow":
            return self._result(mode, Verdict.SLOW, hooked, why=f"still computing after {self.limit:.0f} s; the plain program takes {plain.seconds:.1f} s")
        plains = {plain.essence, *(self.outcome(None, place).essence for _ in range(AGAIN))}
        if len(plains) > 1:
            ends = {(built, end) for built, end, _ in plains}
            if hooked.essence in plains or (len(ends) == 1 and (hooked.built, hooked.end) in ends):
                return self._result(mode, Verdict.SAME, hooked, why="its output varies")
            again = [self.outcome(mode, place) for _ in range(AGAIN)]
            if any((each.built, each.end) in ends for each in again) or len(ends) > 1:
                return self._result(mode, Verdict.FLAKY, hooked, why="the plain program ends now so, now so")
        difference = Difference("", plain.end, hooked.end if hooked.built else "not built", excerpt(hooked.output), Verdict.DIFFERENT)
        return self._result(mode, Verdict.DIFFERENT, hooked, differences=[difference])

    def _result(self, mode: Mode, verdict: Verdict, outcome: Outcome | None = None, why: str = "", differences: list[Difference] | None = None) -> Result:
        calls, seconds = (outcome.calls, round(outcome.seconds, 2)) if outcome else (0, 0.0)
        return Result(SUITE, self.program.name, self.config.key, mode.value, verdict, 1, calls, seconds, why, differences or [])

    def expected(self) -> str:
        """What the directory says of the output; nothing if it says nothing."""
        path = self.source / self.program.name.replace(".go", ".out")
        return path.read_text() if path.is_file() else ""

    def outcome(self, mode: Mode | None, place: Path) -> Outcome:
        chain = Toolchain(self.config, mode, self.work)
        folder = Path(tempfile.mkdtemp(dir=place, prefix="run-"))  # of one length: programs print it
        try:
            if self.program.kind != "runoutput":
                return self._build_and_run(chain, folder)
            made = self._build_and_run(chain, folder)
            if not made.built or made.end != "exit 0":
                return made
            (folder / "tmp__.go").write_text(made.output)
            second = self._run(chain, folder, self._file_build(chain, [str(folder / "tmp__.go")]), self.source, folder)
            return Outcome(second.built, second.end, second.output, made.calls + second.calls, made.seconds + second.seconds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _build_and_run(self, chain: Toolchain, folder: Path) -> Outcome:
        program = self.program
        if program.kind in {"run", "buildrun", "runoutput"}:
            files = [str(self.source / program.name), *(str(self.source / file) for file in program.files)]
            where = folder if program.kind == "buildrun" else self.source
            return self._run(chain, folder, self._file_build(chain, files), self.source, where)
        module = folder / "src" / Path(program.folder).name
        module.mkdir(parents=True)
        source = self.source / program.folder
        if program.kind == "runindir":
            shutil.copytree(source, module, dirs_exist_ok=True)
            (module / "go.mod").write_text(f"module {module.name}\ngo 1.14\n")
            return self._run(chain, folder, [*self._flags(chain), "."], module, module)
        (module / "go.mod").write_text(f"module test\ngo {self.config.go}\n")
        if program.kind == "buildrundir":
            for path in [*source.glob("*.go"), *source.glob("*.s")]:
                shutil.copy(path, module)
            return self._run(chain, folder, [*self._flags(chain), "."], module, folder)
        main = lay_out(source, module, single=program.single)
        flags = list(program.flags)
        linked: list[str] = []
        if "-ldflags" in flags:
            at = flags.index("-ldflags")
            flags, linked = flags[:at], [f"-ldflags={' '.join(flags[at + 1 :])}"]
        if self.config.form is Form.NOOPT and flags:
            flags += ["-N", "-l"]
        compiled = [f"-gcflags=test/...={' '.join(flags)}"] if flags else []
        return self._run(chain, folder, [*chain.flags, *compiled, *linked, f"./{main}"], module, folder)

    def _file_build(self, chain: Toolchain, files: list[str]) -> list[str]:
        return [*self._flags(chain), *files]

    def _flags(self, chain: Toolchain) -> list[str]:
        """A later -gcflags takes the place of an earlier one, so the program's own get what the configuration asks for."""
        more = " -N -l" if self.config.form is Form.NOOPT else ""
        return [*chain.flags, *(flag + more if flag.startswith("-gcflags=") else flag for flag in self.program.flags)]

    def _run(self, chain: Toolchain, folder: Path, build: list[str], where: Path, cwd: Path) -> Outcome:
        """where: the go command builds; cwd: the program runs."""
        program = self.program
        env = chain.env(cgo=program.race, experiments=program.experiments)
        made = folder / "a.exe"
        built = run([chain.go, "build", "-o", str(made), *build], where, env, BUILD_LIMIT)
        if built.status != 0 or not made.exists():
            return Outcome(False, built.end, built.output, 0, built.seconds)
        if chain.mode is not None:
            env["OTELOBJ_PROBE_OUT"] = str(folder / "calls-%p.json")
        done = run([*chain.runner, str(made), *program.args], cwd, env, self.limit)
        made.unlink()
        return Outcome(True, done.end, _without(done, folder), calls_in(folder), done.seconds)


def _without(done: Finished, folder: Path) -> str:
    """The output without the name of the folder it ran in."""
    return done.output.replace(str(folder), "FOLDER")


def lay_out(source: Path, module: Path, *, single: bool) -> str:
    """Makes folders of the packages that a directory program has in one: files of one package name are a package, or each is one (single).

    A package is imported as `./` and the name of its first file. Returns the folder of the last one, which is the program.
    """
    packages: list[list[Path]] = []
    names: dict[str, list[Path]] = {}
    for path in sorted(source.glob("*.go")):
        match = PACKAGE.search(path.read_text())
        name = match[1] if match else ""
        if single or name not in names:
            names[name] = []
            packages.append(names[name])
        names[name].append(path)
    for files in packages:
        folder = module / files[0].stem
        folder.mkdir()
        for path in files:
            (folder / path.name).write_text(RELATIVE.sub(r'\1"test/', path.read_text()))
    return packages[-1][0].stem if packages else ""
