"""What the runtime, profilers and symbol tools show of a hooked program, against the same program built plain.

Judges: the program's own output, go tool pprof, trace, nm and objdump, go version -m, pyelftools.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from needs import emulator, need
import toolchains
from elftools.elf.elffile import ELFFile
from fidelity_case import CALL, CASES, HOOKED, LINE, OURS, SOURCE, Pair, built, every_case, native_cases, output, tool

# tracebacks


def normal(text: str) -> str:
    """Without addresses, argument words that the traceback itself calls unreliable, and distances in code."""
    text = re.sub(r"0x[0-9a-f]+\??", "0x", text)
    return re.sub(r" \+0x| (sp|fp|pc)=0x| gp=0x| m=\d+| mp=0x", "", text)


@every_case
def test_callers_and_functions(version: str, goarch: str) -> None:
    pair = built(version, goarch)
    plain, hooked = pair.run(pair.plain, "where"), pair.run(pair.hooked, "where")
    assert plain.returncode == hooked.returncode == 0, hooked.stderr
    assert normal(hooked.stdout) == normal(plain.stdout)
    assert len(plain.stdout.splitlines()) > 150
    assert hooked.stderr == ""


@every_case
def test_traceback_of_a_crash(version: str, goarch: str) -> None:
    pair = built(version, goarch)
    plain, hooked = pair.run(pair.plain, "crash"), pair.run(pair.hooked, "crash")
    assert plain.returncode == hooked.returncode == 2
    assert "main.crash(" in plain.stderr
    assert normal(hooked.stderr) == normal(plain.stderr)


@every_case
def test_callers_of_a_hook(version: str, goarch: str) -> None:
    """Before and behind the body, the stub's frame is shown as the function; the exit stub has a symbol name of its own."""
    pair = built(version, goarch)
    prefix = emulator(goarch)
    done = subprocess.run([*prefix, str(pair.hooked), "stop"], env=os.environ | {"FIDELITY_SHOW": "1"}, capture_output=True, text=True, check=True)
    for when in ("before", "after"):
        lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith(f"{when} ")]
        stack = [(function, int(number)) for function, number, _ in lines if not function.startswith(OURS)]
        assert stack[:2] == [("main.stopHere", LINE), ("main.main", CALL)], lines
        assert {function for function, _ in stack} == {"main.stopHere", "main.main", "runtime.main", "runtime.goexit"}
        assert all(function == named for function, _, named in lines if function.startswith("main."))


# profiles and traces


def samples(profile: Path) -> list[tuple[int, tuple[str, ...]]]:
    """(count, stack as `function line`, innermost first) of every sample; frames of hooks are left out."""
    lines = output(tool("pprof"), "-raw", str(profile)).splitlines()
    start, middle, end = (lines.index(word) for word in ("Samples:", "Locations", "Mappings"))
    locations: dict[str, list[str]] = {}
    for line in lines[middle + 1 : end]:
        head = re.match(r"\s*(\d+): 0x[0-9a-f]+ (?:M=\d+ )?(.*)", line)
        frames = locations.setdefault(head[1], []) if head else locations[next(reversed(locations))]
        frame = re.fullmatch(r"(.*) \S+:(\d+):\d+ s=(\d+)", (head[2] if head else line).strip())
        assert frame, line
        frames.append(f"{frame[1]} {frame[2]} {frame[3]}")
    found = []
    for line in lines[start + 2 : middle]:
        values = re.match(r"\s*(\d+)\s+\d+(?:\s+\d+)*: ([\d ]+)", line)
        if values:
            stack = [frame for number in values[2].split() for frame in locations[number]]
            found.append((int(values[1]), tuple(frame for frame in stack if not frame.startswith(OURS))))
    return found


def user_stacks(profile: Path, function: str) -> dict[tuple[str, ...], int]:
    """Stacks that begin in `function`, or in what it calls of the library, with the number of events."""
    totals: dict[tuple[str, ...], int] = {}
    for count, stack in samples(profile):
        own = next((frame for frame in stack if frame.startswith("main.")), "")
        if own.startswith(f"{function} "):
            totals[stack] = totals.get(stack, 0) + count
    return totals


def from_user(stack: tuple[str, ...]) -> tuple[str, ...]:
    """From the innermost frame of the program on: which way a lock takes below it, the starving mode or another, depends on time."""
    return stack[next(number for number, frame in enumerate(stack) if frame.startswith("main.")) :]


