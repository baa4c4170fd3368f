"""What the program's copy of OpenTelemetry's API can do, and so which parts of the bridge are linked, and with which build tags.

Only the link's archives are asked: which packages there are, and which functions they define. What go.mod says does not count, since Bazel writes none, and
a fork that a `replace` brings in has a version of its own. `hooks/bridge/doc.go` describes the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objinst.goobj.archive import Archive

API = "go.opentelemetry.io/otel"
NEEDED = ("attribute.StringSliceValue", "trace.ContextWithSpan", "trace.NewSpanStartConfig", "trace.NewEventConfig", "trace.NewTracerConfig")
"""Functions without which the bridge does not compile: releases before 1.0.1 lack one of them."""
TAGS = {
    "otelapi_scope": "trace.WithInstrumentationAttributes",  # 1.14
    "otelapi_embedded": "trace/embedded",  # 1.20
    "otelapi_boundaries": "metric.WithExplicitBucketBoundaries",  # 1.20
    "otelapi_gauge": "metric.NewInt64GaugeConfig",  # 1.27
    "otelapi_values": "attribute.SliceValue",  # 1.44
    "otelapi_map": "attribute.MapValue",  # 1.45
    "otelapi_logger": "SetLogger",  # 1.3
}
"""Build tag -> the function of the API that makes the difference, or the package. Before each: the release that brought it."""
PARTS: Mapping[str, tuple[str, ...]] = {
    "attrs": ("attribute", "trace"),
    "choice": ("",),
    "spans": ("trace",),
    "bags": ("baggage",),
    "globals": ("", "trace", "propagation"),
    "meters": ("", "metric", "metric/embedded"),
    "own/spans": ("trace", "sdk/trace"),
    "own/meters": ("metric", "metric/embedded", "sdk/metric"),
}
"""Folder of hooks/bridge -> the packages of the API that must be in the link. metric without embedded is older than 1.16, and another API. The folder
`users` is linked with `spans` where a hook package of the user's imports hooks/active."""


PACKAGES = tuple(f"{API}/{below}".rstrip("/") for below in sorted({"attribute", "trace/embedded", *(name for needed in PARTS.values() for name in needed)}))
"""Import paths whose content decides."""


@dataclass(frozen=True, slots=True)
class Level:
    """parts: folders of hooks/bridge to link; none if the program has no API, or one that is too old. tags: build tags to compile them with.

    too_old: a function that the program's API lacks; None if it has all that the bridge needs, or there is no API.
    """

    parts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    too_old: str | None = None

    def line(self) -> str | None:
        """What there is to say to the user."""
        if self.too_old is None:
            return None
        return (
            f"the program's OpenTelemetry API has no {self.too_old}: it is older than 1.0.1, the lowest release that is bridged. Spans that the program makes "
            f"with it stay its own, apart from those of instrumentations; `go get {API}@latest` joins them"
        )


def level(link: Mapping[str, Path]) -> Level:
    """link: import path -> archive. Raises ObjectError if an archive of the API cannot be read."""
    if f"{API}/trace" not in link:
        return Level()
    known: dict[str, frozenset[str]] = {}

    def has(what: str) -> bool:
        if _path(what) in link:
            return True
        below, _, name = what.rpartition(".")
        path = _path(below)
        if path not in link:
            return False
        if path not in known:
            obj = Archive.read(link[path]).go_object()[1]
            known[path] = frozenset(obj.name(index) for index in obj.text_symbols())
        return f"{path}.{name}" in known[path]

    for function in NEEDED:
        if not has(function):
            return Level(too_old=f"{API}/{function}")
    parts = tuple(part for part, packages in PARTS.items() if all(_path(package) in link for package in packages))
    return Level(parts, tuple(tag for tag, what in TAGS.items() if has(what)))


def _path(below: str) -> str:
    return f"{API}/{below}" if below else API
