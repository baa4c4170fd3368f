"""The bridge between the program's copy of OpenTelemetry's API and the private one, with releases of the API from the lowest to the newest.

Its Go tests run there as the link step would compile it: with the parts and build tags that the archives of a program with that release ask for.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import bridge_rig
import pytest
from bridge_rig import OTEL, Rig
from needs import emulator
from places import HOOKS
from toolchains import go, newest, telemetry, versions

from objinst.hookpkgs import apilevel, pins, zone

BRIDGE = HOOKS / "bridge"
SLICE = ("1.0.1", "1.14.0", "1.20.0", "1.28.0", "1.41.0", "1.47.0")
"""Releases with which `make test` runs: the ends, and one of each form that makes a difference. The others are left to --long."""
REST = (
    "1.1.0", "1.2.0", "1.3.0", "1.4.1", "1.5.0", "1.6.3", "1.7.0", "1.8.0", "1.9.0", "1.10.0", "1.11.2", "1.12.0", "1.13.0", "1.15.1", "1.16.0", "1.17.0",
    "1.18.0", "1.19.0", "1.21.0", "1.22.0", "1.23.1", "1.24.0", "1.25.0", "1.26.0", "1.27.0", "1.29.0", "1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0",
    "1.35.0", "1.36.0", "1.37.0", "1.38.0", "1.39.0", "1.40.0", "1.42.0", "1.43.0", "1.44.0", "1.45.0", "1.46.0",
)  # fmt: skip
TOOLCHAINS = versions()[versions().index(telemetry()) :]
IMPORT = re.compile(r'"otelobj\.private/([^"]+)"')


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return bridge_rig.make(tmp_path_factory.mktemp("bridge"), newest())


@pytest.mark.parametrize("api", SLICE)
def test_with_a_release(rig: Rig, api: str) -> None:
    said = rig.test(api, "-short", "-timeout=10m")
    parts = {line.split()[1].rpartition("hooks/bridge/")[2] for line in said.splitlines() if line.startswith("ok ")}
    expected = {"attrs", "spans", "bags", "globals", "own/spans", "users"} | ({"meters"} if bridge_rig.has_metric(api) else set())
    expected |= {"logs"} if bridge_rig.has_logs(api) else set()
    assert expected <= parts


@pytest.mark.long
@pytest.mark.parametrize("api", REST)
def test_with_another_release(rig: Rig, api: str) -> None:
    rig.test(api, "-timeout=10m")


@pytest.mark.long
@pytest.mark.parametrize("api", [SLICE[0], SLICE[-1]])
def test_without_races(rig: Rig, api: str) -> None:
    rig.test(api, "-race", "-timeout=20m", CGO_ENABLED="1")


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", TOOLCHAINS)
def test_with_a_toolchain(tmp_path: Path, version: str, goarch: str) -> None:
    bridge_rig.make(tmp_path, version).test("1.28.0", "-short", "-timeout=30m", f"-exec={' '.join(emulator(goarch))}", goarch=goarch)


@pytest.mark.long
@pytest.mark.parametrize("version", TOOLCHAINS)
def test_with_a_toolchain_without_races(tmp_path: Path, version: str) -> None:
    bridge_rig.make(tmp_path, version).test("1.28.0", "-short", "-race", "-timeout=20m", CGO_ENABLED="1")


@pytest.mark.long
@pytest.mark.parametrize("cgo", ["0", "1"])
def test_position_independent(rig: Rig, cgo: str) -> None:
    rig.test("1.41.0", "-short", "-buildmode=pie", "-timeout=10m", CGO_ENABLED=cgo)


def test_each_minor_release_is_here() -> None:
    minors = sorted(int(api.split(".")[1]) for api in (*SLICE, *REST))
    newest_pinned = int(pins.pins().modules[OTEL].version.split(".")[1])
    assert minors == list(range(newest_pinned + 1))


def test_with_a_fork(rig: Rig) -> None:
    tags = ",".join(rig.level(SLICE[-1]).tags)
    said = go(rig.version, rig.fork(SLICE[-1]), "test", f"-tags={tags}", "-v", "-run=Fork", "./own/spans", **bridge_rig.SETTINGS)
    assert "--- PASS: TestAForkOfTheAPI" in said


def test_without_an_sdk_of_ours(rig: Rig) -> None:
    tags = ",".join((*rig.level(SLICE[-1]).tags, zone.WITHOUT_SDK))
    said = go(rig.version, rig.release(SLICE[-1]), "test", f"-tags={tags}", "-v", "-run=Alone", "./globals", **bridge_rig.SETTINGS)
    assert "--- PASS: TestAlone " in said and "--- PASS: TestAloneAndDisabled" in said


def test_vet(rig: Rig) -> None:
    rig.vet(SLICE[-1])


def test_levels_are_read_from_archives(rig: Rig) -> None:
    levels = {api: rig.level(api) for api in ("1.0.1", "1.14.0", "1.20.0", "1.28.0", "1.41.0", "1.47.0")}
    tags = {api: level.tags for api, level in levels.items()}
    assert tags["1.0.1"] == ()
    assert tags["1.14.0"] == ("otelapi_scope", "otelapi_logger")
    assert tags["1.20.0"] == ("otelapi_scope", "otelapi_embedded", "otelapi_boundaries", "otelapi_logger")
    assert set(tags["1.28.0"]) - set(tags["1.20.0"]) == {"otelapi_gauge"}
    assert set(tags["1.41.0"]) - set(tags["1.28.0"]) == {"otelapi_log_values", "otelapi_log_events"}
    older = ("otelapi_log_values", "otelapi_log_setter")
    assert tags["1.47.0"] == tuple(tag for tag in apilevel.TAGS if tag not in older)
    assert "meters" in levels["1.20.0"].parts
    assert "meters" not in levels["1.14.0"].parts
    assert {"logs", "own/logs"} <= {*levels["1.41.0"].parts} & {*levels["1.47.0"].parts} and "logs" not in levels["1.28.0"].parts


@pytest.mark.parametrize(("log", "parts"), [("0.6.0", ()), ("0.7.0", ("logs",))])
def test_a_log_api_that_is_too_old_is_left_out(rig: Rig, tmp_path: Path, log: str, parts: tuple[str, ...]) -> None:
    """The rest of the API is bridged."""
    (tmp_path / "go.mod").write_text(f"module m\n\ngo 1.24\n\nrequire {OTEL}/log v{log}\n")
    listed = go(rig.version, tmp_path, "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", f"{OTEL}/log/global", **bridge_rig.SETTINGS)
    pairs = [line.split() for line in listed.splitlines()]
    level = apilevel.level({pair[0]: Path(pair[1]) for pair in pairs if len(pair) == 2})
    assert level.parts == ("attrs", "spans", "bags", *parts)
    assert ("older than 0.7" in (level.line() or "")) is not bool(parts)


def archives(version: str, folder: Path, files: dict[str, str], *packages: str) -> dict[str, Path]:
    """Archives of packages of a module that takes the place of the API."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    listed = go(version, folder, "list", "-export", "-f", "{{.ImportPath}} {{.Export}}", *packages)
    return {path: Path(archive) for path, archive in (line.split() for line in listed.splitlines())}