def of_mutex(stack: tuple[str, ...]) -> bool:
    """Whether the event is one of a sync.Mutex; the runtime's own locks, below it or in what a hook allocates, are contended now and then."""
    return stack[0].startswith(("sync.", "internal/sync."))


@native_cases
def test_profiles(version: str, tmp_path: Path) -> None:
    pair = built(version, "amd64")
    made = {}
    for name, program in (("plain", pair.plain), ("hooked", pair.hooked)):
        made[name] = tmp_path / name
        made[name].mkdir()
        assert pair.run(program, "profile", str(made[name])).returncode == 0

    def both(profile: str, function: str) -> list[dict[tuple[str, ...], int]]:
        return [user_stacks(made[name] / profile, function) for name in ("plain", "hooked")]

    plain, hooked = both("allocs", "main.allocate")
    assert plain == hooked and sum(plain.values()) >= 100
    for profile in ("mutex", "block"):
        plain, hooked = both(profile, "main.(*shared).contend")
        own = [{from_user(stack) for stack in stacks if of_mutex(stack)} for stacks in (plain, hooked)]
        assert own[0] == own[1] and own[0]
    plain, hooked = both("cpu", "main.burn")
    callers = {tuple(frame for frame in stack if frame.startswith(("main.", "runtime.main "))) for stack in plain}
    lines = {stack[0] for stack in callers}
    for stack in hooked:
        own = tuple(frame for frame in stack if frame.startswith(("main.", "runtime.main ")))
        assert own[1:] in {other[1:] for other in callers}, stack
        assert own[0] in lines or own[0].split()[0] == "main.burn", stack
    assert sum(hooked.values()) > 5, hooked
    assert not any("otelobj" in frame for stack in hooked for frame in stack)


