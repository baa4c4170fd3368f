"""`otelobj demo`: two services without any OpenTelemetry code, their traces and logs, and the cost."""

from __future__ import annotations

import sys

import click

from objinst import paths
from objinst.cli import demo_build, demo_run
from objinst.cli.gotool import find_or_install
from objinst.cli.render import summary, trace_tree
from objinst.cli.terminal import console, count
from objinst.collector import Collector
from objinst.collector.traces import build as build_traces
from objinst.errors import OtelobjError
from objinst.plan.model import Status

WANTED = ("shop", "stock")


@click.command
@click.option("--database", metavar="URL", default="", help="PostgreSQL database of the stock, postgres://USER:PASSWORD@HOST/NAME. Default: SQLite in memory.")
@click.option("--redis", metavar="HOST:PORT", default="", help="Redis server of the stock. Default: one in the process.")
def command(database: str, redis: str) -> int:
    """Build a small service pair with `go build -toolexec=otelobj`, run it, and show its traces and logs.

    A shop (chi, slog) asks its stock by gRPC, which has a database, Redis and slog, and asks the shop for prices over HTTP. One item is far away, one is sold out, at one
    the shop panics. Database and Redis are in the process unless --database and --redis name servers. The first run fetches and compiles everything, which
    takes some minutes.
    """
    screen = console(sys.stdout)
    go = find_or_install()
    print(
        f"building with {go.env['GOVERSION']} for {go.env['GOHOSTOS']}/{go.env['GOHOSTARCH']}: plainly, then with -toolexec=otelobj …",
        file=sys.stderr,
        flush=True,
    )
    backing = [f"-{name}={value}" for name, value in (("database", database), ("redis", redis)) if value]
    with paths.scratch_anywhere("otelobj-demo-") as folder:
        built = demo_build.build(go, folder)
        with Collector() as collector, demo_run.services(built.program, collector.environ(), backing) as running:
            demo_run.buy(running["shop"])
    spans = collector.spans()
    traces = build_traces(spans)
    for trace in traces:
        screen.print(trace_tree(trace, collector.logs()))
    screen.print(summary(len(traces), spans, collector.metrics(), collector.logs()), markup=False)
    hooked = sum(target.status is Status.HOOKED for target in built.report.targets)
    screen.print(f"{count(hooked, 'function')} hooked, {count(len(built.report.packages_linked_in), 'package')} linked in", markup=False)
    screen.print(built.cost.line(), markup=False)
    missing = [name for name in WANTED if not any(span.service == name for span in spans)]
    if missing:
        raise OtelobjError(f"no span came from {' and '.join(missing)}", demo_run.REPORT_ISSUE)
    return 0
