"""Programs with modules of many ages, built in each of the ways that the go command has for modules: none is refused for its versions, and a span and a
metric arrive from each.

The program of a cell is put together from a part for each library, which uses it. One axis is the libraries' releases, alone and mixed; the second is
the release of OpenTelemetry's API that the program uses itself, none in most cells.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import toolchains
from objinst.collector import Collector
from objinst.hookpkgs.pins import pins
from scriptrunner import GENEROUS
from toolexec_case import write

GO = "1.26"
GRPC, NET, PROTOBUF, PROMETHEUS, API = (
    "google.golang.org/grpc", "golang.org/x/net", "google.golang.org/protobuf", "github.com/prometheus/client_golang", "go.opentelemetry.io/otel",
)  # fmt: skip
NEWEST = {path: pins().modules[path].version for path in (GRPC, NET, PROTOBUF, PROMETHEUS, API)}
"""What otelobj itself brings."""
RELEASES = {
    GRPC: ("v1.40.0", "v1.56.3"),
    NET: ("v0.0.0-20210226172049-e18ecbb05110", "v0.10.0"),
    PROTOBUF: ("v1.26.0", "v1.28.1"),
    PROMETHEUS: ("v1.11.0", "v1.14.0", "v1.16.0"),
}
"""Older releases, the oldest first."""
API_RELEASES = ("v1.0.1", "v1.14.0", "v1.16.0", "v1.28.0")
WAYS = ("mod", "vendor", "work")

PARTS = {
    GRPC: """
import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func Use() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := grpc.NewServer(grpc.Creds(local.NewCredentials()))
	healthpb.RegisterHealthServer(server, health.NewServer())
	go server.Serve(listener)
	defer server.Stop()
	conn, err := grpc.Dial(listener.Addr().String(), grpc.WithTransportCredentials(local.NewCredentials()))
	check(err)
	defer conn.Close()
	answer, err := healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	check(err)
	return answer.Status.String()
}
""",
    NET: """
import (
	"net/http"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/http2"
)

func Use() string {
	check(http2.ConfigureServer(&http.Server{}, nil))
	page, err := html.Parse(strings.NewReader("<p>hello"))
	check(err)
	return page.FirstChild.Data
}
""",
    PROTOBUF: """
import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

func Use() string {
	value, err := structpb.NewValue([]interface{}{"a", 1.0})
	check(err)
	data, err := proto.Marshal(value)
	check(err)
	var back structpb.Value
	check(proto.Unmarshal(data, &back))
	_, err = protojson.Marshal(&back)
	check(err)
	return back.GetListValue().Values[0].GetStringValue()
}
""",
    PROMETHEUS: """
import (
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func Use() string {
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."})
	prometheus.MustRegister(orders)
	orders.Add(3)
	recorder := httptest.NewRecorder()
	promhttp.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range strings.Split(recorder.Body.String(), "\\n") {
		if strings.HasPrefix(line, "orders_total") {
			return line
		}
	}
	return "none"
}
""",
    API: """
import (
	"context"

	"go.opentelemetry.io/otel"
)

func Use() string {
	_, span := otel.Tracer("mine").Start(context.Background(), "by hand")
	span.End()
	return "ended"
}
""",
}
SAYS = {GRPC: "SERVING", NET: "html", PROTOBUF: "a", PROMETHEUS: "orders_total 3", API: "ended"}
"""What the part of a library returns."""
CHECK = """
func check(err error) {
	if err != nil {
		panic(err)
	}
}
"""
MAIN = """package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

%s)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
%s}
"""


@dataclass(frozen=True)
class Cell:
    """uses: module -> the release that the program requires. way: one of WAYS. in_test: whether it is one of those that are not left to long mode."""

    name: str
    uses: dict[str, str]
    way: str
    in_test: bool = False

    @property
    def id(self) -> str:
        return f"{self.name}-{self.way}"

    def marks(self) -> list[pytest.MarkDecorator]:
        return [] if self.in_test else [pytest.mark.long]


@dataclass
class Program:
    """A cell's program, in a folder. The module of main is in `app`; in a workspace the libraries are used by a second one, in `lib`."""

    cell: Cell
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        names = {module: module.rpartition("/")[2].replace("-", "_") for module in self.cell.uses}
        is_apart = self.cell.way == "work"
        base, place = ("example.com/lib", "lib") if is_apart else ("example.com/app", "app")
        requires = "".join(f"require {module} {version}\n" for module, version in self.cell.uses.items())
        files = {f"{place}/use/{name}/use.go": f"package {name}\n{PARTS[module]}{CHECK}" for module, name in names.items()}
        files["app/main.go"] = MAIN % (
            "".join(f'\t"{base}/use/{name}"\n' for name in names.values()), "".join(f'\tfmt.Println("{module}", {name}.Use())\n' for module, name in names.items()),
        )  # fmt: skip
        files["app/go.mod"] = "module example.com/app\n\ngo 1.24\n\n" + ("" if is_apart else requires)
        if is_apart:
            files |= {"lib/go.mod": f"module example.com/lib\n\ngo 1.24\n\n{requires}", "go.work": "go 1.24\n\nuse (\n\t./app\n\t./lib\n)\n"}
        return files

    def go(self, *args: str, at: str = "app", **more: str) -> str:
        """What a go command says, on both outputs."""
        done = subprocess.run(["go", *args], cwd=self.folder / at, env=toolchains.go_env(GO) | self.env | more, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{self.cell.id}: go {' '.join(args)}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def prepare(self) -> None:
        """Makes what the way needs: sums, a vendor folder."""
        write(self.folder, self.files())
        self.go("mod", "tidy", at="lib" if self.cell.way == "work" else "app", GOFLAGS="-mod=mod", GOWORK="off")
        if self.cell.way == "vendor":
            self.go("mod", "vendor", GOWORK="off")
        self.env = {
            "mod": {"GOFLAGS": "-buildvcs=false -mod=mod", "GOWORK": "off"},
            "vendor": {"GOFLAGS": "-buildvcs=false -mod=vendor", "GOWORK": "off"},
            "work": {"GOFLAGS": "-buildvcs=false", "GOWORK": str(self.folder / "go.work")},
        }[self.cell.way]
        if self.cell.way == "work":
            self.go("list", "-deps", ".")  # the go command itself writes a go.work.sum where modules of the workspace lack sums

    def module_files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.name in ("go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt")}


