"""The report is what its schema says, whole or absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import fields, replace

import jsonschema
import pytest

from objinst.errors import OtelobjError
from objinst.plan.model import InlinedCall, Status, Target
from objinst import VERSION
from objinst.link.report import Clock, Report, write_report
from places import ROOT

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())
CALL = InlinedCall("net/http.send", "net/http/client.go", 260, "net/http.send", "net/http")
HOOKED = Target("r", "net/http.(*Transport).roundTrip", "net/http", "net/http/transport.go", 567, Status.HOOKED, "", True, True, 1, (CALL,))
REFUSED = replace(HOOKED, status=Status.REFUSED, reason="nosplit: it has no stack check", entry=False, exit=False)
MISSING = Target("typo", "", "net/http", "", 0, Status.MISSING, "missing: no such function", False, False, 0)
REPORT = Report("/tmp/prog", "go1.26.6", "linux", "amd64", VERSION, (HOOKED, REFUSED, MISSING), ("example.com/hooks",), {"read": 0.01, "link": 1})


def valid(raw: dict) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(raw)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_schema_and_code_name_the_same_fields():
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == {field.name for field in fields(Report)}
    target = SCHEMA["$defs"]["target"]
    assert set(target["properties"]) == set(target["required"]) == {field.name for field in fields(Target)}
    call = SCHEMA["$defs"]["inlined_call"]
    assert set(call["properties"]) == set(call["required"]) == {field.name for field in fields(InlinedCall)}
    assert set(target["properties"]["status"]["enum"]) == {status.value for status in Status}


def test_a_report_is_valid_and_reads_back():
    text = REPORT.to_json()
    jsonschema.validate(json.loads(text), SCHEMA)
    assert Report.from_json(text, "x") == REPORT


@pytest.mark.parametrize(
    "change",
    [
        {"goos": ""}, {"extra": 1}, {"seconds": {"link": -1}}, {"seconds": {"link": "1"}}, {"packages_linked_in": ["a", "a"]}, {"go_version": "1.26"},
        {"targets": [{"rule": "r"}]},
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_no_report(change):
    assert valid(json.loads(REPORT.to_json()))
    assert not valid(json.loads(REPORT.to_json()) | change)


@pytest.mark.parametrize(
    "change", [{"status": "maybe"}, {"line": -1}, {"reason": "x"}, {"status": "refused"}, {"symbol": ""}, {"inlined_callers": [{"line": 1}]}]
)
def test_the_schema_refuses_contradictions(change):
    raw = json.loads(REPORT.to_json())
    raw["targets"] = [raw["targets"][0] | change]
    assert not valid(raw)


def test_written_whole_and_replaced(tmp_path):
    place = tmp_path / "report.json"
    write_report(REPORT, str(place))
    write_report(replace(REPORT, binary="/tmp/other"), str(place))
    assert json.loads(place.read_text())["binary"] == "/tmp/other"
    assert list(tmp_path.iterdir()) == [place]


def test_no_place_no_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_report(REPORT, "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named_and_left_clean(tmp_path):
    with pytest.raises(OtelobjError, match=r"report .*/absent/report.json: No such file"):
        write_report(REPORT, str(tmp_path / "absent" / "report.json"))
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OtelobjError, match="Is a directory"):
        write_report(REPORT, str(folder))
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"targets": [{}]}', '{"targets": 3}', json.dumps(json.loads(REPORT.to_json()) | {"new": 1})])
def test_what_is_no_report_is_named(text):
    with pytest.raises(OtelobjError, match="r.json: not a report"):
        Report.from_json(text, "r.json")


def test_a_report_goes_through_no_link_of_others(tmp_path):
    """Where others can write, too, they cannot know the name under which it is written first."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / f".report.json.{os.getpid()}").symlink_to(precious)
    (tmp_path / "report.json").symlink_to(precious)
    write_report(REPORT, str(tmp_path / "report.json"))
    assert precious.read_text() == "precious"
    assert Report.from_json((tmp_path / "report.json").read_text(), "x") == REPORT


def test_steps_add_up_to_the_life_of_the_process():
    code = "import time; time.sleep(0.3); from objinst.link.report import Clock; c = Clock(); c.lap('a'); time.sleep(0.1); c.lap('b'); c.lap('a'); print(sum(c.steps.values()), *c.steps)"
    began = time.monotonic()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    assert said[1:] == ["a", "b"]
    assert 0.4 <= float(said[0]) <= time.monotonic() - began + 0.02


def test_the_table_has_the_steps_and_their_sum():
    lines = Clock(steps={"read": 0.25, "hook packages": 0.75, "link": 3.0}).table().splitlines()
    assert lines[0] == "otelobj: seconds of this link"
    assert [line.split() for line in lines[1:]] == [["read", "0.250", "6%"], ["hook", "packages", "0.750", "19%"], ["link", "3.000", "75%"], ["total", "4.000", "100%"]]
    assert len({len(line) for line in lines[1:]}) == 1
    assert Clock(steps={}).table().endswith("total            0.000    0%")
