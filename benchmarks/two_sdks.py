"""Bytes of a program that links OpenTelemetry's SDK itself: plain, with otelobj's SDK beside it, and without. `python -m benchmarks.two_sdks`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
RELEASE = "v1.41.0"
MODULES = ("", "/exporters/otlp/otlpmetric/otlpmetrichttp", "/exporters/otlp/otlptrace/otlptracehttp", "/sdk", "/sdk/metric")
PROGRAM = """package main

import (
	"context"
	"log"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	metrics, err := otlpmetrichttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithBatcher(spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics))))
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello\\n")) })
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
"""
CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "plain": ({}, []),
    "otelobj": ({"OTELOBJ_SDK": "private"}, ["-toolexec=otelobj"]),
    "OTELOBJ_EXPORTERS=otlp_http": ({"OTELOBJ_SDK": "private", "OTELOBJ_EXPORTERS": "otlp_http"}, ["-toolexec=otelobj"]),
    "OTELOBJ_SDK=program": ({"OTELOBJ_SDK": "program"}, ["-toolexec=otelobj"]),
}
"""What is built -> variables and flags."""


def main() -> None:
    env = os.environ | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "GOFLAGS": "-buildvcs=false"}
    table = Table("build", "MB with symbols", "stripped", title="a net/http server with its own SDK and OTLP/HTTP exporters")
    with tempfile.TemporaryDirectory() as folder:
        requires = "".join(f"require go.opentelemetry.io/otel{below} {RELEASE}\n" for below in MODULES)
        Path(folder, "go.mod").write_text(f"module example.com/two\n\ngo 1.24.0\n\n{requires}")
        Path(folder, "main.go").write_text(PROGRAM)
        subprocess.run(["go", "mod", "tidy"], cwd=folder, env=env, check=True, capture_output=True)
        for name, (variables, flags) in CASES.items():
            sizes = []
            for more in ([], ["-ldflags=-s -w"]):
                subprocess.run(["go", "build", *flags, *more, "-o", "out", "."], cwd=folder, env=env | variables, check=True)
                sizes.append(f"{Path(folder, 'out').stat().st_size / 1e6:.1f}")
            table.add_row(name, *sizes)
    Console().print(table)


if __name__ == "__main__":
    main()
