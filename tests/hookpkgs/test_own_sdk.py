"""OTELOBJ_SDK: what may be chosen, what is said of programs without an SDK, and what is compiled where there is none but the program's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hook_sets import GO, go_command
from objinst import hooktree
from objinst.errors import OtelobjError, UsageError
from objinst.hookpkgs import chosen_exporters, chosen_sdk, own_sdk, zone
from objinst.hookpkgs.apilevel import Level
from objinst.hookpkgs.carry import Warm
from objinst.hookpkgs.known import Known
from objinst.hookpkgs.request import PRIVATE_SDK, PROGRAM_SDK, HookRequest, HookSet
from objinst.paths import hooks_dir
from objinst.rules import PRIVATE
from objinst.store import cache
from objinst.store.digest import hooks_digest
from toolchains import go_env

API = "go.opentelemetry.io/otel"
WITHOUT = (f"{API}/sdk", f"{API}/exporters", "google.golang.org", "github.com/prometheus", "go.opentelemetry.io/contrib/exporters", "go.opentelemetry.io/proto")
"""What a program without an SDK of ours has no package of."""


def request(sdk: str) -> HookRequest:
    """All hook packages that come with otelobj, for any program."""
    folders = hooktree.modules()
    wanted = tuple(sorted(module for module, folder in folders.items() if any((hooks_dir() / folder).glob("*.go"))))
    return HookRequest(wanted, {}, {}, (), {}, Path("/"), f"go object linux amd64 go{GO}", hooks_dir(), hooks_digest(), sdk=sdk)


def known(sdk: str) -> Known:
    return Known((), {}, {}, (), (), (), {}, (), "go object linux amd64 go1.26.8", (), {"CGO_ENABLED": "0"}, (), "", "", sdk=sdk)


@pytest.mark.parametrize(("text", "sdk"), [("", PRIVATE_SDK), (" ", PRIVATE_SDK), ("private", PRIVATE_SDK), (" program ", PROGRAM_SDK)])
def test_what_may_be_chosen(text: str, sdk: str) -> None:
    assert chosen_sdk({"OTELOBJ_SDK": text}) == sdk
    assert chosen_sdk({}) == PRIVATE_SDK


@pytest.mark.parametrize("text", ["Program", "none", "private,program"])
def test_what_is_no_choice_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match=f"OTELOBJ_SDK: there is no SDK {text}") as error:
        chosen_sdk({"OTELOBJ_SDK": text})
    assert "private: " in error.value.remedy and "program: " in error.value.remedy


def test_without_an_sdk_there_are_no_exporters_to_choose() -> None:
    assert chosen_exporters({"OTELOBJ_EXPORTERS": "otlp_http"}) == ("otlp_http",)
    assert chosen_exporters({"OTELOBJ_EXPORTERS": "otlp_http", "OTELOBJ_SDK": "program"}) == ()
    with pytest.raises(UsageError, match="no exporter pigeon"):
        chosen_exporters({"OTELOBJ_EXPORTERS": "pigeon", "OTELOBJ_SDK": "program"})


def test_a_hook_set_is_known_for_one_choice() -> None:
    ours, theirs = known(PRIVATE_SDK), known(PROGRAM_SDK)
    assert zone.key(ours) != zone.key(theirs)
    assert Known.of(json.loads(json.dumps(theirs.json()))) == theirs != ours
    assert str(Warm("", theirs, 0)) == f"{Warm('', ours, 0)} OTELOBJ_SDK=program"


def test_a_program_without_an_sdk_is_an_error() -> None:
    own_sdk.check("example.com/a", [f"{API}/sdk/trace"])
    own_sdk.check("example.com/a", [f"{API}/sdk/metric"])
    with pytest.raises(OtelobjError, match=r"example.com/a links no OpenTelemetry SDK") as error:
        own_sdk.check("example.com/a", [API, f"{API}/trace", f"{API}/sdk/resource", f"{PRIVATE}{API}/sdk/trace"])
    assert "leave OTELOBJ_SDK unset" in error.value.remedy
    with pytest.raises(OtelobjError, match="this program links no OpenTelemetry SDK"):
        own_sdk.check("", [])


def test_what_is_not_bridged_is_said() -> None:
    metric = {f"{API}/sdk/metric": None}
    assert own_sdk.check_bridged(Level(("spans", "meters")), metric) is None
    assert own_sdk.check_bridged(Level(("spans",)), {}) is None
    assert "older than 1.16" in (own_sdk.check_bridged(Level(("spans",)), metric) or "")
    with pytest.raises(OtelobjError, match="older than 1.0.1") as error:
        own_sdk.check_bridged(Level(too_old=f"{API}/trace.ContextWithSpan"), metric)
    assert f"go get {API}@latest" in error.value.remedy and "leave OTELOBJ_SDK unset" in error.value.remedy


def test_two_sdks_are_worth_a_line() -> None:
    link, hooks = [API, f"{API}/sdk/trace"], [f"{PRIVATE}{API}/sdk/trace"]
    assert "OTELOBJ_SDK=program leaves otelobj's out, and saves" in (own_sdk.suggestion(link, hooks, "") or "")
    assert own_sdk.suggestion(link, hooks, "private") is None
    assert own_sdk.suggestion([API], hooks, "") is None
    assert own_sdk.suggestion(link, [], "") is None


def test_hooks_without_an_sdk_import_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever library they belong to. With one they do import it, or this would see nothing."""
    for name, value in go_env(GO).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    cache.ready()
    found = {}
    for sdk in (PRIVATE_SDK, PROGRAM_SDK):
        resolution = zone._Resolution(request(sdk), go_command(), tmp_path / f"{sdk}.json", lambda _: lambda: None)
        found[sdk] = {name.removeprefix(PRIVATE) for name in resolution.private_packages(resolution.own, {**resolution.libraries, **resolution.watched})}
        assert ("go.opentelemetry.io/contrib/bridges/prometheus" in resolution.watched) == (sdk == PRIVATE_SDK)
    assert {f"{API}/sdk/trace", f"{API}/exporters/otlp/otlptrace/otlptracehttp", "google.golang.org/grpc"} <= found[PRIVATE_SDK]
    assert {API, f"{API}/trace", f"{API}/metric", "github.com/otelobj/otelobj/hooks/sdk"} <= found[PROGRAM_SDK]
    assert [name for name in found[PROGRAM_SDK] if name.startswith(WITHOUT)] == []


def test_a_bridge_that_does_not_compile_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is all that leads to the program's SDK. With ours, it is left out with a line."""
    broken = zone.NotCompiledError("does not compile", "", f"{hooktree.BRIDGE_PATH}/spans")

    def hook_set(_: object, listed: object, theirs: object, early: object, level: Level, notes: list[str], dropped: object) -> HookSet:
        if level.parts:
            raise broken
        return HookSet({}, {}, notes=tuple(notes))

    monkeypatch.setattr(zone._Resolution, "_level", lambda *_: Level(("spans",)))
    for name in ("_observers", "_bridge", "private_packages"):
        monkeypatch.setattr(zone._Resolution, name, lambda *_: {})
    monkeypatch.setattr(zone._Resolution, "_hook_set", hook_set)

    def resolution(sdk: str) -> zone._Resolution:
        return zone._Resolution(request(sdk), go_command(), tmp_path / "memo.json", lambda _: lambda: None)

    assert any("is not bridged" in note for note in resolution(PRIVATE_SDK).hook_set().notes)
    with pytest.raises(OtelobjError) as error:
        resolution(PROGRAM_SDK).hook_set()
    assert error.value is broken
