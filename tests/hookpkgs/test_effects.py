"""What the packages of the private zone do to the process as a whole, which a program's own copy of them would do a second time.

docs/contributing/private-sdk.md lists every package for which the patterns below find something, and says why two copies are harmless. A change of
hooks/private/go.mod that brings something new fails here. What the sources do not show by such patterns, a program that imports them all does.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest
from hookmodules import go
from places import HOOKS, ROOT
from toolchains import newest

from objinst import hooktree

PRIVATE = HOOKS / hooktree.PRIVATE
PAGE = ROOT / "docs/contributing/private-sdk.md"
TAGS = "-tags=grpcnotrace"
KINDS = {
    "flags": r"\bflag\.(?:Bool|Int|Int64|Uint|Uint64|String|Float64|Duration|Func|BoolFunc|TextVar|Var|\w+Var|Parse|CommandLine)\b",
    "expvar": r"\bexpvar\.[A-Z]\w*",
    "HTTP": r"\bhttp\.(?:Handle|HandleFunc|DefaultServeMux|DefaultClient|DefaultTransport)\b",
    "signals": r"\bsignal\.(?:Notify|NotifyContext|Ignore|Reset)\b",
    "linkname": r"^//go:(?:linkname|cgo_import_dynamic) \w+ \w",
    "environment": r"\b(?:os|syscall)\.(?:Getenv|LookupEnv|Environ|ExpandEnv)\b",
    "changed environment": r"\bos\.(?:Setenv|Unsetenv|Clearenv|Chdir)\(|\bsyscall\.(?:Umask|Setrlimit)\(",
    "registries": r"\b(?:sql|gob|image|crypto|mime|zip|rpc)\.(?:Register\w*|AddExtensionType)\(|\bpprof\.NewProfile\(",
    "events": r"\btrace\.(?:New|NewEventLog)\(",
    "logging": r"\blog\.Set\w+\(|\bslog\.Set\w+\(",
    "build info": r"\bdebug\.(?:Set\w+|ReadBuildInfo)\(",
    "runtime": r"\bruntime\.(?:SetFinalizer|AddCleanup|GOMAXPROCS|SetBlock\w+|SetMutex\w+|LockOSThread)\(|\bruntime\.MemProfileRate\b",
    "goroutine labels": r"\bpprof\.SetGoroutineLabels\(",
    "variables of std": r"^\t+(?:http|net|os|log|time|rand|tls|user|slog|flag|json|xml|template|debug)\.[A-Z]\w* = ",
    "goroutines": r"^func init\(\) \{\n(?:\t.*\n|\n)*?\tgo\b",
    "Prometheus": r"\bMustRegister\(New",
    "gRPC": r"\b(?:resolver|balancer|encoding)\.Register\w*\(|^\tSetLoggerV2\(",
    "protobuf": r"\bprotoregistry\.Global(?:Files|Types)\b",
}
COMMENTS = re.compile(r"^[ \t]*//(?!go:).*$|/\*[\s\S]*?\*/", re.MULTILINE)
ROW = re.compile(r"^\| (?P<kind>[^|]+) \| (?P<packages>[^|]+) \| [^|]{20,} \|$", re.MULTILINE)
PROGRAM = """package main

import (
	"expvar"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"

	_ "github.com/otelobj/otelobj/hooks/private"
)

