"""Checks that scripts share: matching of spans, and the longer checks that a script names with `py`."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from objinst.collector import Collector

WAIT = 120
"""Seconds after which what has not happened will not: far more than a busy machine takes."""


def span_problem(collector: Collector, span: Any, wanted: list[str]) -> str | None:
    """None if `span` has every `key=value` of wanted; else the first that does not hold."""
    by_id = {other.span_id: other for other in collector.spans()}
    for item in wanted:
        key, _, value = item.partition("=")
        if key == "parent":
            parent = by_id.get(span.parent_id)
            found = parent.name if parent else "-" if not span.parent_id else "remote"
        elif key in ("kind", "status"):
            found = getattr(span, key)
        elif key == "event":
            found = value if any(event.name == value for event in span.events) else [event.name for event in span.events]
        else:
            found = span.attributes.get(key)
        if str(found).lower() != value.lower():
            return f"{key} is {found!r}"
    return None


def log_problem(collector: Collector, record: Any, wanted: list[str]) -> str | None:
    """None if a log record has every `key=value` of wanted; else the first that does not hold."""
    by_id = {span.span_id: span for span in collector.spans()}
    for item in wanted:
        key, _, value = item.partition("=")
        if key == "trace":
            span = by_id.get(record.span_id)
            found = "-" if not record.span_id else span.name if span and span.trace_id == record.trace_id else "unknown"
        elif key == "severity":
            found = record.severity
        elif key == "scope":
            found = record.scope.name
        else:
            found = _attribute(record.attributes, key)
        if str(found).lower() != value.lower():
            return f"{key} is {found!r}"
    return None


def _attribute(attributes: Any, key: str) -> Any:
    """`a` or, of a map, `group.a`."""
    if key in attributes:
        return attributes[key]
    group, _, rest = key.partition(".")
    inside = attributes.get(group)
    return _attribute(inside, rest) if rest and isinstance(inside, dict) else None


def static_program(run: Any, name: str) -> None:
    """The program needs no ELF interpreter."""
    from elftools.elf.elffile import ELFFile

    with (run.folder / name).open("rb") as file:
        assert not any(segment.header.p_type == "PT_INTERP" for segment in ELFFile(file).iter_segments()), f"{name} is dynamic"


def stack_values(run: Any) -> None:
    """What spans took from the caller's stack is what stood there at the call, in each of a hundred."""
    spans = [span.attributes for span in run.collector.spans() if span.name == "values"]
    assert sorted(found["int"] for found in spans) == list(range(100))
    for found in spans:
        n = found["int"]
        wanted = {"text": f"{n % 10} on the stack", "kept": f"{n % 10} in an array", "anyint": 35 + n, "anytext": "boxed text", "promoted": n}
        assert {key: found[key] for key in wanted} == wanted


def probe_counts(run: Any, name: str) -> None:
    """The counts that the last program printed of itself (`count FUNCTION N`) are those that its probes found, each exactly."""
    wanted = {function: int(n) for function, n in re.findall(r"^count (\S+) (\d+)$", run.last.stdout, re.MULTILINE)}
    assert wanted, f"the program printed no counts: {run.last.stdout}"
    found = json.loads((run.folder / name).read_text())["functions"]
    assert {function: found.get(function) for function in wanted} == wanted


def silent_collector(run: Any) -> None:
    """From here on the collector is one that accepts connections and never answers."""
    if run.listener is None:
        run.listener = socket.create_server(("127.0.0.1", 0))
    run.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{run.listener.getsockname()[1]}"


def await_connection(run: Any) -> None:
    """Somebody has come to the silent collector."""
    run.listener.settimeout(WAIT)
    run.accepted = run.listener.accept()[0]


def own_collector(run: Any) -> None:
    """From here on the collector is the script's own again."""
    run.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = run.collector.endpoint


def tree(run: Any) -> None:
    """The spans are those that the last program printed (`span ID parent ID`, `-` for none), each below the one that it must be below; `by hand` are counted."""
    wanted = dict(re.findall(r"^span (\S+) parent (\S+)$", run.last.stdout, re.MULTILINE))
    assert len(wanted) > 100, run.last.stdout + run.last.stderr
    spans = run.collector.spans()
    ids = {}
    for span in spans:
        path = str(span.attributes.get("url.path", span.attributes.get("url.full", ""))).split("/")
        ids[span.span_id] = {"SERVER": path[-1], "CLIENT": path[-2] if len(path) > 1 else ""}.get(span.kind) or str(span.attributes.get("id"))
    found = {ids[span.span_id]: ids.get(span.parent_id, span.parent_id or "-") for span in spans}
    wrong = {name: (wanted.get(name), found.get(name)) for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}
    assert not wrong and len(spans) == len(wanted), f"span: (its parent must be, is): {wrong}"
    counted = [point.value for metric in run.collector.metrics() if metric.name == "tree.made" for point in metric.points]
    assert sum(counted) == sum(span.name == "by hand" for span in spans) > 0, counted


