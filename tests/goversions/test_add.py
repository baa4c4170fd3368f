"""The folder of a Go version is derived from its sources. If something cannot be derived, the command names it and writes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import toolchains
from places import ROOT
from objinst import goversions
from objinst.errors import ObjectError, OtelobjError
from objinst.goversions import __main__ as command
from objinst.goversions import needs
from objinst.goversions.derive import derive
from objinst.goversions.source import Goroot, evaluate, signature
from objinst.platform.target import platforms
from objinst.rewrite import death, rtpkg, runtimepkg
from objinst.types.model import Kind

NEWEST = toolchains.newest()


def copied(place: str, to: Path) -> Path:
    """Copies what the generator reads of the newest GOROOT to `to`. Returns the path of the file `place` in the copy."""
    goroot = toolchains.goroot(NEWEST)
    for folder in ("cmd/internal/goobj", "cmd/internal/objabi", "cmd/internal/dwarf", "internal/abi", "internal/syslist", "runtime", "cmd/link/internal/ld"):
        (to / "src" / folder).mkdir(parents=True)
        for path in (goroot / "src" / folder).glob("*.go"):
            shutil.copy(path, to / "src" / folder)
    shutil.copy(goroot / "VERSION", to)
    return to / "src" / place


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folders of all versions, to which the command writes."""
    place = tmp_path / "goversions"
    shutil.copytree(goversions.HERE, place)
    monkeypatch.setattr(command, "HERE", place)
    monkeypatch.setattr(goversions, "HERE", place)
    goversions._load.cache_clear()
    yield place
    goversions._load.cache_clear()


@pytest.mark.parametrize("version", toolchains.versions())
def test_folders_are_those_of_the_sources(version: str) -> None:
    assert command.main(["check", str(toolchains.goroot(version))]) == 0


@pytest.mark.parametrize("version", toolchains.versions())
def test_no_file_that_is_compiled_is_foreign(version: str) -> None:
    """Files that the generator ignores are not among those that the go command compiles for a supported platform."""
    go, packages = Goroot(toolchains.goroot(version)), ("runtime", "os", "syscall")
    compiled: set[str] = set()
    every = {path.name for package in packages for path in (go.root / "src" / package).glob("*.go")}
    for platform in platforms():
        goos, goarch = platform.split("/")
        compiled |= set(toolchains.go(version, ".", "list", "-f", '{{join .GoFiles "\\n"}}', *packages, goarch=goarch, GOOS=goos).split())
    foreign = {name for name in every if go.foreign.search(name)}
    assert not compiled & foreign
    assert foreign >= {"os_windows.go", "signal_windows_amd64.go", "os_wasm.go", "os_nonunix.go", "defs_linux_386.go", "proc_test.go"} & every


def test_every_supported_version_is_tested() -> None:
    assert goversions.supported() == toolchains.versions()


def test_a_version_that_is_added_is_known_as_before(folders: Path) -> None:
    before = {path.name: path.read_bytes() for path in (folders / NEWEST).iterdir()}
    shutil.rmtree(folders / NEWEST)
    assert NEWEST not in goversions.supported()
    with pytest.raises(ObjectError, match=rf"(?s)'go{NEWEST}.3' is not known.*python -m objinst.goversions add GOROOT"):
        goversions.for_version(f"go{NEWEST}.3")
    assert command.main(["check", str(toolchains.goroot(NEWEST))]) == 1
    assert command.main(["add", str(toolchains.goroot(NEWEST))]) == 0
    assert {path.name: path.read_bytes() for path in (folders / NEWEST).iterdir()} == before
    assert goversions.for_version(f"go{NEWEST}.3").go == NEWEST


