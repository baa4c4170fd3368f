"""What is known of a hook set of the private zone: whom it serves, and what of it is the same on every machine. No Go here."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from objinst import hooktree
from objinst.gobuild.gocmd import Go
from objinst.hookpkgs import memory, zone
from objinst.hookpkgs.compile import ARCHIVE, KIND
from objinst.hookpkgs.known import PROGRAM, Known, Part, place_of
from objinst.hookpkgs.request import HookRequest
from objinst.store import cache

MODULES = {Path(folder).name: module for module, folder in hooktree.modules().items()}
RT, SDK, PROBE = (MODULES[name] for name in ("rt", "sdk", "probe"))
API = "otelobj.private/go.opentelemetry.io/otel"
BRIDGE, OBSERVED = "go.opentelemetry.io/contrib/bridges/prometheus", "github.com/prometheus/client_golang/prometheus"
ID = "build/content/"


def header(build_id: str) -> bytes:
    text = b'go object linux amd64 go1.26.8\nbuild id "' + build_id.encode() + b'"\n\n'
    return b"!<arch>\n" + f"{'_go_.o':<16}{0:<12}{0:<6}{0:<6}{0o644:<8o}{len(text):<10}".encode() + b"`\n" + text


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def compiled(number: int) -> str:
    """The key of an archive that is in the cache."""
    key = f"{number:064x}"
    cache.folder(KIND, key, lambda folder: (folder / ARCHIVE).write_bytes(header(f"{key}/{key}")))
    return key


def std(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / "go-build" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(header(f"action/{content}"))
    return path


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """rt, probe on it, and sdk on it and on OpenTelemetry's API. A program has fmt, and may have time."""
    keys = {name: compiled(number) for number, name in enumerate((RT, SDK, PROBE, API))}
    parts = {
        "fmt": Part("fmt1", "", "", ()),
        "time": Part("time1", str(std(tmp_path, "time", "time1")), "", ()),
        RT: Part(keys[RT], f"{KIND} {keys[RT]}", RT, ("fmt",)),
        API: Part(keys[API], f"{KIND} {keys[API]}", "go.opentelemetry.io/otel", ("time",)),
        SDK: Part(keys[SDK], f"{KIND} {keys[SDK]}", SDK, (RT, API)),
        PROBE: Part(keys[PROBE], f"{KIND} {keys[PROBE]}", PROBE, (RT,)),
    }
    modules = {RT: "(devel)", SDK: "(devel)", PROBE: "(devel)", "go.opentelemetry.io/otel": "v1.47.0"}
    return Known((PROBE, RT, SDK), parts, modules, (), (), (), {BRIDGE: (OBSERVED,)}, (), "go object linux amd64 go1.26.8", ("-trimpath",), {"CGO_ENABLED": "0"}, (), "", "a" * 64)


def request(*packages: str, **link: str) -> HookRequest:
    """link: package -> content; `__` stands for a slash, `_d_` for a dot."""
    contents = {name.replace("__", "/").replace("_d_", "."): content for name, content in link.items()}
    identities = {name: f"go object linux amd64 go1.26.8 action/{content}" for name, content in contents.items()}
    return HookRequest(tuple(packages), {name: Path("/work/b001") for name in contents}, identities, (), {}, Path("/"), "", Path("/"), "")


def test_it_serves_a_link_that_wants_all_of_it(known: Known) -> None:
    found = known.for_link(request(RT, SDK, PROBE, fmt="fmt1", time="time1"), None)
    assert found is not None and found[1] is known
    assert set(found[0].archives) == {RT, SDK, PROBE, API} and found[0].uses == ("fmt", "time") and found[0].modules == known.modules


def test_it_serves_a_link_that_wants_a_part(known: Known) -> None:
    """What only the others import is left out, in the build information too."""
    found = known.for_link(request(RT, PROBE, fmt="fmt1"), None)
    assert found is not None
    assert set(found[0].archives) == {RT, PROBE} and found[0].uses == ("fmt",) and set(found[0].modules) == {RT, PROBE}


def test_it_serves_no_link_with_other_contents(known: Known) -> None:
    assert known.for_link(request(RT, PROBE, fmt="fmt2"), None) is None
    assert known.for_link(request(RT, PROBE, fmt="fmt1", time="time2"), None) is not None, "nothing of probe imports time"
    assert known.for_link(request(RT, SDK, fmt="fmt1", time="time2"), None) is None