def await_spans(run: Any, wanted: str) -> None:
    """The collector has that many spans, or will have."""
    end = time.monotonic() + WAIT
    while len(run.collector.spans()) < int(wanted):
        assert time.monotonic() < end, f"{len(run.collector.spans())} spans"
        time.sleep(0.01)


def missing_collector(run: Any) -> None:
    """From here on nobody listens where the collector should be."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{listener.getsockname()[1]}"


def probe_latencies(run: Any, name: str) -> None:
    """The histograms have the calls that the last program says it made (`calls FUNCTION N`), each in a bucket that its duration can have."""
    found = json.loads((run.folder / name).read_text())["latencies"]
    wanted = re.findall(r"^calls (\S+) (\d+)(?: at least (\d+))?$", run.last.stdout, re.MULTILINE)
    assert wanted, f"the program printed no calls: {run.last.stdout}"
    for function, calls, least in wanted:
        histogram = found.get(function, {"calls": 0, "sum_ns": 0, "buckets_ns": []})
        buckets = histogram["buckets_ns"]
        assert histogram["calls"] == int(calls) == sum(n for _, _, n in buckets), function
        assert all(low < high <= max(low * 5 // 4, low + 1) for low, high, _ in buckets), function
        assert sum(low * n for low, _, n in buckets) <= histogram["sum_ns"] <= sum(high * n for _, high, n in buckets), function
        assert all(high > int(least or 0) for _, high, _ in buckets), function


def chain(run: Any, *names: str) -> None:
    """There is a span of the last name whose parent, its parent and so on have the names before."""
    by_id = {span.span_id: span for span in run.collector.spans()}

    def line(span: Any) -> list[str]:
        return [*(line(by_id[span.parent_id]) if span.parent_id in by_id else []), span.name]

    found = [line(span) for span in by_id.values() if span.name == names[-1]]
    assert any(tuple(path[-len(names) :]) == names for path in found), found or sorted({span.name for span in by_id.values()})


def all_roots(run: Any, *names: str) -> None:
    """Every span of these names is a root, and there are some of each."""
    by_id = {span.span_id: span for span in run.collector.spans()}
    for name in names:
        found = [span for span in by_id.values() if span.name == name]
        parents = sorted({by_id[span.parent_id].name if span.parent_id in by_id else "remote" for span in found if span.parent_id})
        assert found, f"no span {name}: {sorted({span.name for span in by_id.values()})}"
        assert not parents, f"{name} has parents {parents}"


def all_children(run: Any, parent: str, *names: str) -> None:
    """Every span of these names has a parent of that name, and there are some of each."""
    by_id = {span.span_id: span for span in run.collector.spans()}
    for name in names:
        found = [by_id[span.parent_id].name if span.parent_id in by_id else "-" for span in by_id.values() if span.name == name]
        assert found, f"no span {name}: {sorted({span.name for span in by_id.values()})}"
        assert set(found) == {parent}, f"{name} has parents {found}"


def all_hooked(run: Any, report: str, *rules: str) -> None:
    """Each of these rules has hooked what it names, every function of it, and the compiler has inlined none."""
    targets = json.loads((run.folder / report).read_text())["targets"]
    for rule in rules:
        found = [target for target in targets if target["rule"] == rule]
        assert found, f"{rule} is not in the report"
        problems = [(target["symbol"], target["status"], target["reason"], target["inlined_callers"]) for target in found]
        assert all(target["status"] == "hooked" and not target["inlined_calls"] for target in found), f"{rule}: {problems}"


CONTEXT_PARENTS = {
    "a": "request",
    "b": "a",
    "c": "b",
    "b2": "a",
    "a2": "request",
    "d": "request",
    "hand in d": "request",
    "below hand": "hand in d",
    "after hand": "d",
    "x1": "request",
    "x2": "request",
    "of x1": "x1",
    "below of x1": "of x1",
    "after x2": "request",
    "another": "-",
    "past another": "request",
    "e": "request",
    "of another": "another",
    "past of another": "e",
    "f": "request",
    "new root": "-",
    "past root": "f",
    "of root": "new root",
    "g": "request",
    "on goroutine": "g",
    "h": "request",
    "i": "h",
    "after h": "i",
    "job": "request",
    "process": "job",
    "in process": "process",
    "server": "remote",
    "below server": "server",
    "call": "request",
    "HTTP GET": "call",
    "late": "request",
    "below late": "late",
}
"""Of parents_context.txtar: the parent of each span."""


def context_parents(run: Any) -> None:
    """Every span of parents_context.txtar has its parent."""
    by_id = {span.span_id: span for span in run.collector.spans()}
    found = {span.name: by_id[span.parent_id].name if span.parent_id in by_id else "remote" if span.parent_id else "-" for span in by_id.values()}
    wrong = {name: found.get(name) for name, parent in CONTEXT_PARENTS.items() if found.get(name) != parent}
    assert not wrong, f"parents found: {wrong}"


def point(run: Any, name: str, *wanted: str) -> None:
    """The last export of a metric has a point with these attributes (`key=none`: not that one), and this `value` or `count`."""
    exports = [metric for metric in run.collector.metrics() if metric.name == name]
    assert exports, f"no metric {name}: {sorted({metric.name for metric in run.collector.metrics()})}"
    points = [{**found.attributes, "value": found.value, "count": found.count} for found in exports[-1].points]
    pairs = [item.partition("=") for item in wanted]
    assert any(all(str(found.get(key)).lower() == value.lower() for key, _, value in pairs) for found in points), f"{name} {wanted}: {points}"


def stderr_lines(run: Any, count: str) -> None:
    """The last command has written so many lines to standard error."""
    assert len(run.last.stderr.splitlines()) == int(count), run.last.stderr


def links(run: Any, name: str, number: str) -> None:
    """Every span of this name has so many links, each to the trace that a stranger has named."""
    found = [span for span in run.collector.spans() if span.name == name]
    assert found, f"no span {name}"
    for span in found:
        assert [link.trace_id for link in span.links] == ["0af7651916cd43dd8448eb211c80319c"] * int(number)
        assert (span.trace_id == "0af7651916cd43dd8448eb211c80319c") is (number == "0")


def privileged(run: Any, name: str) -> None:
    """The program runs with another user's rights (setuid), and with a capability of its file, and neither sends nor writes anything."""
    import pytest

    if os.geteuid() != 0:
        pytest.skip("only root can make a program that has more rights than its user")
    user, owner = 65534, 65533
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # where another user can go
        place = Path(folder)
        place.chmod(0o777)
        env = run.env | {"OTELOBJ_PROBE_OUT": str(place / "probe.json"), "HOME": "/"}
        for right in ("setuid", "capability"):
            program = place / right
            shutil.copyfile(run.folder / name, program)
            if right == "setuid":
                os.chown(program, owner, owner)
                program.chmod(0o4755)
            else:
                program.chmod(0o755)
                net_raw = 1 << 13  # linux/capability.h, struct vfs_cap_data, revision 2, effective
                os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, net_raw, 0, 0, 0))
            done = subprocess.run([program], env=env, capture_output=True, text=True, user=user, group=user, extra_groups=[], timeout=600, check=False)
            assert done.returncode == 0, done.stderr
            assert "served" in done.stdout and not done.stderr
            assert "dumpable 1" not in done.stdout, f"{right}: the system has not given the right, so nothing was tested"
            assert {path.name for path in place.iterdir()} <= {"setuid", "capability"}, right
            assert run.collector.spans() == [], right