def test_numbers_may_move(folders: Path, tmp_path: Path) -> None:
    """A version that does not exist yet can be added if only numbers differ."""
    kinds = copied("cmd/internal/objabi/symkind.go", tmp_path / "go")
    kinds.write_text(kinds.read_text().replace("\tSRODATA\n", "\tSNEW\n\tSRODATA\n"))
    (tmp_path / "go/VERSION").write_text("go1.99rc1\n")
    assert command.main(["add", str(tmp_path / "go")]) == 0
    made, known = goversions.for_version("go1.99rc1"), goversions.for_version(f"go{NEWEST}.3")
    assert made.kinds["SRODATA"] == known.kinds["SRODATA"] + 1 and made.relocs == known.relocs
    assert goversions.newest() == "1.99"


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        ("cmd/internal/objabi/symkind.go", ("SNOPTRDATA", "SOTHER"), "src/cmd/internal/objabi/symkind.go: the constant SNOPTRDATA"),
        ("cmd/internal/goobj/objfile.go", ("\\x00go120ld", "\\x00go128ld"), "src/cmd/internal/goobj/objfile.go: `const Magic"),
        ("cmd/internal/goobj/objfile.go", ("\tBlkRefName\n", "\tBlkRefName\n\tBlkNew\n"), "src/cmd/internal/goobj/objfile.go: the blocks of an object file"),
        ("cmd/internal/goobj/objfile.go", ("RelocSize = 4 +", "RelocSize = 8 +"), "const RelocSize"),
        ("cmd/internal/goobj/funcinfo.go", ("\tLocals ", "\tOther "), "src/cmd/internal/goobj/funcinfo.go: the layout of `type FuncInfo`"),
        ("cmd/internal/dwarf/dwarf.go", ("DW_FORM_udata_pseudo", "DW_FORM_odd_pseudo"), "src/cmd/internal/dwarf/dwarf.go: what the pseudo forms"),
        ("cmd/internal/dwarf/dwarf.go", ("\tDW_ABRV_FUNCTION\n", "\tDW_ABRV_FUNCTION\n\tDW_ABRV_NEW\n"), "DW_ABRV constants for"),
        ("internal/abi/type.go", ("\tGCData ", "\tNew uintptr\n\tGCData "), "src/internal/abi/type.go: the layout of `type Type`"),
        ("internal/abi/type.go", ("TFlagGCMaskOnDemand TFlag", "TFlagNew TFlag"), "src/internal/abi/type.go: which flag says that GCData is no mask"),
        ("internal/abi/map.go", ("\tKey ", "\tNew uintptr\n\tKey "), "src/internal/abi/map.go: the layout of `type MapType`"),
        ("runtime/runtime2.go", ("\tthrowsplit ", "\tsplitthrows "), "src/runtime/runtime2.go: the layout of `type g`"),
        ("runtime/panic.go", ("func gopanic(", "func newpanic("), "src/runtime: the function runtime.gopanic"),
        ("runtime/select.go", ("nsends, nrecvs int", "nsends, nrecvs uint"), "src/runtime: runtime.selectgo(*scase, *uint16, *uintptr, uint, uint, bool)"),
        ("runtime/mfinal.go", ("func runFinalizers(", "func runAll("), "src/runtime: who runs finalizers"),
        ("runtime/coro.go", ("coroexit(", "cororeturn("), "src/runtime/coro.go: where a coroutine ends"),
        ("runtime/traceback.go", ("(string, string, string, string, string)", "[]string"), "what funcNamePiecesForPrint prints"),
        ("runtime/symtab.go", ("\tftab ", "\tnew uintptr\n\tftab "), "src/runtime/symtab.go: the layout of `type moduledata`"),
        ("runtime/coro.go", None, "src/runtime/coro.go: the file"),
    ],
)
def test_what_is_not_derived_is_named_and_nothing_is_written(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, change: tuple[str, str] | None, said: str
) -> None:
    path = copied(place, tmp_path / "go")
    before = path.read_text()
    if change is None:
        path.unlink()
    else:
        path.write_text(before.replace(*change))
        assert path.read_text() != before
    shutil.rmtree(folders / NEWEST)
    assert command.main(["add", str(tmp_path / "go")]) == 1
    assert said in capsys.readouterr().err
    assert not (folders / NEWEST).exists()


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    kinds = copied("cmd/internal/objabi/symkind.go", tmp_path / "go")
    kinds.write_text(kinds.read_text().replace("SNOPTRDATA", "SOTHER"))
    (tmp_path / "go/src/internal/abi/map.go").unlink()
    with pytest.raises(OtelobjError, match=r"(?s)SNOPTRDATA.*type of maps"):
        derive(tmp_path / "go")


