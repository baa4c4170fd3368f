"""Clients that mean a server no good, and collectors that hang, refuse, are slow or answer too much: what an instrumented server holds is bounded.

The judge is the same server without otelobj, attacked in the same way.
"""

from __future__ import annotations

import contextlib
import functools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import COLLECTORS, MORE, Programs, collector, free_address, peak_of, started
from needs import emulator
from places import TESTBINS

GO = "1.26"
ARCHES = ("amd64", "arm64")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Programs:
    return Programs(TESTBINS, tmp_path_factory.mktemp("hostile"), GO)


def peak(built: dict[str, Path], name: str, kind: str, arch: str, requests: int, folder: Path, **env: str) -> tuple[int, str]:
    """Kilobytes that a server took at most, and what it wrote to standard error. name: hostile, which has HTTP/2 as well, or the demo's shop."""
    program = built[f"{name}-{kind}-{arch}"]
    prefix = emulator(arch)
    (folder / "stderr").write_text("")
    with contextlib.ExitStack() as stack:
        if name == "hostile":
            server, (_, *addresses) = started(stack, [*prefix, program, "serve"], folder, **env)
            where = [*addresses]
        else:
            shop, stock = free_address(), free_address()
            started(stack, [*prefix, program, "stock", "-listen", stock, "-peer", f"http://{shop}"], folder)
            server, _ = started(stack, [*prefix, program, "shop", "-listen", shop, "-peer", f"http://{stock}"], folder, **env)
            where = ["-path", "/buy/", f"http://{shop}"]
        subprocess.run([built["hostile-plain-amd64"], "attack", "-n", str(requests), *where], check=True)
        took = peak_of(server.pid)
    return took, (folder / "stderr").read_text()


@pytest.fixture(scope="module")
def plain_peak(built, tmp_path_factory) -> Callable[..., int]:
    """What the plain server takes at most. It knows of no collector, so it is attacked once for all of them."""

    @functools.cache
    def found(name: str, arch: str, requests: int) -> int:
        return peak(built, name, "plain", arch, requests, tmp_path_factory.mktemp("plain"))[0]

    return found


MANY, FEW = 25_000, 6000
"""Requests of a case. Each server gets 100,000 on each architecture, a quarter of them with each kind of collector."""
CASES = [
    *((name, arch, collector, MANY) for name in ("hostile", "demo") for arch in ARCHES for collector in COLLECTORS),
    ("hostile", "amd64", "hangs", FEW),
    ("demo", "amd64", "floods", FEW),
]


@pytest.mark.parametrize(
    ("name", "arch", "behaviour", "requests"),
    [pytest.param(*case, marks=[pytest.mark.long] if case[-1] == MANY else [], id="-".join(map(str, case))) for case in CASES],
)
def test_memory_is_bounded(built, plain_peak, name, arch, behaviour, requests, tmp_path):
    plain = plain_peak(name, arch, requests)
    with collector(COLLECTORS[behaviour]) as address:
        often = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        hooked, said = peak(built, name, "hooked", arch, requests, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address, **often)
    print(f"{name}, {arch}, {requests} requests, a collector that {behaviour}: {plain} kB plain, {hooked} kB with otelobj")
    assert hooked <= plain + MORE
    assert "\x1b" not in said and "panic" not in said
    if behaviour == "refuses":
        assert said.count("refused") <= 1, said