def share_cache(run: Any, name: str) -> None:
    """From here on the cache is a new one, and the one before is read beside it."""
    from objinst.store.root import root

    run.env["OTELOBJ_SHARED_CACHE"] = run.env.get("OTELOBJ_CACHE_DIR") or str(root())
    run.env["OTELOBJ_CACHE_DIR"] = str(run.folder / name)


def _compiled(run: Any) -> set[str]:
    return {path.parent.name for path in Path(run.env["OTELOBJ_CACHE_DIR"]).glob("compiled/*/*/pkg.a")}


def nothing_compiled(run: Any) -> None:
    """No package was compiled into the cache."""
    assert not _compiled(run)


def only_imported(run: Any, name: str) -> None:
    """The cache has the archives of an export, all of them, and no other."""
    with tarfile.open(run.folder / name, "r:xz") as tar:
        listed = {member.name.split("/")[1] for member in tar if member.name.startswith("compiled/")}
    assert len(listed) > 200 and _compiled(run) == listed


def spans_named(run: Any, name: str, number: str) -> None:
    """There are so many spans of a name."""
    found = [span for span in run.collector.spans() if span.name == name]
    assert len(found) == int(number), f"{len(found)} spans {name}"


def nowhere(run: Any, text: str) -> None:
    """A text is in nothing that the collector has received."""
    received = [*run.collector.spans(), *run.collector.metrics(), *run.collector.logs()]
    assert received
    found = [repr(one) for one in received if text in repr(one)]
    assert not found, f"{text} in {found}"