@pytest.mark.parametrize("root", ["nowhere", "."])
def test_no_goroot(tmp_path: Path, root: str) -> None:
    (tmp_path / "VERSION").write_text("devel go1.99-abc\n")
    with pytest.raises(OtelobjError, match="VERSION"):
        derive(tmp_path / root)


def test_expressions_have_the_precedence_of_go() -> None:
    assert evaluate("1<<31 - 1", {}) == (1 << 31) - 1
    assert evaluate("(1<<31 - 1) - iota", {"iota": 2}) == (1 << 31) - 3
    assert evaluate("FuncFlag(iota) + 2 * 3 | 8", {"iota": 1}) == 15
    assert evaluate("-1", {}) == -1 and evaluate("0xF0", {}) == 240 and evaluate("len(x)", {}) is None and evaluate("1 +", {}) is None


def test_signatures_are_types_alone() -> None:
    assert signature("(c *hchan, elem unsafe.Pointer) (selected, received bool)") == "(*hchan, unsafe.Pointer) (bool, bool)"
    assert signature("(dst, src unsafe.Pointer, f func(int, string) bool)") == "(unsafe.Pointer, unsafe.Pointer, func(int, string) bool)"
    assert signature("(ready chan struct{}) (int, *g)") == "(chan struct{}) (int, *g)"


# the generator checks everything that the code relies on


def sources() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "objinst").rglob("*.py"):
        if "goversions" not in path.parts:
            yield path, path.read_text()


def test_every_constant_that_code_asks_for_by_name_is_needed() -> None:
    needed = {name for names in needs.CONSTANTS.values() for name in names}
    known = {name for go in goversions.supported() for table in needs.CONSTANTS for name in getattr(goversions.for_version(f"go{go}"), table)}
    asked: set[str] = set()
    for _, text in sources():
        optional = set(re.findall(r'\.get\("(\w+)"', text))
        asked |= {name for name in re.findall(r'"(\w+)"', text) if name in known} - optional
    slots = {name for name in asked if name.startswith("R_DWTXTADDR_")}  # with DWARF 5 only
    assert asked - slots <= needed, asked - slots - needed


def test_every_function_of_the_runtime_that_is_hooked_or_called_is_needed() -> None:
    watched = [*runtimepkg.GOROUTINES, *runtimepkg.CHANNELS]
    symbols = {*(one.symbol for one in watched), *rtpkg.RUNTIME_FUNCS.values(), death.DIE, death.BAD, "runtime.newproc1"}
    alternatives = {symbol for each in needs.ALTERNATIVES for symbol in each}
    assert symbols == {*needs.FUNCTIONS, *alternatives, needs.CORO_START}


@pytest.mark.parametrize("version", goversions.supported())
def test_every_version_has_a_way_to_hook_each(version: str) -> None:
    table = goversions.for_version(f"go{version}").runtime
    watched = runtimepkg.watched(table, channels=True)
    assert len({one.symbol for one in watched}) == len(watched)
    assert {one.symbol for one in watched} == {one.symbol for one in (*runtimepkg.GOROUTINES, *runtimepkg.CHANNELS)} & table.functions.keys()
    assert set(rtpkg.RUNTIME_FUNCS.values()) <= table.functions.keys()


def test_every_field_of_the_runtime_that_is_read_is_needed() -> None:
    assert {runtimepkg.G_FIELDS, runtimepkg.M_FIELDS} <= set(needs.FIELDS.values())


def test_kinds_are_those_of_the_model() -> None:
    assert {needs.KINDS.index(kind.name.title().replace("_", "")): kind for kind in Kind} == {kind.value: kind for kind in Kind}


def test_nothing_else_compares_versions() -> None:
    """Comments and docstrings may cite versions, code may not."""
    for path, text in sources():
        code = re.sub(r'""".*?"""|#[^\n]*', "", text, flags=re.DOTALL)
        assert not re.search(r'"(?:go)?1\.2\d"|\bminor\b *[<>=]|go_minor', code), path
