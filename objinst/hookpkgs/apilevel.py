"""What the program's copy of OpenTelemetry's API can do, and so which parts of the bridge are linked, and with which build tags.

Only the link's archives are asked: which packages there are, and which functions they define. What go.mod says does not count, since Bazel writes none, and
a fork that a `replace` brings in has a version of its own. `hooks/bridge/doc.go` describes the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    "otelapi_log_root": "SetLoggerProvider",  # 1.47; before, package log/global has it
    "otelapi_log_values": "log.StringValue",  # log 0.1 to 0.20; since then its values are attributes
    "otelapi_log_setter": "log.(*EnabledParameters).SetSeverity",  # log 0.7 and 0.8; since then it is a field
    "otelapi_log_events": "log.(*Record).SetEventName",  # log 0.11
    "otelapi_log_errs": "log.(*Record).SetErr",  # log 0.18
}
"""Build tag -> the function of the API that makes the difference, or the package. Beside each: the release that brought it."""
PARTS: Mapping[str, tuple[str, ...]] = {
    "attrs": ("attribute", "trace"),
    "choice": ("",),
    "spans": ("trace",),
    "bags": ("baggage",),
    "globals": ("", "trace", "propagation"),
    "meters": ("", "metric", "metric/embedded"),
    "logs": ("attribute", "trace", "log", "log/embedded"),
    "own/spans": ("trace", "sdk/trace"),
    "own/meters": ("sdk/metric",),
    "own/logs": ("log", "sdk/log"),
}
"""Folder of hooks/bridge -> the packages of the API that must be in the link. metric without embedded is older than 1.16, and another API. The folder
`users` is linked with `spans` where a hook package of the user's imports hooks/active."""
SDKS = {"own/meters": "sdk/metric.NewMeterProvider", "own/logs": "sdk/log.NewLoggerProvider"}
"""Part -> the function that it hooks: older SDKs have nothing to hook (sdk/metric before 0.32)."""
LOGS = "logs"
"""The part that also needs one of the places where a program sets its logger provider, and a log API that is new enough."""
LOG_PARTS = (LOGS, "own/logs")
LOG_GLOBALS = ("SetLoggerProvider", "log/global")
LOG_NEEDED = "log.EnabledParameters"
"""A type that releases of the log API before 0.7 lack."""

TYPE = "type:"
"""Before the name of a type's descriptor, which the package that declares the type always has (cmd/compile/internal/reflectdata)."""
PACKAGES = tuple(f"{API}/{below}".rstrip("/") for below in sorted({"attribute", "trace/embedded", "log/global", *(name for needed in PARTS.values() for name in needed)}))
"""Import paths whose content decides."""


@dataclass(frozen=True, slots=True)
class Level:
    """parts: folders of hooks/bridge to link; none if the program has no API, or one that is too old. tags: build tags to compile them with.

    too_old: a function that the program's API lacks; None if it has all that the bridge needs, or there is no API. old_logs: whether there is a log API that
    is too old.
    """

    parts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    too_old: str | None = None
    old_logs: bool = False

    def without(self, *parts: str) -> Level:
        return replace(self, parts=tuple(part for part in self.parts if part not in parts))

    def line(self) -> str | None:
        """What there is to say to the user."""
        if self.old_logs:
            return (
                f"the program's OpenTelemetry log API has no {API}/{LOG_NEEDED}: it is older than 0.7, the lowest release that is bridged. Records that the program "
                f"makes with it stay its own; `go get {API}/log@latest` joins them"
            )
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
        folder, slash, rest = what.rpartition("/")
        package, dot, name = rest.partition(".")
        path = _path(f"{folder}{slash}{package}" if dot else "")
        name = name or rest
        if path not in link:
            return False
        if path not in known:
            obj = Archive.read(link[path]).go_object()[1]
            types = (obj.name(index) for index in range(obj.n_defs))
            known[path] = frozenset([*(obj.name(index) for index in obj.text_symbols()), *(name[len(TYPE) :] for name in types if name.startswith(TYPE))])
        return f"{path}.{name}" in known[path]

    for function in NEEDED:
        if not has(function):
            return Level(too_old=f"{API}/{function}")
    parts = tuple(part for part, packages in PARTS.items() if all(_path(package) in link for package in packages) and has(SDKS.get(part, NEEDED[0])))
    made = Level(parts, tuple(tag for tag, what in TAGS.items() if has(what)))
    if LOGS not in parts:
        return made
    if not any(map(has, LOG_GLOBALS)):
        return made.without(LOGS)
    return made if has(LOG_NEEDED) else replace(made.without(LOGS), old_logs=True)


def _path(below: str) -> str:
    return f"{API}/{below}" if below else API
