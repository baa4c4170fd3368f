"""`otelobj verify` on programs that are what they should be, in ways that once looked wrong."""

from __future__ import annotations

import json

import pytest

from objinst import cli
from objinst.linked.check import verify
from objinst.linked.program import Program
from objinst.link.report import Report
from places import LAUNCHER
from toolchains import go, telemetry

SOURCES = {
    "go.mod": "module example.com/v\n\ngo 1.22\n",
    "main.go": """package main

import (
	"os"

	"example.com/v/lib"
)

// outer and inner are written in assembly: nothing refers to the wrapper of inner for Go callers.
func outer(n int) int
func inner(n int) int

//go:noinline
func Both(n int) int { return outer(n) + len(os.Args) }

//go:noinline
func Hooked(n int) int { return n + 1 }

func main() { os.Exit(Both(1) + Hooked(1) + lib.Same(0) - 5) }
""",
    "asm_amd64.s": """#include "textflag.h"

TEXT ·outer(SB), NOSPLIT, $16-16
	MOVQ n+0(FP), AX
	MOVQ AX, 0(SP)
	CALL ·inner(SB)
	MOVQ 8(SP), AX
	MOVQ AX, ret+8(FP)
	RET

TEXT ·inner(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), AX
	INCQ AX
	MOVQ AX, ret+8(FP)
	RET
""",
    "asm_arm64.s": """#include "textflag.h"

TEXT ·outer(SB), NOSPLIT, $24-16
	MOVD n+0(FP), R0
	MOVD R0, 8(RSP)
	CALL ·inner(SB)
	MOVD 16(RSP), R0
	MOVD R0, ret+8(FP)
	RET

TEXT ·inner(SB), NOSPLIT, $0-16
	MOVD n+0(FP), R0
	ADD  $1, R0
	MOVD R0, ret+8(FP)
	RET
""",
    "h/h.go": """// Package h hooks, with a generic function of a package that nobody else imports.
package h

import (
	"example.com/v/h/gen"
	"example.com/v/lib"
)

// C is a context.
type C interface{ GetData() any }

// BeforeHooked uses it.
func BeforeHooked(_ C, n int) { gen.Keep(lib.Same(n)) }
""",
    "lib/lib.go": """// Package lib is the program's.
package lib

// Same is generic, too.
//
//go:noinline
func Same[T any](x T) T { return x }
""",
    "h/gen/gen.go": """// Package gen has copies of its own of what h instantiates.
package gen

var kept []any

// Keep is generic.
//
//go:noinline
func Keep[T any](x T) { kept = append(kept, x) }

func init() { Keep(0) }
""",
    "rules.yaml": """
stress:
  target: main
  where: { func: "*" }
  do: { probe: stress }
modules:
  target: example.com/**
  where: { func: "*" }
  do: { probe: count }
hooked:
  target: main
  where: { func: Hooked }
  do: { inject_hooks: { before: BeforeHooked, path: example.com/v/h } }
""",
}


@pytest.mark.parametrize(("version", "goarch"), [("1.26", "amd64"), (telemetry(), "arm64")])
def test_probes_assembly_and_generics_of_the_hooks(version, goarch, tmp_path, capsys):
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    program, report = tmp_path / "app", tmp_path / "report.json"
    toolexec = f"-toolexec={LAUNCHER} --rules {tmp_path}/rules.yaml"
    go(version, tmp_path, "build", toolexec, "-o", program, ".", goarch=goarch, OTELOBJ_DISABLE="all", OTELOBJ_REPORT=str(report))
    assert cli.main(["verify", "--report", str(report), str(program)]) == 0
    shown = capsys.readouterr().out
    assert "dropped: main.inner: nothing reaches it" in shown
    targets = json.loads(report.read_text())["targets"]
    assert {target["exit"] for target in targets if (target["rule"], target["symbol"]) == ("stress", "main.Both")} == {True}
    assert not [target["symbol"] for target in targets if "gen.Keep" in target["symbol"]]
    verdict = verify(Program(program), Report.from_json(report.read_text(), "report"))
    assert {"main.Both", "main.Hooked", "main.main"} <= set(verdict.hooked)