def trace_stacks(program: Path, pair: Pair, file: Path) -> list[list[str]]:
    """The stacks, as `function line`, of the events that the program itself writes."""
    assert pair.run(program, "trace", str(file)).returncode == 0
    root = toolchains.goroot(pair.version)
    prepared = root / "pkg/tool/linux_amd64/trace"
    command = [str(prepared)] if prepared.exists() else [str(root / "bin/go"), "tool", "trace"]
    done = subprocess.run([*command, "-d=parsed", str(file)], env=toolchains.go_env(pair.version), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    stacks: list[list[str]] = []
    for block in re.split(r"\n(?=M=)", done.stdout):
        if re.search(r"\b(Log|RegionBegin|RegionEnd) ", block.splitlines()[0]):
            stacks.append(re.findall(r"^\t(\S+) @.*\n\t\t.*:(\d+)$", block, flags=re.MULTILINE))
    return [[f"{function} {line}" for function, line in stack] for stack in stacks]


@pytest.mark.parametrize("version", [toolchains.telemetry(), pytest.param("1.26", marks=pytest.mark.long), pytest.param(toolchains.newest(), marks=pytest.mark.long)])
def test_execution_trace(version: str, tmp_path: Path) -> None:
    pair = built(version, "amd64")
    plain, hooked = (trace_stacks(program, pair, tmp_path / program.name) for program in (pair.plain, pair.hooked))
    assert len(plain) >= 15 and any("main.logEvents" in frame for frame in plain[0])
    assert hooked == plain


# symbol tables and DWARF

MODES = {
    "exe": ((), "0"),
    "pie": (("-buildmode=pie",), "0"),
    "external": (("-ldflags=-linkmode=external",), "1"),
}


@dataclass(frozen=True)
class Text:
    """A function of the ELF symbol table."""

    name: str
    start: int
    end: int


def texts(program: Path) -> list[Text]:
    with program.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        found = [Text(s.name, s["st_value"], s["st_value"] + s["st_size"]) for s in symbols if s["st_info"]["type"] == "STT_FUNC" and s["st_size"]]
    return sorted(found, key=lambda text: text.start)


def modes() -> list[object]:
    cases = [pytest.param(version, goarch, "exe", id=f"{version}-{goarch}") for version, goarch in CASES]
    return [*cases, *(pytest.param("1.26", "amd64", mode, id=f"1.26-{mode}") for mode in ("pie", "external"))]


def program_pair(version: str, goarch: str, mode: str) -> Pair:
    flags, cgo = MODES[mode]
    if mode == "external":
        need("gcc")
    return built(version, goarch, *flags, cgo=cgo)


@pytest.mark.parametrize(("version", "goarch", "mode"), modes())
def test_symbol_table(version: str, goarch: str, mode: str) -> None:
    """What perf, uprobes and gdb read: every address of a hooked function belongs to a symbol of its name, and to no other."""
    pair = program_pair(version, goarch, mode)
    plain, hooked = texts(pair.plain), texts(pair.hooked)
    assert all(one.end <= two.start for one, two in zip(hooked, hooked[1:], strict=False))
    sizes: dict[str, set[int]] = {}
    for text in plain:
        sizes.setdefault(text.name, set()).add(text.end - text.start)
    for name in HOOKED:
        own = [text for text in hooked if text.name == name]
        bodies = [text for text in own if text.end - text.start in sizes[name]]
        assert len(own) == 2 and bodies, (name, own)
    mine = {text.name for text in plain if text.name.startswith("main.")}
    assert {text.name for text in hooked if text.name.startswith("main.")} == mine


@every_case
def test_nm_and_objdump(version: str, goarch: str) -> None:
    pair = built(version, goarch)
    for name in ("main.burn", r"main.\(\*shared\).contend"):
        lines = []
        for program in (pair.plain, pair.hooked):
            text = output(tool("objdump"), "-s", f"^{name}$", str(program))
            lines.append({line.split()[0] for line in text.splitlines() if line.startswith("  main.go:")})
        assert lines[0] == lines[1] and len(lines[0]) > 3
    names = [{line.split()[-1] for line in output(tool("nm"), str(program)).splitlines() if " main." in line} for program in (pair.plain, pair.hooked)]
    assert names[0] == names[1] and len(names[0]) > 20


def test_version_information() -> None:
    pair = built("1.26", "amd64")
    go = str(toolchains.goroot("1.26") / "bin/go")
    plain, hooked = (output(go, "version", "-m", str(program)).splitlines()[1:] for program in (pair.plain, pair.hooked))
    added = [line.split() for line in hooked if line not in plain]
    assert set(plain) <= set(hooked)
    assert sorted(words[0] for words in added) == ["build", "build", "build", "dep"]
    assert {words[1].partition("=")[0] for words in added if words[0] == "build"} == {"otelobj.rules", "otelobj.instrumentations", "otelobj.built-in"}
    assert any(words[1].startswith("github.com/otelobj/otelobj/hooks/rt") for words in added)


@dataclass(frozen=True)
class Subprogram:
    name: str
    start: int
    end: int
    trampoline: bool


@dataclass(frozen=True)
class Row:
    """One row of a line table, up to the next row's address."""

    start: int
    end: int
    file: str
    line: int
    statement: bool


def debug_info(program: Path, package: str) -> tuple[list[Subprogram], list[Row]]:
    """Functions and line table of one package."""
    with program.open("rb") as file:
        info = ELFFile(file).get_dwarf_info()
        unit = next(unit for unit in info.iter_CUs() if unit.get_top_DIE().attributes["DW_AT_name"].value == package.encode())
        found = []
        names = {die.offset: die.attributes["DW_AT_name"].value for die in unit.get_top_DIE().iter_children() if "DW_AT_name" in die.attributes}
        for die in unit.get_top_DIE().iter_children():
            if die.tag != "DW_TAG_subprogram" or "DW_AT_low_pc" not in die.attributes:
                continue
            at = die.attributes
            name = at["DW_AT_name"].value if "DW_AT_name" in at else names.get(at["DW_AT_abstract_origin"].value, b"?")
            start, end = at["DW_AT_low_pc"].value, at["DW_AT_high_pc"].value
            end = end if at["DW_AT_high_pc"].form == "DW_FORM_addr" else start + end
            found.append(Subprogram(name.decode(), start, end, "DW_AT_trampoline" in at))
        program_ = info.line_program_for_CU(unit)
        files = program_.header["file_entry"]
        first = 0 if program_.header["version"] >= 5 else 1
        rows, last = [], None
        for entry in program_.get_entries():
            state = entry.state
            if state is None:
                continue
            if last is not None and state.address > last.address:
                rows.append(Row(last.address, state.address, files[last.file - first].name.decode(), last.line, last.is_stmt))
            last = None if state.end_sequence else state
    return found, rows


@pytest.mark.parametrize(("version", "goarch", "mode"), modes())
def test_debug_information(version: str, goarch: str, mode: str) -> None:
    """Each function and each stub has one subprogram that covers it exactly, and line rows; only the function's own are statements."""
    pair = program_pair(version, goarch, mode)
    subprograms, rows = debug_info(pair.hooked, "main")
    ordered = sorted(subprograms, key=lambda one: one.start)
    assert all(one.end <= two.start for one, two in zip(ordered, ordered[1:], strict=False))
    by_start = {one.start: one for one in subprograms}
    unit = [text for text in texts(pair.hooked) if text.name.startswith(("main.", "otelobj.")) and ".runtime." not in text.name]
    assert len(unit) > 40
    for text in unit:
        one = by_start.get(text.start)
        assert one is not None and one.end == text.end, text
        if "otelobj" in one.name:
            covering = [row for row in rows if text.start <= row.start < text.end]
            assert sum(row.end - row.start for row in covering) == text.end - text.start, text
            assert one.trampoline and not any(row.statement for row in covering), text
    for name in HOOKED:
        (body,) = [one for one in subprograms if one.name == name]
        (entry,) = [one for one in subprograms if one.name == f"otelobj/{name}-fm"]
        assert entry.trampoline and not body.trampoline
        lines = {(row.file, row.line) for row in rows if entry.start <= row.start < entry.end}
        first = next(row for row in rows if row.start == body.start)
        assert lines == {(first.file, first.line)}


PACKAGE = """// Command many has as many functions as narrow address slots allow the compiler.
package main

var sink int

//go:noinline
func grow(n int) int {{ return n + len(make([]byte, n%7+1)) }}

{functions}

func main() {{ {calls}; println(sink) }}
"""
FUNCTION = """
//go:noinline
func f{i}(a int) int {{ sink += grow(a); return sink + {i} }}
"""
RULES = """
all:
  target: main
  where: { func: "f*" }
  do: [{ inject_hooks: { before: Before, after: After, path: example.com/many/idle } }]
"""
IDLE = "package idle\n\ntype Context interface{ GetFuncName() string }\n\nfunc Before(c Context, a int) {}\nfunc After(c Context, r int) {}\n"


@pytest.mark.parametrize("version", ["1.26", toolchains.newest()])
def test_stubs_beyond_the_address_table(version: str, tmp_path: Path) -> None:
    """The compiler's references to address slots are as narrow as its functions need; twice as many stubs must not overflow them."""
    count = 60
    functions = "".join(FUNCTION.format(i=i) for i in range(count))
    (tmp_path / "main.go").write_text(PACKAGE.format(functions=functions, calls="; ".join(f"f{i}(1)" for i in range(count))))
    (tmp_path / "go.mod").write_text("module example.com/many\n\ngo 1.22\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "idle").mkdir()
    (tmp_path / "idle/idle.go").write_text(IDLE)
    env = toolchains.go_env(version, OTELOBJ_DISABLE="all")
    command = ["go", "build", f"-toolexec=otelobj --rules {tmp_path / 'rules.yaml'}", "-o", "many", "."]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([str(tmp_path / "many")], capture_output=True, text=True, check=True).stderr.strip().isdigit()
    subprograms, rows = debug_info(tmp_path / "many", "main")
    assert {f"main.f{i}" for i in range(count)} <= {one.name for one in subprograms}
    assert 5 < sum(one.trampoline for one in subprograms) < 2 * count
    stubs = [text for text in texts(tmp_path / "many") if text.name.startswith("otelobj.exit.main.")]
    assert len(stubs) == count
    assert all(any(row.start == text.start for row in rows) for text in stubs)


COUNTED = """
count:
  target: main
  where: { func: "*" }
  do: [{ probe: count }]
"""


@pytest.mark.parametrize("version", [toolchains.telemetry(), toolchains.newest()])
def test_counted_and_hooked(version: str, tmp_path: Path) -> None:
    """A counter in front of an entry stub: three symbols of the function's name, and DWARF that knows each at its own place."""
    rules = tmp_path / "rules.yaml"
    rules.write_text((SOURCE / "rules.yaml").read_text() + COUNTED)
    env = toolchains.go_env(version, OTELOBJ_DISABLE="all")
    command = ["go", "build", f"-toolexec=otelobj --rules {rules}", "-o", str(tmp_path / "counted"), "."]
    done = subprocess.run(command, cwd=SOURCE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subprograms, rows = debug_info(tmp_path / "counted", "main")
    ordered = sorted(subprograms, key=lambda one: one.start)
    assert all(one.end <= two.start for one, two in zip(ordered, ordered[1:], strict=False))
    own = [text for text in texts(tmp_path / "counted") if text.name == "main.stopHere"]
    assert len(own) == 3
    names = [one.name for one in ordered if one.start in {text.start for text in own}]
    assert sorted(names) == ["main.stopHere", "otelobj/main.stopHere-fm", "otelobj/main.stopHere-fm"]
    assert all(any(row.start == text.start and row.line == LINE for row in rows) for text in own)