def alone() -> list[Cell]:
    return [
        Cell(f"{module.rpartition('/')[2]}@{version[:12]}", {module: version}, way)
        for module, older in RELEASES.items()
        for version in (*older, NEWEST[module])
        for way in WAYS
    ]


def mixed() -> list[Cell]:
    """All libraries at their oldest, at their newest, in the middle, and one that is old among new ones. One cell of each kind is not left to long mode."""
    oldest = {module: older[0] for module, older in RELEASES.items()}
    middle = {module: older[1] for module, older in RELEASES.items()} | {PROTOBUF: "v1.30.0"}  # which grpc 1.56 requires
    newest = {module: NEWEST[module] for module in RELEASES}
    old_prometheus = {GRPC: NEWEST[GRPC], PROMETHEUS: "v1.11.0"}
    kinds = {"oldest": (oldest, "vendor"), "middle": (middle, "work"), "newest": (newest, "mod"), "old-prometheus": (old_prometheus, "")}
    return [Cell(name, uses, way, in_test=way == chosen) for name, (uses, chosen) in kinds.items() for way in WAYS]


def with_api() -> list[Cell]:
    """The second axis."""
    oldest = {module: older[0] for module, older in RELEASES.items()}
    return [Cell(f"api@{version}", {**oldest, API: version}, way) for version in (*API_RELEASES, NEWEST[API]) for way in WAYS]


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id, marks=cell.marks()) for cell in (*alone(), *mixed(), *with_api())])
def test_cell(cell: Cell, tmp_path: Path) -> None:
    program = Program(cell, tmp_path)
    program.prepare()
    before = program.module_files()
    program.go("build", "-toolexec=otelobj", "-o", "app", ".")
    assert program.module_files() == before, "a module file of the user's was changed"
    info = program.go("version", "-m", "app")
    for module, version in cell.uses.items():
        assert f"dep\t{module}\t{version}" in info, f"the program links {module} at another version than {version}: the cell shows nothing\n{info}"
    with Collector() as collector:
        exporter = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"} | GENEROUS
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
        done = subprocess.run([tmp_path / "app" / "app"], env=kept | exporter, capture_output=True, text=True, timeout=3600, check=False)
        assert done.returncode == 0, done.stderr
        assert sorted(done.stdout.splitlines()) == sorted(f"{module} {SAYS[module]}" for module in cell.uses)
        spans = {span.kind.lower(): span for span in collector.spans() if "http.request.method" in span.attributes}
        assert spans["server"].name == "GET /" and spans["server"].parent_id == spans["client"].span_id
        assert "http.server.request.duration" in {metric.name for metric in collector.metrics()}
        assert API not in cell.uses or "by hand" in {span.name for span in collector.spans()}


def test_the_axes_are_what_they_say() -> None:
    """Each library has its newest release beside older ones, each way is in every kind of cell, and three cells are not left to long mode."""
    cells = (*alone(), *mixed(), *with_api())
    assert len({cell.id for cell in cells}) == len(cells)
    for module, older in RELEASES.items():
        assert NEWEST[module] not in older and {cell.uses[module] for cell in alone() if module in cell.uses} == {*older, NEWEST[module]}
    assert {cell.way for cell in cells if cell.in_test} == set(WAYS) and sum(cell.in_test for cell in cells) == 3