def test_a_program_without_the_api() -> None:
    assert apilevel.level({}) == apilevel.Level()
    assert apilevel.level({f"{OTEL}/codes": Path("unread")}) == apilevel.Level()


@pytest.mark.parametrize("part", ["trace", "baggage", "metric"])
def test_a_program_with_a_part_of_the_api(rig: Rig, part: str) -> None:
    """A library often imports one package of the API: what the program does not have is not linked."""
    listed = go(rig.version, rig.release("1.28.0"), "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", f"{OTEL}/{part}", **bridge_rig.SETTINGS)
    pairs = [line.split() for line in listed.splitlines()]
    level = apilevel.level({pair[0]: Path(pair[1]) for pair in pairs if len(pair) == 2})
    assert level.parts == (("attrs", "spans") if part == "trace" else ())
    assert level.line() is None


def test_an_api_that_is_too_old_is_named(rig: Rig, tmp_path: Path) -> None:
    """Whatever go.mod says of it: here the module has no version at all."""
    source = {
        "go.mod": f"module {OTEL}\n\ngo 1.24\n",
        "attribute/attribute.go": "package attribute\n\nfunc String() {}\n",
        "trace/trace.go": "package trace\n\nfunc ContextWithSpan() {}\n",
    }
    link = archives(rig.version, tmp_path, source, f"{OTEL}/attribute", f"{OTEL}/trace")
    level = apilevel.level(link)
    assert level.parts == () and level.too_old == f"{OTEL}/attribute.StringSliceValue"
    assert "stay its own" in (level.line() or "")


def test_reverse_meters_mirror_the_forward_ones() -> None:
    for file, text in bridge_rig.mirror().items():
        assert file.read_text() == text, f"{file.name}: PYTHONPATH=.:tests/lib python tests/lib/bridge_rig.py"


def test_what_the_bridge_imports_is_pinned() -> None:
    files = [file for file in BRIDGE.rglob("*.go") if not file.name.endswith("_test.go")]
    found = {name for file in files for name in IMPORT.findall(file.read_text())}
    assert f"{OTEL}/trace" in found
    assert found <= set(pins.pins().packages)
    assert not [file for file in files if "otelobj/hooks/sdk" in file.read_text()], "what package sdk sets up reaches the bridge through the API alone"


def test_build_tags_are_those_that_levels_give() -> None:
    used = {tag for file in BRIDGE.rglob("*.go") for tag in re.findall(r"^//go:build !?(\w+)$", file.read_text(), re.MULTILINE)}
    assert used == {*apilevel.TAGS, zone.WITHOUT_SDK}


def test_without_the_bridge_contexts_are_as_they_were(rig: Rig, tmp_path: Path) -> None:
    """The API's own tests of the files that are replaced, in the private copy, with nothing connected."""
    copy = shutil.copytree(rig.folder / "private", tmp_path / "private")
    prefix = {path.relative_to(copy).as_posix(): bridge_rig.PRIVATE for path in copy.rglob("*") if path.is_dir()}
    listed = go(rig.version, rig.folder / "listing", "list", "-m", "-f", "{{.Path}} {{.Dir}}", OTEL, f"{OTEL}/trace", **bridge_rig.SETTINGS)
    modules = {path: Path(folder) for path, folder in (line.split() for line in listed.splitlines())}
    needs = re.search(r"github\.com/stretchr/testify v\S+", (modules[OTEL] / "go.mod").read_text())
    assert needs
    (copy / "go.mod").write_text((copy / "go.mod").read_text() + f"require {needs[0]}\n")
    for module, below in ((OTEL, "trace"), (OTEL, "metric"), (OTEL, "baggage/context"), (f"{OTEL}/trace", "context")):
        test = modules[module] / f"{below}_test.go"
        (copy / module / below).with_name(test.name).write_text(bridge_rig.rewritten(test.read_text(), prefix))
    said = go(rig.version, copy, "test", f"./{OTEL}", f"./{OTEL}/trace", f"./{OTEL}/baggage", **bridge_rig.SETTINGS)
    assert said.count("ok ") == 3
