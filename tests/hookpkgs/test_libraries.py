"""Hooks of a library are compiled against the program's copy of it: with its types, at its version, or they are left out with a line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import scriptrunner
from places import ROOT

from objinst.hookpkgs import libraries, sources

GO = "1.26"
HOOKS = "github.com/otelobj/otelobj/hooks/instrumentation/mug"
BUILD = "exec go build -toolexec=otelobj -o app ."
LINE = (
    "stderr '^otelobj: warning: Mugs is not instrumented: the hooks do not compile with example.com/mug \\(devel\\) of this program \\(.*Size.*\\); "
    "its hooks are made for releases from v1.0.0 to v1.9.0, '"
)
LIBRARY = {
    "README.md": "---\ntitle: Mugs\ndefault: true\nlowest: v1.0.0\nnewest: v1.9.0\n---\nMugs.\n",
    "rules.yaml": f"""mug_fill:
  target: example.com/mug
  where: {{ func: Fill, recv: "*Mug" }}
  do:
    - inject_hooks: {{ before: BeforeFill, after: AfterFill, path: {HOOKS} }}
""",
    "go.mod": f"""module {HOOKS}

go 1.24.0

require (
	example.com/mug v1.0.0
	github.com/otelobj/otelobj/hooks/active v0.0.0
	go.opentelemetry.io/otel v1.41.0
	go.opentelemetry.io/otel/trace v1.41.0
)

require google.golang.org/protobuf v1.30.0 // private, as a helper

replace github.com/otelobj/otelobj/hooks/active => ../../active
""",
    "hooks.go": """package mug

import (
	"context"

	"example.com/mug"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelobj/otelobj/hooks/active"
)

type Call interface {
	SetData(any)
	GetData() any
}

func BeforeFill(call Call, m *mug.Mug, n int) {
	_, span := otel.Tracer("mug").Start(active.Context(context.Background()), "fill", trace.WithAttributes(attribute.Int("size", m.Size())))
	call.SetData(span)
}

func AfterFill(call Call, err error) {
	if _, ok := err.(*mug.TooMuch); ok {
		call.GetData().(trace.Span).SetAttributes(attribute.Bool("too_much", true))
	}
	call.GetData().(trace.Span).End()
}
""",
}
PROGRAM = """-- go.mod --
module example.com/app

go 1.24

require example.com/mug v1.0.0

replace example.com/mug => ./mug
-- main.go --
package main

import (
	"fmt"

	"example.com/mug"
)

func main() {
	m := mug.New(3)
	fmt.Println(m.Fill(2), m.Fill(9))
}
-- mug/go.mod --
module example.com/mug

go 1.24
-- mug/mug.go --
package mug

type Mug struct{ size int }

type TooMuch struct{}

func (*TooMuch) Error() string { return "too much" }

func New(size int) *Mug { return &Mug{size} }

func (m *Mug) Size() int { return m.size }

//go:noinline
func (m *Mug) Fill(n int) error {
	if n > m.size {
		return &TooMuch{}
	}
	return nil
}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for name in ("bin", "hooks", "objinst", "trampolines"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".venv").symlink_to(ROOT / ".venv")
    folder = root / "hooks/instrumentation/mug"
    folder.mkdir()
    for name, text in LIBRARY.items():
        (folder / name).write_text(text)
    return root


def play(folder: Path, root: Path, *lines: str, edit: tuple[str, str] = ("", ""), files: str = "") -> None:
    path = folder / "case.txtar"
    path.write_text("\n".join(lines) + "\n" + PROGRAM.replace(*edit) + files)
    scriptrunner.play(scriptrunner.parse(path), GO, "amd64", folder, root)


RUNS = ("run ./app", "stdout '^<nil> too much$'")


def test_the_programs_types(checkout: Path, tmp_path: Path) -> None:
    """A value of the program's is read through the library's own methods, and an error of its is recognised."""
    spans = ["spans 2", "span fill size=3 too_much=true"]
    again = ["append main.go //again", "forget", BUILD, "! stderr 'warning'", *RUNS, *spans]
    play(tmp_path, checkout, BUILD, "! stderr 'warning'", *RUNS, *spans, *again)


def test_a_version_with_which_they_do_not_compile(checkout: Path, tmp_path: Path) -> None:
    """The second link knows it, and says it, too. With the library as it was the hooks are there again."""
    other = tmp_path / "other"
    other.mkdir()
    play(other, checkout, BUILD, LINE, *RUNS, "append main.go //again", BUILD, LINE, *RUNS, "spans 0", edit=("Size() int", "Volume() int"))
    play(tmp_path, checkout, BUILD, "! stderr 'warning'", *RUNS, "spans 2")


def test_a_rule_of_the_users_own_fails_the_build(checkout: Path, tmp_path: Path) -> None:
    """It asks for hooks that do not compile with the program's release."""
    rule = "-- rules.yaml --\nmine:\n  target: example.com/mug\n  where: { func: Fill, recv: '*Mug' }\n  do:\n"
    rule += "    - inject_hooks: { before: BeforeFill, after: AfterFill, path: github.com/otelobj/otelobj/hooks/instrumentation/mug }\n"
    build = "exec go build '-toolexec=otelobj --rules rules.yaml' -o app ."
    play(tmp_path, checkout, f"! {build}", "stderr 'rule mine names nothing: left-out: its hooks do not fit'", edit=("Size() int", "Volume() int"), files=rule)


def test_a_version_without_the_function(checkout: Path, tmp_path: Path) -> None:
    edit = ("func (m *Mug) Fill(n int) error {", "func (m *Mug) Fill(n int) error { return m.fill(n) }\n\n//go:noinline\nfunc (m *Mug) fill(n int) error {")
    renamed = checkout / "hooks/instrumentation/mug/rules.yaml"
    text = renamed.read_text()
    renamed.write_text(text.replace("func: Fill", "func: Pour"))
    says = "stderr '^otelobj: warning: Mugs .*is not instrumented in full: .*rule mug_fill names nothing: .*Pour.*; its hooks are made for releases from v1.0.0 to v1.9.0'"
    try:
        play(tmp_path, checkout, BUILD, says, *RUNS, "spans 0", "exec otelobj plan .", says, edit=edit)
    finally:
        renamed.write_text(text)


def test_a_program_without_a_package_that_they_need(checkout: Path, tmp_path: Path) -> None:
    hooks = checkout / "hooks/instrumentation/mug/more.go"
    hooks.write_text('package mug\n\nimport _ "example.com/mug/lid"\n')
    try:
        says = "stderr 'Mugs is not instrumented: this program does not link example.com/mug/lid; '"
        play(tmp_path, checkout, BUILD, says, *RUNS, "spans 0")
    finally:
        hooks.unlink()


def test_what_is_the_programs(tmp_path: Path) -> None:
    """Not OpenTelemetry, hook modules, what is marked as ours, and what only others need."""
    folder = tmp_path / "instrumentation/mug"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(LIBRARY["go.mod"] + "require example.com/far v1.0.0 // indirect\n")
    assert sources.program_modules(folder) == ("example.com/mug",)
    assert sources.program_modules(ROOT / "hooks/sdk") == ()
    assert sources.is_in("example.com/mug/lid", ["example.com/mug"]) and not sources.is_in("example.com/mugs", ["example.com/mug"])
    assert libraries.observed(ROOT / "hooks", ["github.com/otelobj/otelobj/hooks/sdk"]) == {}
