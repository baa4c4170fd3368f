"""`otelobj cache`: what it shows, and which files it exports and takes. No Go here, but for the last part."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import toolchains
from objinst import cli, hooktree
from objinst.errors import OtelobjError, UsageError
from objinst.hookpkgs import carry, libraries, memory, warm, zone
from objinst.hookpkgs.compile import ARCHIVE, KIND
from objinst.hookpkgs.known import Known, Part
from objinst.paths import hooks_dir
from objinst.store import bundle, cache
from objinst.store.digest import own_digest
from places import LAUNCHER, ROOT

MODULES = {Path(folder).name: module for module, folder in hooktree.modules().items() if not libraries.observed(hooks_dir(), [module])}
"""But for those of libraries that are compiled against the program's copy."""
HEADER = "go object linux amd64 go1.26.8 GOAMD64=v1 X:regabiargs"
SOURCES, HOOKS = "5" * 64, "6" * 64


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entry(kind: str, digest: str, name: str) -> None:
    cache.folder(kind, digest, lambda folder: (folder / name).write_bytes(digest.encode() * 50))


def known(*names: str, content: str = "c1", flags: tuple[str, ...] = ()) -> Known:
    """A hook set in the cache, of hooks by name and one package of std."""
    for kind, digest in (("sources", SOURCES), ("hooks", HOOKS)):
        entry(kind, digest, "a.go")
    parts = {"time": Part(content, "/home/me/.cache/go-build/ab/abcd-d", "", ())}
    for name in names:
        key = "00" + hashlib.sha256(f"{name} {content}".encode()).hexdigest()[2:]
        entry(KIND, key, ARCHIVE)
        parts[MODULES[name]] = Part(key[:20], f"{KIND} {key}", MODULES[name], ("time",))
    made = Known(tuple(sorted(MODULES[name] for name in names)), parts, {MODULES[name]: "(devel)" for name in names}, (), (), (), {}, (), HEADER, flags, {"CGO_ENABLED": "0"}, (), SOURCES, HOOKS)
    memory.add(cache.ready() / "closure" / f"{zone.key(made)}.json", made.json())
    return made


