"""`otelobj demo`: two services without any OpenTelemetry code, their traces, and the cost."""

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
def command() -> int:
    """Build a small service pair with `go build -toolexec=otelobj`, run it, and show its traces.

    The services, a shop and its stock, call each other over HTTP; one item is slow, one fails, one panics. The first run
    fetches and compiles the hook packages, which takes a minute or two.
    """
    screen = console(sys.stdout)
    go = find_or_install()
    print(
        f"building with {go.env['GOVERSION']} for {go.env['GOHOSTOS']}/{go.env['GOHOSTARCH']}: plainly, then with -toolexec=otelobj …",
        file=sys.stderr,
        flush=True,
    )
    with paths.scratch_anywhere("otelobj-demo-") as folder:
        built = demo_build.build(go, folder)
        with Collector() as collector, demo_run.services(built.program, collector.environ()) as running:
            demo_run.buy(running["shop"])
    spans = collector.spans()
    traces = build_traces(spans)
    for trace in traces:
        screen.print(trace_tree(trace))
    screen.print(summary(len(traces), spans, collector.metrics(), collector.logs()), markup=False)
    hooked = sum(target.status is Status.HOOKED for target in built.report.targets)
    screen.print(f"{count(hooked, 'function')} hooked, {count(len(built.report.packages_linked_in), 'package')} linked in", markup=False)
    screen.print(built.cost.line(), markup=False)
    missing = [name for name in WANTED if not any(span.service == name for span in spans)]
    if missing:
        raise OtelobjError(f"no span came from {' and '.join(missing)}", demo_run.REPORT_ISSUE)
    return 0
