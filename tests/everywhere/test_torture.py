"""What `python -m torture` makes of Go's test directory, of `go test -json`, of time limits and of known differences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import TESTS
from torture import godir, known, process, suites, table
from torture.model import Config, Difference, Form, Mode, Result, Verdict, excerpt
from torture.programs import lay_out
from torture.session import Choice, State, Unit, execute

DEFAULT = Config("1.26")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("// run\n\npackage main\n", godir.Program("a.go", "run", (), ())),
        ("// run arg1 arg2\n\npackage main\n", godir.Program("a.go", "run", (), ("arg1", "arg2"))),
        ("// run b.go\n\npackage main\n", godir.Program("a.go", "run", (), (), ("b.go",))),
        ('// run -gcflags="-l -d=x"\n\npackage main\n', godir.Program("a.go", "run", ("-gcflags=-l -d=x",), ())),
        ("// run -gcflags -l=4\n\npackage main\n", godir.Program("a.go", "run", ("-gcflags=-l=4",), ())),
        ("// rundir -ldflags -strictdups=2 -w=0\n\npackage ignored\n", godir.Program("a.go", "rundir", ("-ldflags", "-strictdups=2", "-w=0"), ())),
        ("// buildrun -t 10  -gcflags=-d=a/on,b/on\n\npackage main\n", godir.Program("a.go", "buildrun", ("-gcflags=-d=a/on,b/on",), ())),
        ("// errorcheckandrundir -1\n\npackage ignored\n", godir.Program("a.go", "errorcheckandrundir", (), ())),
        ("// run -goexperiment fieldtrack\n\npackage main\n", godir.Program("a.go", "run", (), (), experiments="fieldtrack")),
        ("// +build !nacl,!js amd64\n// run\n\npackage main\n", godir.Program("a.go", "run", (), (), constraint="((!nacl && !js) || (amd64))")),
        ("// run\n\n//go:build arm64 && !race\n\npackage main\n", godir.Program("a.go", "run", (), (), constraint="(arm64 && !race)")),
        ("// errorcheck -0 -m\n\npackage main\n", None),
        ("// skip\n\npackage main\n", None),
        ("\n// run\n\npackage main\n", None),
    ],
)  # fmt: skip
def test_recipe(text: str, expected: godir.Program | None, tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text(text)
    assert godir.recipe(tmp_path, tmp_path / "a.go") == expected


@pytest.mark.parametrize(
    ("constraint", "config", "expected"),
    [
        ("", DEFAULT, True), ("(linux && (arm64 || amd64))", DEFAULT, True), ("(!linux)", DEFAULT, False), ("(arm64)", Config("1.26", "arm64"), True),
        ("(cgo)", DEFAULT, False), ("(cgo)", Config("1.26", form=Form.RACE), True), ("(gc && !gcflags_noopt)", Config("1.26", form=Form.NOOPT), False),
        ("(goexperiment.unified)", DEFAULT, False),
    ],
)  # fmt: skip
def test_constraints(constraint: str, config: Config, expected: bool) -> None:
    assert godir.holds(constraint, config) is expected


def test_directory_programs_become_modules(tmp_path: Path) -> None:
    source, module = tmp_path / "x.dir", tmp_path / "module"
    source.mkdir()
    module.mkdir()
    (source / "a.go").write_text("package a\n")
    (source / "a2.go").write_text('package a\n\nimport "./nothing"\n')
    (source / "main.go").write_text('package main\n\nimport (\n\t"fmt"\n\t. "./a"\n)\n\nvar s = "./a"\n')
    assert lay_out(source, module, single=False) == "main"
    assert {str(path.relative_to(module)) for path in module.rglob("*.go")} == {"a/a.go", "a/a2.go", "main/main.go"}
    assert (module / "main/main.go").read_text() == 'package main\n\nimport (\n\t"fmt"\n\t. "test/a"\n)\n\nvar s = "./a"\n'
    assert 'import "test/nothing"' in (module / "a/a2.go").read_text()


def finished(*events: dict[str, str], status: int = 0, plain: str = "") -> process.Finished:
    return process.Finished(status, "\n".join([*map(json.dumps, events), plain]), 1.0, 1.0, "")


def event(action: str, test: str = "", output: str = "") -> dict[str, str]:
    return {"Action": action, "Package": "p"} | ({"Test": test} if test else {}) | ({"Output": output} if output else {})


def test_results_of_tests() -> None:
    done = suites.read(finished(event("run", "TestA"), event("pass", "TestA"), event("run", "TestB"), event("fail", "TestB"), event("fail")))
    assert (done.results, done.ended, done.built) == ({"TestA": "pass", "TestB": "fail"}, "fail", True)


def test_crash_is_put_down_to_the_test_that_the_traceback_names() -> None:
    trace = "fatal error: found bad pointer\n\ngoroutine 7 [running]:\np.helper(...)\np.TestB.func1()\n\t/p_test.go:3\n"
    events = [event("run", "TestA"), event("run", "TestB"), event("run", "TestC"), event("output", "TestC", trace), event("output", "", "exit status 2\n")]
    done = suites.read(finished(*events, event("fail")))
    assert (done.ended, done.culprit) == ("crash", "TestB")
    assert suites.DAMAGE.search(done.output)


def test_addresses_in_names_of_subtests_do_not_count() -> None:
    first, second = (suites.read(finished(event("pass", f"TestAs/0:As(_0x{address})"), event("pass"))) for address in ("232eb7cfe090", "17237865e000"))
    assert first.results == second.results and len(first.results) == 1


def test_package_that_does_not_build() -> None:
    done = suites.read(finished(event("output", "", "FAIL\tp [build failed]\n"), event("fail"), plain="p.go:1: wrong"))
    assert not done.built


class Scripted(suites.Suite):
    """Answers of the go command, in order, by (mode, only)."""

    def __init__(self, answers: dict[tuple[Mode | None, bool], list[suites.Tested]]) -> None:
        super().__init__("std", "p", DEFAULT, Path("/"), Path("/"), 1)
        self.answers = answers

    def test(self, mode: Mode | None, only: str = "", skip: object = ()) -> suites.Tested:
        found = self.answers[(mode, bool(only))]
        return found.pop(0) if len(found) > 1 else found[0]


def outcome(output: str = "", **results: str) -> suites.Tested:
    return suites.Tested(dict(results), {test: output for test in results}, ended="fail" if "fail" in results.values() else "pass", output=output)


@pytest.mark.parametrize(
    ("plain_alone", "hooked_alone", "output", "verdict"),
    [
        (["pass"], ["fail"], "", Verdict.DIFFERENT),
        (["pass"], ["pass"], "", Verdict.ONCE),
        (["pass"], ["pass", "pass", "fail"], "", Verdict.DIFFERENT),
        (["pass", "fail"], ["fail"], "", Verdict.FLAKY),
        (["pass"], ["pass"], "fatal error: found bad pointer in Go heap", Verdict.DIFFERENT),
    ],
)  # fmt: skip
def test_a_difference_is_told_from_a_flake(plain_alone: list[str], hooked_alone: list[str], output: str, verdict: Verdict) -> None:
    suite = Scripted({
        (None, False): [outcome(TestA="pass", TestB="pass")],
        (Mode.HOT, False): [outcome(output, TestA="pass", TestB="fail")],
        (None, True): [outcome(TestB=result) for result in plain_alone],
        (Mode.HOT, True): [outcome(TestB=result) for result in hooked_alone],
    })  # fmt: skip
    (result,) = suite.compare([Mode.HOT])
    assert [(difference.test, difference.verdict) for difference in result.differences] == [("TestB", verdict)]
    assert result.verdict is verdict and result.compared == 2


def test_a_test_that_is_lost_is_a_difference() -> None:
    suite = Scripted({
        (None, False): [outcome(TestA="pass", TestB="pass")], (Mode.HOT, False): [outcome(TestA="pass")],
        (None, True): [outcome(TestB="pass")], (Mode.HOT, True): [outcome()],
    })  # fmt: skip
    (result,) = suite.compare([Mode.HOT])
    assert [(d.test, d.plain, d.hooked, d.verdict) for d in result.differences] == [("TestB", "pass", "none", Verdict.DIFFERENT)]


@pytest.mark.parametrize(
    ("script", "limit", "end"),
    [("exit 3", 60, "exit 3"), ("kill -11 $$", 60, "signal 11"), ("while :; do :; done", 0.2, "slow")],
)  # fmt: skip
def test_ends(script: str, limit: float, end: str) -> None:
    assert process.run(["sh", "-c", script], Path("/"), os.environ, limit).end == end


def test_what_sleeps_for_ever_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ASLEEP", 2)
    assert process.run(["sh", "-c", "sleep 1000 & wait"], Path("/"), os.environ, 0.1).end == "hang"


def difference(verdict: Verdict = Verdict.DIFFERENT) -> Difference:
    return Difference("TestSizeof", "pass", "fail", "sizeof(g) = 8", verdict)


def result(name: str = "runtime", **more: object) -> Result:
    fields: dict[str, object] = {"suite": "std", "name": name, "config": DEFAULT.key, "mode": "hot", "verdict": Verdict.DIFFERENT, "differences": [difference()]}
    return Result(**(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "explained"),
    [
        ("test: TestSizeof\n  hooked: fail", True), ("test: 'Test*'\n  output: 'sizeof\\(g\\)'", True), ("test: TestSizeof\n  output: other", False), ("output: sizeof", False),
        ("test: TestSizeof\n  hooked: fail\n  modes: [count]", False), ("test: TestSizeof\n  hooked: fail\n  configs: ['*-race']", False), ("test: TestSizeof\n  hooked: crash", False),
    ],
)  # fmt: skip
def test_known_differences(entry: str, explained: bool, tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text(f"- suite: std\n  name: runtime\n  cause: the runtime has a larger g\n  {entry}\n")
    found = known.explain(result(), known.load(tmp_path / "known.yaml"))
    assert (found.verdict is Verdict.KNOWN) is explained
    assert ("a larger g" in table.render([found], {})) is explained


@pytest.mark.parametrize("entry", ["suite: std\n  name: '*'\n  cause: all", "suite: std\n  name: a\n  hooked: fail", "suite: std\n  name: a\n  cause: b\n  hooked: c\n  typo: d"])
def test_known_differences_must_say_what_they_look_like(entry: str, tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text(f"- {entry}\n")
    with pytest.raises(ValueError, match=r"known\.yaml: entry 1: "):
        known.load(tmp_path / "known.yaml")


def test_own_known_differences_can_be_read() -> None:
    assert all(len(entry.cause) > 20 for entry in known.load())


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    ran: list[str] = []

    def unit(name: str) -> Unit:
        def work(modes: object) -> list[Result]:
            if name == "c" and "c" not in ran:
                ran.append(name)
                raise KeyboardInterrupt
            ran.append(name)
            return [result(name, verdict=Verdict.SAME, differences=[])]

        return Unit("std", name, DEFAULT, (Mode.HOT,), work)

    path = tmp_path / "results.jsonl"
    units = [unit(name) for name in "abcd"]
    with pytest.raises(KeyboardInterrupt):
        execute(units, State(path), [], 1, lambda *_: None)
    process.STOPPING.clear()
    path.write_text(path.read_text() + '{"suite": "std", "na')  # as an interrupted write leaves it
    found = execute(units, State(path), [], 1, lambda *_: None)
    assert [each.name for each in found] == ["a", "b", "c", "d"]
    assert ran == ["a", "b", "c", "c", "d"]
    assert len(State(path).results) == 4


def test_a_sample_is_the_same_every_time() -> None:
    names = [f"p{n}" for n in range(100)]
    assert Choice(sample=10).pick(names) == Choice(sample=10).pick(list(reversed(names)))
    assert Choice(sample=10).pick(names) != Choice(sample=10, seed=2).pick(names)
    assert Choice(only=("p9?",)).pick(names) == {f"p9{n}" for n in range(10)}


def test_counts() -> None:
    results = [
        result(verdict=Verdict.KNOWN, compared=10, differences=[difference(Verdict.KNOWN), difference(Verdict.FLAKY)]),
        result(verdict=Verdict.SAME, compared=5, differences=[]), result(verdict=Verdict.SKIPPED, differences=[]),
        result(suite="go", verdict=Verdict.SLOW, differences=[]), result(suite="go", verdict=Verdict.FLAKY, differences=[]),
    ]  # fmt: skip
    assert table.counts(results) == {"same": 13, "known": 1, "flaky": 2, "skipped": 1, "slow": 1}


def test_an_excerpt_has_both_ends() -> None:
    text = excerpt("fatal error\n" + 9000 * "x" + "exit status 2\n")
    assert text.startswith("fatal error\n") and text.endswith("exit status 2\n") and len(text) < 7000
    assert excerpt("short") == "short"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torture", "--suite", "go", "--go-tests", str(tmp_path), "--state", str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(TESTS / "lib")}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run.go" in done.stderr and "remedy: --go-tests wants the folder test/" in done.stderr and "Traceback" not in done.stderr