def run(*args: str) -> str:
    done = subprocess.run([sys.executable, "-m", "objinst", "cache", *args], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_info_of_a_cache_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache", "info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(place) and not found["exists"] and found["bytes"] == 0 and found["warm"] == [] and not place.exists()


def test_info(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known(*MODULES, flags=("-trimpath",))
    known("rt", "probe")
    assert cli.main(["cache", "info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exists"] and found["owner"] == os.geteuid() and found["mode"] == "700" and found["limit"] == 5 * 10**9
    assert found["kinds"]["sources"] == {"bytes": 3200 + (place / "sources/55" / SOURCES / cache.RECORD).stat().st_size, "files": 2}
    states = {tuple(item["flags"]): item for item in found["warm"]}
    assert states["-trimpath",]["complete"] and not states[()]["complete"] and states[()]["hooks"] == ["probe", "rt"]
    assert states["-trimpath",]["packages"] == len(MODULES) and states["-trimpath",]["env"] == {"CGO_ENABLED": "0"}
    (place / KIND / "00" / known("rt").parts[MODULES["rt"]].key / ARCHIVE).unlink()
    assert cli.main(["cache"]) == 0
    said = capsys.readouterr().out
    assert f"{place} ($OTELOBJ_CACHE_DIR), of user {os.geteuid()}, mode 700" in said
    assert "1 of its archives missing: go1.26.8 linux/amd64 GOAMD64=v1 without cgo -trimpath" in said


def test_a_part_of_another_hook_set_is_not_shown_twice() -> None:
    known("rt")
    known("rt", "probe")
    known("rt", content="c2")
    assert sorted(sorted(found.known.roots) for found in carry.warm()) == [[MODULES["probe"], MODULES["rt"]], [MODULES["rt"]]]


def test_there_and_back(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made = known(*MODULES)
    entry("archive", "7" * 64, "copy.a")  # of some program: nobody else's business
    assert cli.main(["cache", "export", str(tmp_path / "x")]) == 0
    digest = re.findall(r"SHA-256 ([0-9a-f]{64})$", capsys.readouterr().out)[0]
    content = (tmp_path / "x").read_bytes()
    assert cli.main(["cache", "export", str(tmp_path / "x")]) == 0 and (tmp_path / "x").read_bytes() == content
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "elsewhere"))
    capsys.readouterr()
    assert cli.main(["cache", "import", str(tmp_path / "x"), "--sha256", digest.upper()]) == 0
    assert re.search(rf"{len(MODULES) + 2} entries added .* 0 were there", capsys.readouterr().out)
    assert [found.known for found in carry.warm()] == [made.portable()] and not carry.warm()[0].missing
    assert not cache.has("archive", "7" * 64) and str(place) not in (tmp_path / "x").read_bytes().decode("latin-1")
    assert cli.main(["cache", "import", str(tmp_path / "x")]) == 0
    assert re.search(rf"0 entries added .* {len(MODULES) + 2} were there", capsys.readouterr().out)
    assert [found.known for found in carry.warm()] == [made.portable()]
    assert cli.main(["cache", "export", str(tmp_path / "y")]) == 0 and (tmp_path / "y").read_bytes() == content


def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(OtelobjError, match="no hook packages") as caught:
        cli.main(["cache", "export", str(tmp_path / "x")])
    assert "otelobj cache warm" in caught.value.remedy and not (tmp_path / "x").exists()


def test_another_file_than_the_expected(place: Path, tmp_path: Path) -> None:
    known("rt")
    cli.main(["cache", "export", str(tmp_path / "x")])
    with pytest.raises(OtelobjError, match="has the SHA-256"):
        cli.main(["cache", "import", str(tmp_path / "x"), "--sha256", "0" * 64])


def test_a_file_that_is_too_large(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known("rt")
    cli.main(["cache", "export", str(tmp_path / "x")])
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(OtelobjError, match="the limit is 1000") as caught:
        cli.main(["cache", "import", str(tmp_path / "x"), "--limit", "1K"])
    assert "--limit" in caught.value.remedy and not (tmp_path / "elsewhere" / KIND).exists()
    with pytest.raises(UsageError, match="--limit=much"):
        cli.main(["cache", "import", str(tmp_path / "x"), "--limit", "much"])


def forged(path: Path, **more: object) -> None:
    """An export of what is in the cache, whose manifest says something else."""
    sets = carry.warm()
    memories = {found.memo: [found.known.portable().json()] for found in sets}
    entries = [bundle.Entry.read(kind, digest) for kind, digest in sets[0].entries]
    about = {"otelobj": "0", "digest": own_digest(), "hooks": zone.hooks_digest(), "memories": memories, "toolchains": []}
    bundle.write(path, about | more, entries)


@pytest.mark.parametrize("other", [{"digest": "0" * 64}, {"hooks": "0" * 64}, {"digest": None}])
def test_the_file_of_another_otelobj(tmp_path: Path, other: dict[str, object]) -> None:
    known("rt")
    forged(tmp_path / "x", otelobj="7.1", **other)
    with pytest.raises(OtelobjError, match=r"made by otelobj 7\.1") as caught:
        carry.take_in(tmp_path / "x")
    assert "export it with" in caught.value.remedy


def test_a_hook_set_that_is_not_for_everybody(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No path of the maker's, no key that does not belong to it, no archive that is not in the file, no other kind."""
    made = known("rt")
    memo = zone.key(made)
    good = made.portable().json()
    unprintable = [replace(made.portable(), **{name: value}) for name, value in (("header", f"{HEADER}\n\x1b[2J"), ("flags", ("-tags=\x1b]0;x\x07",)))]
    for memories, said in (
        ({memo: [made.json()]}, "not for every machine"),
        ({"0" * 64: [good]}, "not for every machine"),
        ({memo: [good | {"roots": [MODULES["rt"], "example.com/mine"]}]}, "not for every machine"),
        ({memo: [good | {"sources": "8" * 64}]}, "needs entries that it has not"),
        ({memo: [good | {"parts": [["rt", "c", f"{KIND} {'8' * 64}", "", [], ""]]}]}, "needs entries that it has not"),
        ({memo: [good | {"parts": [["rt", "c", f"{KIND} ../../x", "", [], ""]]}]}, "makes no sense"),
        ({memo: 7}, "makes no sense"),
        ({memo: []}, "makes no sense: no hook sets"),
        ({memo: {}}, "makes no sense: no hook sets"),
        ({"/../../../x": []}, "makes no sense: .* is no key"),
        ({memo.upper(): [good]}, "makes no sense: .* is no key"),
        *(({zone.key(bad): [bad.json()]}, "what no terminal shows") for bad in unprintable),
        (7, "makes no sense"),
    ):
        monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(place))
        forged(tmp_path / "x", memories=memories)
        monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "elsewhere"))
        with pytest.raises(OtelobjError, match=said):
            carry.take_in(tmp_path / "x")
        assert not (tmp_path / "elsewhere").exists() and not (tmp_path / "x.lock").exists()


def test_an_import_says_what_its_hook_sets_are_for_not_what_the_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known("rt")
    forged(tmp_path / "x", toolchains=["\x1b[2Jtrust me", 7])
    assert cli.main(["cache", "import", str(tmp_path / "x")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("  go1.26.8 linux/amd64 GOAMD64=v1 without cgo\n0 entries added") and "trust" not in said
    forged(tmp_path / "x", toolchains=7)
    assert cli.main(["cache", "import", str(tmp_path / "x")]) == 0


# warm


def test_settings_of_flags() -> None:
    given = "-race -mod=mod -trimpath=false -tags=netgo,osusergo --buildmode=pie -toolexec='otelobj --rules x' -ldflags=-s -buildvcs=false"
    assert warm.settings_of(given) == {"-race": "true", "-tags": "netgo,osusergo", "-buildmode": "pie"}
    assert warm.settings_of("-buildmode=exe") == {}
    with pytest.raises(UsageError, match="No closing quotation"):
        warm.settings_of("'")
    assert warm.settings_of("-race -tags=netgo", strict=True) == {"-race": "true", "-tags": "netgo"}
    with pytest.raises(UsageError, match="-rase decides nothing") as caught:
        warm.settings_of("-rase", strict=True)
    assert "-race" in caught.value.remedy


def test_what_is_not_whole_is_not_exported(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known("rt")
    gone = known("rt", flags=("-trimpath",), content="c2")
    (place / KIND / "00" / gone.parts[MODULES["rt"]].key / ARCHIVE).unlink()
    assert cli.main(["cache", "export", str(tmp_path / "x")]) == 0
    assert "left out: go1.26.8 linux/amd64 GOAMD64=v1 without cgo -trimpath: 1 of its archives are missing" in capsys.readouterr().err
    with tarfile.open(tmp_path / "x", "r:xz") as tar:
        manifest = tar.extractfile(bundle.MANIFEST)
        assert manifest is not None and len(json.load(manifest)["toolchains"]) == 1


def test_hooks_by_name() -> None:
    assert warm.packages([]) == sorted(MODULES.values()) and warm.packages(["probe"]) == [MODULES["probe"], MODULES["rt"]]
    with pytest.raises(UsageError, match="no hooks called tracing") as caught:
        warm.packages(["tracing", "rt"])
    assert all(name in caught.value.remedy for name in MODULES)


def test_what_a_toolchain_is_too_old_for() -> None:
    assert warm.fitting(sorted(MODULES.values()), "go1.23.4") == [MODULES["probe"], MODULES["rt"]]
    assert warm.fitting(sorted(MODULES.values()), "go object linux arm64 go1.24.0 X:none") == sorted(MODULES.values())


def test_a_folder_that_is_no_toolchain(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no bin/go"):
        cli.main(["cache", "warm", "--go", str(tmp_path)])


def otelobj(place: Path, *args: str | Path, goroot: Path) -> subprocess.CompletedProcess[str]:
    env = toolchains.go_env("1.26") | {"OTELOBJ_CACHE_DIR": str(place), "GOPROXY": "off", "PATH": f"{goroot}/bin:{os.environ['PATH']}"}
    done = subprocess.run([LAUNCHER, "cache", *args], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_two_folders_two_toolchains_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of this machine is in keys or archives: not where the toolchain is, nor the cache, nor the build cache."""
    root = toolchains.goroot("1.26")
    other = tmp_path / "go elsewhere"
    other.mkdir()
    for item in root.iterdir():  # another GOROOT to the go command, without copying all of it
        if item.name != "bin":
            (other / item.name).symlink_to(item)
    (other / "bin").mkdir()
    (other / "bin" / "go").write_bytes((root / "bin" / "go").read_bytes())
    (other / "bin" / "go").chmod(0o755)
    first = otelobj(tmp_path / "one", "warm", "--go", root, "--hooks", "probe", "--trimpath", goroot=root)
    assert re.search(r"^otelobj: compiling \d+ packages for go1\.26\.\d+ linux/amd64 without cgo -trimpath$", first.stderr, re.MULTILINE), first.stderr
    otelobj(tmp_path / "two", "warm", "--go", other, "--hooks", "probe,rt", "--flags", "-trimpath", goroot=root)
    for name in ("one", "two"):
        otelobj(tmp_path / name, "export", tmp_path / f"{name}.otelobj", goroot=root)
    assert (tmp_path / "one.otelobj").read_bytes() == (tmp_path / "two.otelobj").read_bytes()
    again = otelobj(tmp_path / "one", "warm", "--go", other, "--hooks", "probe", goroot=root)
    assert "nothing to compile" in again.stdout and again.stderr == ""
    otelobj(tmp_path / "three", "import", tmp_path / "one.otelobj", goroot=root)
    found = json.loads(otelobj(tmp_path / "three", "info", "--json", goroot=root).stdout)
    assert [item["flags"] for item in found["warm"]].count(["-trimpath"]) == 1 and len(found["warm"]) == 2 and not any(item["missing"] for item in found["warm"])
