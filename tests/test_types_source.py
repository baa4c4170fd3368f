"""Results counted in source text: of every function of the standard library as many as DWARF lists, or why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from objinst.goobj import pctab
from objinst.plan.source import result_count
from objinst.types import Signature, signature
from types_build import Build, func_info
from toolchains import goroot, versions

MODULE = Path(__file__).parent.parent / "testbins" / "abi"
NEWEST = "1.26"
SOURCE = """package p

func none() {
}
func (t *T[K, V]) one(a int, b func(int) (int, error)) error { return nil }
func generic[A any, B interface{ M() (int, string) }](a A) (x, y int, err error) {
func lines(
	a int, // a comment with ) and {
	b struct {
		c string `tag:"){"`
	},
) (
	int, // the first
	func() (int, int),
) {
	f := func(x int) (int, string) { return 0, "" }
	g := func() { f(func() {}) }
	go func() {}()
}
func assembly(x int)

func aggregate() struct{ a, b int } {
func name() map[[2]int]string {
"""


@pytest.mark.parametrize(
    ("line", "count"), [(3, 0), (5, 1), (6, 3), (7, 2), (16, 2), (17, None), (18, 0), (20, 0), (22, 1), (23, 1), (1, None), (0, None), (99, None)]
)
def test_forms(tmp_path: Path, line: int, count: int | None) -> None:
    (tmp_path / "p.go").write_text(SOURCE)
    assert result_count(tmp_path / "p.go", line) == count


def test_no_source(tmp_path: Path) -> None:
    assert result_count(tmp_path / "p.go", 3) is None


@pytest.mark.parametrize("version", [pytest.param(v, marks=[] if v == NEWEST else [pytest.mark.long]) for v in versions()])
def test_as_many_as_debug_information_lists(version: str) -> None:
    built = Build(version, "amd64", MODULE, "net/http")
    compared = incomplete = 0
    for package in ("net/http", "reflect", "fmt", "crypto/tls", "go/build/constraint"):
        obj = built.object(package) if package in built.paths else None
        for index in obj.text_symbols() if obj else ():
            found = signature(obj, index) if obj.sym(index).abi == 1 and obj.sym(index).size else None
            if not isinstance(found, Signature):
                continue
            file = obj.files[pctab.decode(obj.aux_data(index, "AuxPcfile"), 1, obj.sym(index).size)[0][0]].removeprefix("gofile..")
            count = result_count(Path(file.replace("$GOROOT", str(goroot(version)))), func_info(obj, index).start_line)
            if count is not None:
                assert count == len(found.results) or (found.incomplete and count > len(found.results)), obj.sym(index).name
                compared += 1
                incomplete += count != len(found.results)
    assert compared > 2500
    assert incomplete or version < "1.24"
