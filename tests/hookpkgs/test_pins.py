"""The pinned modules of the private zone: every one has a hash, what the hooks import is among them, and files of ours belong to what is pinned."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hookmodules import go
from places import HOOKS
from toolchains import newest, versions

from objinst import hooktree
from objinst.errors import OtelobjError
from objinst.hookpkgs import pins as reader
from objinst.hookpkgs import sources

PRIVATE = HOOKS / hooktree.PRIVATE
IMPORT = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?"([^"\s]+\.[^"\s/]+/[^"\s]*)"$', re.MULTILINE)
OURS = "github.com/otelobj/otelobj/hooks/"


def imported(folder: Path) -> set[str]:
    """Packages outside the standard library that the compiled files of a hook module import."""
    files = [file for file in folder.rglob("*.go") if not file.name.endswith("_test.go") and hooktree.TESTS.isdisjoint(file.relative_to(folder).parts)]
    return {name for file in files for name in IMPORT.findall(file.read_text()) if not name.startswith(OURS)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PRIVATE, tmp_path / "private"))


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_the_hooks_import_is_listed() -> None:
    pins = reader.pins()
    folders = [HOOKS / folder for folder in hooktree.modules().values()]
    wanted = {name for folder in folders for name in imported(folder) if not sources.is_in(name, sources.program_modules(folder))}
    assert {"go.opentelemetry.io/otel", "go.opentelemetry.io/contrib/exporters/autoexport"} <= wanted
    assert wanted <= {*pins.packages, *pins.hook_packages}


def test_what_is_listed_belongs_to_a_pinned_module() -> None:
    pins = reader.pins()
    for package in (*pins.packages, *pins.hook_packages):
        assert pins.owner(package), package
    assert pins.owner("go.opentelemetry.io/otel/sdk/metric/metricdata") == pins.modules["go.opentelemetry.io/otel/sdk/metric"]
    assert pins.owner("go.opentelemetry.io/oteller") is None


def test_the_module_is_tidy_and_whole() -> None:
    go(newest(), PRIVATE, "mod", "tidy", "-diff")
    for module in reader.pins().modules.values():
        assert re.fullmatch(r"h1:[\w+/]{43}=", module.sum)


@pytest.mark.parametrize("form", ["", "/go.mod"])
def test_a_module_without_a_hash_is_an_error(form: str, copy: Path) -> None:
    grpc = reader.pins().modules["google.golang.org/grpc"]
    sums = (copy / "go.sum").read_text().splitlines(keepends=True)
    (copy / "go.sum").write_text("".join(line for line in sums if not line.startswith(f"{grpc.path} {grpc.version}{form} ")))
    with pytest.raises(OtelobjError, match=rf"no hash of google\.golang\.org/grpc {re.escape(grpc.version)}"):
        reader.read(copy)


def test_directives_that_go_sum_says_nothing_of_are_refused(copy: Path) -> None:
    (copy / "go.mod").write_text((copy / "go.mod").read_text() + "\nreplace google.golang.org/grpc => ../grpc\n")
    with pytest.raises(OtelobjError, match="other than require"):
        reader.read(copy)


def test_replaced_files_are_those_of_the_pinned_versions() -> None:
    """Each edit is applied to what the module cache has."""
    pins = reader.pins()
    for path in {item.module for item in pins.replacements}:
        where = Path(go(newest(), PRIVATE, "list", "-m", "-f", "{{.Dir}}", path).strip())
        for version in versions():
            concerned = [item for item in pins.replacements if item.module == path and item.concerns(int(version.split(".")[1]))]
            found = pins.replaced(path, where, version)
            assert found.keys() == {item.file for item in concerned}
            for item in concerned:
                assert not (where / item.file).exists() or found[item.file] != (where / item.file).read_bytes()


def test_another_version_makes_a_replacement_stale(copy: Path) -> None:
    sdk = reader.pins().modules["go.opentelemetry.io/otel/sdk"]
    for name in ("go.mod", "go.sum"):
        edit(copy / name, f"{sdk.path} {sdk.version}", f"{sdk.path} v1.99.0")
    with pytest.raises(OtelobjError, match=rf"is for go\.opentelemetry\.io/otel/sdk {re.escape(sdk.version)}, go\.mod has v1\.99\.0") as error:
        reader.read(copy)
    assert "replace.yaml" in error.value.remedy


def replacement(**fields: object) -> reader.Replacement:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc"
    given = {"module": "m.example", "version": "v1.0.0", "file": "a.go", "sha256": digest, "below": None, "edits": (("b", "B"),), "place": PRIVATE} | fields
    return reader.Replacement(**given)  # type: ignore[arg-type]


def test_edits_are_applied_to_the_file_that_they_are_for() -> None:
    assert replacement().content(b"abc") == b"aBc"
    assert replacement(edits=(("b", "B"), ("aB", "x"))).content(b"abc") == b"xc"


@pytest.mark.parametrize(("fields", "original", "said"), [
    ({}, b"abd", "has another hash"),
    ({}, None, "is missing in the module"),
    ({"sha256": None, "edits": ()}, b"abc", "is added, and the module has one"),
    ({"edits": (("x", "y"),)}, b"abc", "0 places of an edit"),
    ({"sha256": "3d80042da4d0a31e2ff6dd14d2f03f3bd2b0ced7c04e3f2f2d4de20bd1eaa6e8", "edits": ()}, b"abc", "has another hash"),
])  # fmt: skip
def test_a_replacement_for_another_file_is_an_error(fields: dict[str, object], original: bytes | None, said: str) -> None:
    with pytest.raises(OtelobjError, match=said):
        replacement(**fields).content(original)


def test_whole_files_are_taken_from_beside_the_list(copy: Path) -> None:
    sdk = reader.pins().modules["go.opentelemetry.io/otel/sdk"]
    place = copy / reader.WHOLE / sdk.path / "trace/added.go"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("package trace\n")
    with (copy / reader.REPLACE).open("a") as out:
        out.write(f"\n- module: {sdk.path}\n  version: {sdk.version}\n  file: trace/added.go\n  why: A test.\n")
    where = Path(go(newest(), PRIVATE, "list", "-m", "-f", "{{.Dir}}", sdk.path).strip())
    assert reader.read(copy).replaced(sdk.path, where, newest())["trace/added.go"] == b"package trace\n"


@pytest.mark.parametrize(("text", "said"), [
    ("- module: a\n", "keys module"),
    ("- {module: a, version: v1, file: b, why: c, edits: [{old: x, new: y}]}\n", "no hash says which"),
    ("- [", "replace.yaml"),
    ("7", "replace.yaml"),
])  # fmt: skip
def test_a_damaged_list_is_an_error_that_names_it(text: str, said: str, copy: Path) -> None:
    (copy / reader.REPLACE).write_text(text)
    with pytest.raises(OtelobjError, match=said):
        reader.read(copy)
