"""A program that nobody here wrote, of over 700 packages, hooked everywhere: hugo builds a site as the plain hugo does.

The site takes it through Markdown, org mode, syntax highlighting, templates (methods called by reflection), taxonomies in two
languages, resized and filtered images, a bundle of TypeScript by esbuild, minification, and formulas by KaTeX, which runs as
WebAssembly compiled to machine code inside the process. Building it with `count` takes a minute and a half of processor time, with `stress` six.
"""

from __future__ import annotations

import functools
import json
import os
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from needs import emulator
from places import TESTBINS
import toolchains

SOURCE = TESTBINS / "hugo"
PACKAGE = "github.com/gohugoio/hugo"
VERSION = "1.26"
PAGES = 24
RULE = 'all:\n  target: "**"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
BUSY = [
    "github.com/yuin/goldmark/ast.(*Text).Kind", "github.com/evanw/esbuild/internal/js_lexer.(*Lexer).Next", "reflect.(*rtype).NumIn",
    "github.com/tetratelabs/wazero/internal/engine/wazevo/ssa.(*builder).allocateValue", "image/jpeg.fdct",
]  # fmt: skip
"""Functions of packages far apart that every build of the site calls over and over."""
pytestmark = pytest.mark.long


def go(goarch: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    env = toolchains.go_env(VERSION, goarch, OTELOBJ_DISABLE="all", **env)
    return subprocess.run(["go", *args], cwd=SOURCE, env=env, capture_output=True, text=True, check=False)


@functools.cache
def build_plain(goarch: str, folder: Path) -> Path:
    """hugo as the plain toolchain builds it."""
    packages = go(goarch, "list", "-deps", PACKAGE)
    if "dial tcp" in packages.stderr and not os.environ.get("OTELOBJ_CI"):
        pytest.skip("the module proxy cannot be reached")
    assert packages.returncode == 0, packages.stderr
    assert len(packages.stdout.split()) > 500
    made = folder / f"hugo-{goarch}"
    done = go(goarch, "build", "-o", str(made), PACKAGE)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site with pages in two languages, every fourth with an image."""
    made = tmp_path_factory.mktemp("site") / "site"
    for path in filter(Path.is_file, (SOURCE / "site").rglob("*")):
        copy = made / path.relative_to(SOURCE / "site")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for number in range(PAGES):
        bundle = made / f"content/posts/page-{number}"
        bundle.mkdir(parents=True)
        (bundle / "index.md").write_text(page(number, "en"))
        if number % 3 == 0:
            (bundle / "index.de.md").write_text(page(number, "de"))
        if number % 4 == 0:
            (bundle / "image.png").write_bytes(png(60 + number, 45))
    return made


def page(number: int, language: str) -> str:
    text = (SOURCE / "page.md").read_text()
    words = {
        "DATE": f"20{10 + number % 14}-0{1 + number % 9}-1{number % 10}T10:00:00Z",
        "TAGS": json.dumps([f"tag {number % k}" for k in (2, 3, 5)]),
        "SERIES": str(number % 4),
        "ODD": json.dumps(number % 2 == 1),
        "NUMBER": str(number),
        "LANGUAGE": language,
    }
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes((x * 255 // width, y * 255 // height, (x ^ y) & 255)) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def run(goarch: str, program: Path, site: Path, folder: Path) -> list[tuple[int, str, str]]:
    """Status and output of some of its commands in a new folder; a site in `public` there, what probes saw in `COMMAND.json`."""
    folder.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "HUGO_CACHEDIR": str(folder / "cache"), "HUGO_RESOURCEDIR": str(folder / "resources")}
    found = []
    for args in (["build", "--quiet", "--destination", str(folder / "public")], ["list", "all"], ["config"]):
        command = [*emulator(goarch), str(program), *args, "--source", str(site), "--noBuildLock"]
        env["OTELOBJ_PROBE_OUT"] = str(folder / f"{args[0]}.json")
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        found.append((done.returncode, done.stdout, done.stderr))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("probe", "goarch"), [("count", "amd64"), ("stress", "amd64"), ("count", "arm64")])
def test_hugo(probe: str, goarch: str, plain_folder: Path, site: Path, tmp_path: Path) -> None:
    emulator(goarch)
    plain = build_plain(goarch, plain_folder)
    rules, made, report, folder = (tmp_path / name for name in ("rules.yaml", "hugo", "report.json", "run"))
    rules.write_text(RULE.format(probe=probe))
    done = go(goarch, "build", f"-toolexec=otelobj --rules {rules}", "-o", str(made), PACKAGE, OTELOBJ_REPORT=str(report))
    assert done.returncode == 0, done.stderr
    assert sum(target["status"] == "hooked" for target in json.loads(report.read_text())["targets"]) > 100_000

    expected = run(goarch, plain, site, folder)
    folder.rename(tmp_path / "plain")
    assert run(goarch, made, site, folder) == expected
    assert [status for status, _, _ in expected] == [0, 0, 0]
    assert f"page-{PAGES - 1}" in expected[1][1]
    built = contents(tmp_path / "plain/public")
    assert len(built) > 100 and {Path(name).suffix for name in built} == {".html", ".xml", ".json", ".txt", ".css", ".js", ".png", ".jpg"}
    assert contents(folder / "public") == built
    assert b"<math" in built["posts/page-1/index.html"]
    calls = json.loads((folder / "build.json").read_text())["functions"]
    assert all(calls[name] > 100 for name in BUSY), {name: calls.get(name) for name in BUSY}
    assert len(calls) > 5_000