func main() {
	said := []string{fmt.Sprint("goroutines ", runtime.NumGoroutine())}
	flag.VisitAll(func(f *flag.Flag) { said = append(said, "flag "+f.Name) })
	expvar.Do(func(v expvar.KeyValue) { said = append(said, "expvar "+v.Key) })
	for _, p := range pprof.Profiles() {
		said = append(said, "profile "+p.Name())
	}
	for _, path := range []string{"/", "/debug/requests", "/debug/events", "/metrics", "/debug/vars", "/debug/pprof/"} {
		req, _ := http.NewRequest("GET", "http://localhost"+path, nil)
		if _, pattern := http.DefaultServeMux.Handler(req); pattern != "" {
			said = append(said, "handler "+path)
		}
	}
	sort.Strings(said)
	for _, line := range said {
		fmt.Fprintln(os.Stdout, line)
	}
}
"""


@functools.cache
def files() -> dict[str, list[Path]]:
    """Import path -> Go files, of all packages of the zone; those for other systems and versions of Go, too."""
    text = go(newest(), PRIVATE, "list", TAGS, "-deps", "-json=ImportPath,Dir,GoFiles,IgnoredGoFiles,Standard", ".", CGO_ENABLED="0")
    decoder, at, found = json.JSONDecoder(), 0, {}
    while at < len(text.rstrip()):
        item, end = decoder.raw_decode(text, at)
        at = end + len(text[end:]) - len(text[end:].lstrip())
        names = [name for name in (*item.get("GoFiles", ()), *item.get("IgnoredGoFiles", ())) if not name.endswith("_test.go")]
        if not item.get("Standard") and "otelobj" not in item["ImportPath"]:
            found[item["ImportPath"]] = [Path(item["Dir"], name) for name in names]
    return found


@functools.cache
def found() -> dict[tuple[str, str], str]:
    """(kind, package) -> one place."""
    patterns = {kind: re.compile(pattern, re.MULTILINE) for kind, pattern in KINDS.items()}
    places = {}
    for package, paths in files().items():
        for path in paths:
            text = COMMENTS.sub(lambda match: "\n" * match[0].count("\n"), path.read_text("utf-8"))
            if re.search(r"^//go:build (?:.*&& *)?ignore\b", text, re.MULTILINE):
                continue
            for kind, pattern in patterns.items():
                match = pattern.search(text)
                if match:
                    line = text.count("\n", 0, match.start()) + 1
                    places[kind, package] = f"{path.name}:{line}: {match[0].strip().splitlines()[0]}"
    return places


def listed() -> set[tuple[str, str]]:
    """(kind, pattern of packages) from the page's table."""
    return {(row["kind"].strip(), name) for row in ROW.finditer(PAGE.read_text()) for name in re.findall(r"`([^`]+)`", row["packages"])}


def covers(pattern: str, package: str) -> bool:
    return package == pattern or pattern.endswith("/...") and package.startswith(pattern[:-3])


def test_the_patterns_find_what_is_known_to_be_there() -> None:
    assert len(files()) > 200
    assert {("Prometheus", "github.com/prometheus/client_golang/prometheus"), ("gRPC", "google.golang.org/grpc/balancer/roundrobin"),
            ("environment", "go.opentelemetry.io/otel/sdk/trace"), ("linkname", "golang.org/x/sys/unix")} <= found().keys()  # fmt: skip
    assert "golang.org/x/net/trace" not in files()  # it panics where two copies are linked


def test_everything_found_is_on_the_page() -> None:
    missing = [f"{kind} | {package} ({place})" for (kind, package), place in sorted(found().items())
               if not any(kind == known and covers(pattern, package) for known, pattern in listed())]  # fmt: skip
    assert not missing, "look whether two copies are harmless, and say why in docs/contributing/private-sdk.md:\n" + "\n".join(missing)


def test_nothing_on_the_page_is_gone() -> None:
    stale = [f"{kind} | {pattern}" for kind, pattern in sorted(listed()) if not any(kind == k and covers(pattern, package) for k, package in found())]
    assert not stale and listed()


@pytest.mark.long
def test_importing_it_all_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/all\n\ngo 1.26.0\n")
    (tmp_path / "go.work").write_text(f"go 1.26.0\n\nuse .\nuse {PRIVATE}\n")
    (tmp_path / "main.go").write_text(PROGRAM)
    said = go(newest(), tmp_path, "run", TAGS, ".", GOWORK=str(tmp_path / "go.work")).splitlines()
    (tmp_path / "main.go").write_text(PROGRAM.replace('\t_ "github.com/otelobj/otelobj/hooks/private"\n', ""))
    assert said == go(newest(), tmp_path, "run", TAGS, ".", GOWORK=str(tmp_path / "go.work")).splitlines()
    assert "goroutines 1" in said and "handler /debug/vars" in said
