"""Clients that mean a gRPC server no good: methods that there are not, each with another name, long metadata and messages, streams that are given up.

The judge is the same server without otelobj, attacked in the same way.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from hostile import COLLECTORS, MORE, Programs, collector, peak_of, started
from needs import emulator

from objinst.collector import Collector

HERE = Path(__file__).parent / "testdata"
METHODS = {"grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch", "_OTHER"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(HERE, tmp_path_factory.mktemp("hostile"), "1.26")


def peak(built: Programs, kind: str, arch: str, calls: int, folder: Path, **env: str) -> int:
    """Kilobytes that the server took at most."""
    with contextlib.ExitStack() as stack:
        server, (_, address) = started(stack, [*emulator(arch), built[f"hostile-{kind}-{arch}"], "serve"], folder, **env)
        subprocess.run([built["hostile-plain-amd64"], "attack", address, str(calls)], check=True)
        return peak_of(server.pid)


@pytest.mark.parametrize(
    ("arch", "behaviour", "calls"),
    [
        ("amd64", "hangs", 4000),
        *(pytest.param(arch, behaviour, 25_000, marks=pytest.mark.long) for arch in ("amd64", "arm64") for behaviour in COLLECTORS),
    ],
)
def test_memory_is_bounded(built: Programs, arch: str, behaviour: str, calls: int, tmp_path: Path) -> None:
    plain = peak(built, "plain", arch, calls, tmp_path)
    with collector(COLLECTORS[behaviour]) as address:
        often = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        hooked = peak(built, "hooked", arch, calls, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address, **often)
    assert hooked <= plain + MORE


def test_clients_make_no_series(built: Programs, tmp_path: Path) -> None:
    """Nor is anything of theirs longer than what is kept."""
    with Collector() as found:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": found.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
        with contextlib.ExitStack() as stack:
            server, (_, address) = started(stack, [built["hostile-hooked-amd64"], "serve"], tmp_path, **env)
            subprocess.run([built["hostile-plain-amd64"], "attack", address, "200"], check=True)
            found.wait_for(175, timeout=1200)  # of streams that are given up at once the server may see nothing
            server.terminate()
            server.wait()
        methods = {str(point.attributes["rpc.method"]) for metric in found.metrics() if metric.name == "rpc.server.call.duration" for point in metric.points}
        assert methods == METHODS
        spans = found.spans()
        assert {span.name for span in spans} == {*METHODS - {"_OTHER"}, "grpc"}
        assert max(len(value) for span in spans for value in span.attributes.values() if isinstance(value, str)) <= 4096
