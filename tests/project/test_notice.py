"""What is linked into users' programs is written down: NOTICE, and a bill of materials of a program."""

from __future__ import annotations

import json
import subprocess
import sys

from places import LAUNCHER, ROOT
from toolchains import goroot
from toolexec_case import Case

from objinst.cli import sbom



def test_notice_has_the_licence_of_every_module(monkeypatch):
    done = subprocess.run([sys.executable, "docs/notice.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "python docs/notice.py writes it anew\n" + done.stderr


INFO = """app: go1.26.6
\tpath\texample.com/app
\tmod\texample.com/app\tv1.2.3\t
\tdep\texample.com/a/b\tv0.1.0\th1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
\tdep\texample.com/old\tv1.0.0\th1:AAAA
\t=>\texample.com/new\tv2.0.0\t
\tbuild\t-compiler=gc
"""


def test_build_info_becomes_a_bill():
    found = list(sbom.modules(INFO))
    assert [(m.path, m.version) for m in found] == [("example.com/app", "v1.2.3"), ("example.com/a/b", "v0.1.0"), ("example.com/new", "v2.0.0")]
    bom = json.loads(sbom.bill(found, ("example.com/a/b/c",), "app"))
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["name"] == "example.com/app"
    first, second = sorted(bom["components"], key=lambda component: component["name"])
    assert first["purl"] == "pkg:golang/example.com/a/b@v0.1.0"
    assert first["hashes"] == [{"alg": "SHA-256", "content": "".join(f"{byte:02x}" for byte in range(32))}]
    assert first["properties"] == [{"name": "otelobj:linked-in", "value": "true"}]
    assert "properties" not in second


def test_a_bill_of_a_real_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", f"{goroot('1.26')}/bin:/usr/bin:/bin")
    case = Case(tmp_path / "m")
    done = case.build(OTELOBJ_REPORT=str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    assert sbom.command.main(["--report", str(tmp_path / "report.json"), "-o", str(tmp_path / "bom.json"), str(case.folder / "prog")], standalone_mode=False) == 0
    bom = json.loads((tmp_path / "bom.json").read_text())
    brought = [component["name"] for component in bom["components"] if component.get("properties")]
    assert "github.com/otelobj/otelobj/hooks/rt" in brought


def test_what_is_no_program_is_one_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{goroot('1.26')}/bin:/usr/bin:/bin")
    (tmp_path / "text").write_text("no program")
    done = subprocess.run([LAUNCHER, "sbom", str(tmp_path / "text")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is it a program" in done.stderr and "Traceback" not in done.stderr
