"""A server under load: what the receiver of telemetry got meanwhile is counted for each request. The server is a script; the load only prints what wrk does."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from objinst.bench.load import UnderLoad
from objinst.bench.model import Machine, Quantity, Results
from objinst.bench.program import Edits, Program
from objinst.bench.sink import Received, Sink
from objinst.bench.starts import Address
from objinst.bench.starts import Program as Started
from objinst.bench.variants import Variant

SERVER = "import socket, sys\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile True: s.accept()[0].close()\n"
WRK = "  100 requests in 1.00s, 1.00MB read\nRequests/sec:  100.00\n"


@pytest.fixture
def variant(tmp_path: Path) -> Variant:
    user = Program(tmp_path, ".", "example.com/x", tmp_path, tmp_path, None, tmp_path / "main.go", "", "go1.26")
    made = Variant("plain", ["/bin/false"], user, tmp_path, Edits(user, tmp_path / "edits"))
    made.out.write_text(f"#!{sys.executable}\n{SERVER}")
    made.out.chmod(0o755)
    return made


@pytest.mark.parametrize(("counts", "sent"), [([1000, 51_000], {"plain": [500.0]}), ([0, 0], None), ([], None)])
def test_telemetry_of_a_request(variant: Variant, monkeypatch: pytest.MonkeyPatch, counts: list[int], sent: dict[str, list[float]] | None) -> None:
    left = list(counts)
    monkeypatch.setattr(Sink, "received", lambda _: Received(left.pop(0)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        at = Address(*taken.getsockname())
    results = Results("x", Machine("", 1, 0, "", "", "", 0), 1, {"plain": "plain"})
    load = UnderLoad(results, [variant], Started((str(at.port),), {}), at, f"printf '{WRK}'", variant.home, Sink(1, {}) if counts else None)
    load._once(variant)
    assert results.samples[Quantity("load", "server", "requests", "1/s", more_is_better=True)] == {"plain": [100.0]}
    assert results.samples.get(Quantity("load", "server", "telemetry a request", "B")) == sent
    assert not left