def test_it_serves_a_link_whose_standard_library_has_the_same_fingerprints(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a profile makes it: other code, the same export data. For packages of modules the content decides."""
    found = {"/cache/same": b"12345678", "/cache/other": b"87654321"}
    monkeypatch.setattr("objinst.hookpkgs.known.fingerprint", lambda path: found[str(path)])
    made = replace(known, parts={**known.parts, "fmt": replace(known.parts["fmt"], fingerprint=b"12345678".hex()), "m.com/lib": Part("lib1", PROGRAM, "", ())})
    made = Known.of(json.loads(json.dumps(made.json())))

    def wants(fmt: str, **link: str) -> HookRequest:
        wanted = request(RT, SDK, PROBE, **{"fmt": "fmt2", "time": "time1", "m_d_com__lib": "lib1"} | link)
        return replace(wanted, link={name: Path(fmt) for name in wanted.link})

    assert made.for_link(wants("/cache/same"), None) is not None
    assert made.for_link(wants("/cache/other"), None) is None
    assert made.for_link(wants("/cache/same", m_d_com__lib="lib2"), None) is None


def test_it_serves_no_link_that_wants_more(known: Known) -> None:
    assert known.for_link(request(RT, PROBE, "example.com/mine", fmt="fmt1"), None) is None


def test_it_serves_no_link_that_is_observed_otherwise(known: Known) -> None:
    """Remembered of a program without Prometheus' client, it must not take the bridge away from one that has it, nor the other way round."""
    observed = {"fmt": "fmt1", "time": "time1", "github_d_com__prometheus__client_golang__prometheus": "prom"}
    assert known.for_link(request(RT, SDK, PROBE, **observed), None) is None
    with_bridge = replace(known, apart=(BRIDGE,))
    assert with_bridge.for_link(request(RT, SDK, PROBE, **observed), None) is not None
    assert with_bridge.for_link(request(RT, SDK, PROBE, fmt="fmt1", time="time1"), None) is None


def test_it_serves_no_link_without_a_package_that_is_the_programs(known: Known) -> None:
    parts = {**known.parts, "m.com/lib": Part("lib1", PROGRAM, "", ())}
    made = Known.of(json.loads(json.dumps(replace(known, parts=parts).json())))
    assert made.for_link(request(RT, SDK, PROBE, fmt="fmt1", time="time1", m_d_com__lib="lib1"), None) is not None
    assert made.for_link(request(RT, SDK, PROBE, fmt="fmt1", time="time1"), lambda names: {"m.com/lib": Path("/x")}) is None


def test_it_serves_no_link_that_has_a_hook_package_itself(known: Known) -> None:
    own = {RT.replace("/", "__").replace(".", "_d_"): "other", "fmt": "fmt1"}
    assert known.for_link(request(RT, PROBE, **own), None) is None


def test_sources_that_went_are_missed_only_by_who_wants_them(known: Known, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link does without them; `otelobj cache warm` brings them back. Those that are there are as young as the last link."""
    monkeypatch.setattr(zone, "_std_state", lambda _: "")
    memo = place / "closure" / "x.json"
    memo.parent.mkdir(mode=0o700)
    memory.add(memo, known.json())
    wanted = request(RT, SDK, PROBE, fmt="fmt1", time="time1")
    go = Go(Path("/"), {})
    assert known.made_from() == [("hooks", known.hooks)]
    assert zone._remembered(memo, wanted, go, None, whole=False) and not zone._remembered(memo, wanted, go, None, whole=True)
    sources = cache.folder("hooks", known.hooks, lambda folder: (folder / "rt.go").write_text("package rt\n"))
    os.utime(sources, (0, 0))
    assert zone._remembered(memo, wanted, go, None, whole=False) and sources.stat().st_mtime > 0
    assert zone._remembered(memo, wanted, go, None, whole=True)


def test_an_archive_that_went_is_missed(known: Known, place: Path) -> None:
    (place / KIND / "00" / known.parts[API].key / ARCHIVE).unlink()
    assert known.for_link(request(RT, SDK, fmt="fmt1", time="time1"), None) is None
    assert known.for_link(request(RT, PROBE, fmt="fmt1"), None) is not None


def test_what_is_missing_of_std_is_asked_for(known: Known, tmp_path: Path) -> None:
    """On another machine the path leads nowhere; the go command there has an archive with the same content, or another."""
    elsewhere = known.portable()
    wants = request(RT, SDK, fmt="fmt1")
    assert elsewhere.parts["time"].place == "" and elsewhere.for_link(wants, None) is None
    asked = []

    def exports(names):
        asked.extend(names)
        return {"time": std(tmp_path, "theirs", "time1")}

    found = elsewhere.for_link(wants, exports)
    assert found is not None and asked == ["time"]
    hook_set, now = found
    assert hook_set.archives["time"] == tmp_path / "go-build" / "theirs"
    assert now.for_link(wants, None) is not None, "the next link need not ask"
    assert elsewhere.for_link(wants, lambda _: {"time": std(tmp_path, "other", "time2")}) is None
    assert elsewhere.for_link(wants, lambda _: {}) is None


def test_through_json(known: Known) -> None:
    assert Known.of(json.loads(json.dumps(known.json()))) == known


def test_no_path_of_this_machine_is_carried(known: Known, tmp_path: Path) -> None:
    assert str(tmp_path) in json.dumps(known.json())
    assert str(tmp_path) not in json.dumps(known.portable().json()) and known.portable().portable() == known.portable()
    assert known.is_portable and not replace(known, apart=(BRIDGE,)).is_portable and not replace(known, roots=(RT, "example.com/mine")).is_portable


@pytest.mark.parametrize(
    "change",
    [
        {"parts": 7}, {"parts": [["fmt", "c", "", ""]]}, {"parts": [["fmt", "c", "", "", [9], ""]]}, {"parts": [["fmt", "c", "compiled ../../x", "", [], ""]]},
        {"parts": [["fmt", "c", "relative/path", "", [], ""]]}, {"parts": [[1, "c", "", "", [], ""]]}, {"parts": [["fmt", "c", "", "", [], 1]]}, {"roots": "rt"}, {"roots": [1]}, {"sources": "../x"}, {"env": []},
        {"modules": {"a": 1}}, {"watched": {"a": "b"}}, {"header": None}, {"more": 1},
    ],
)  # fmt: skip
def test_nonsense_is_refused(known: Known, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Known.of(known.json() | change)


def test_place_of(place: Path) -> None:
    key = compiled(3)
    assert place_of(place / KIND / key[:2] / key / ARCHIVE) == f"{KIND} {key}"
    assert place_of(Path("/home/me/.cache/go-build/ab/abcd-d")) == "/home/me/.cache/go-build/ab/abcd-d"
    assert place_of(Path(f"/other/{KIND}/{key[:2]}/{key}/{ARCHIVE}")).startswith("/other")


def test_another_toolchain_in_the_same_place_is_asked_again(known: Known, tmp_path: Path) -> None:
    """A distribution mends the standard library without another version: what the link has is the same, what it lacks is not."""
    made = replace(known, std="before")
    wants = request(RT, SDK, fmt="fmt1")
    assert made.for_link(wants, None, "before") is not None
    assert made.for_link(wants, None, "after") is None
    assert made.for_link(wants, lambda _: {"time": std(tmp_path, "mended", "time2")}, "after") is None
    same = made.for_link(wants, lambda _: {"time": std(tmp_path, "moved", "time1")}, "after")
    assert same is not None and same[0].archives["time"] == tmp_path / "go-build" / "moved"
    assert same[1].for_link(wants, None, "after") is not None and same[1].for_link(wants, None, "before") is None


@pytest.mark.parametrize(
    ("version", "is_replaced", "joins"),
    [("v1.20.0", False, "`go get go.opentelemetry.io/otel@latest`"), ("v1.999.0", False, "a newer otelobj (this one knows v1."), ("v1.20.0", True, "without the replace directive"),
     ("", False, "`go get go.opentelemetry.io/otel@latest`")],
)  # fmt: skip
def test_what_joins_spans_that_are_not_bridged(version: str, is_replaced: bool, joins: str) -> None:
    assert joins in zone._joining("go.opentelemetry.io/otel", version, is_replaced=is_replaced)
