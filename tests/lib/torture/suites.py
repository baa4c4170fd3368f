"""Tests by `go test`, of the standard library and of modules: every test's result with everything hooked, beside its result without.

A test that crashes takes the rest of its package with it. The rest is then run without it, so that one crash does not hide another. What differs
is run again by itself, plain and hooked: only where the plain test always gives one result is there a difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torture.model import Config, Difference, Mode, Result, Verdict, excerpt, worst
from torture.process import Finished, run
from torture.toolchain import Toolchain

AGAIN = 3
CRASHES = 5
"""Tests of a package that may crash one after the other before it is given up."""
DAMAGE = re.compile(
    r"fatal error: (?!all goroutines are asleep)|unexpected fault address|unexpected signal|SIGSEGV|SIGBUS|SIGILL|found bad pointer|"
    r"missing stackmap|bad pointer in|traceback did not unwind|marked free object|invalid pointer found"
)
"""What a program says that was damaged: no load on the machine excuses it."""
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
"""In the names of subtests that print a pointer (package errors): another one in every run."""
CRASHED = re.compile(r"^(?:exit status (?!1$)\d+|signal: .*)$", re.MULTILINE)
FATAL = re.compile(r"^(?:panic: |fatal error: |SIG[A-Z]+: |unexpected fault)", re.MULTILINE)


@dataclass(slots=True)
class Tested:
    """results: by test. built: whether there was something to run. ended: how the package as a whole did. culprit: the test that crashed, if known."""

    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    built: bool = True
    ended: str = ""
    culprit: str = ""
    output: str = ""
    limited: bool = False
    seconds: float = 0.0


class Suite:
    """One package. where: the go command runs there. limit: seconds for the plain tests; hooked ones get `patience` times that."""

    def __init__(self, suite: str, package: str, config: Config, where: Path, work: Path, limit: float, patience: int = 4) -> None:
        self.suite, self.package, self.config, self.where, self.work, self.limit, self.patience = suite, package, config, where, work, limit, patience

    def compare(self, modes: Sequence[Mode]) -> list[Result]:
        plain = self.test(None)
        return [self._compare(mode, plain) for mode in modes]

    def _compare(self, mode: Mode, plain: Tested) -> Result:
        if not plain.built:
            return self._result(mode, plain, Verdict.SKIPPED, why=f"Go {self.config.go} does not build its tests")
        if plain.limited:
            return self._result(mode, plain, Verdict.SLOW, why=f"its plain tests take longer than {self.limit:.0f} s")
        if not plain.results:
            return self._result(mode, plain, Verdict.SKIPPED, why="it has no tests")
        hooked = self.test(mode)
        if not hooked.built:
            return self._result(mode, hooked, Verdict.DIFFERENT, [Difference("", "built", "not built", excerpt(hooked.output), Verdict.DIFFERENT)])
        differences: list[Difference] = []
        skip: list[str] = []
        results = dict(hooked.results)
        total = hooked.seconds
        while hooked.ended == "crash" and hooked.culprit and hooked.culprit not in skip and len(skip) < CRASHES and not hooked.limited:
            culprit = hooked.culprit
            differences.append(self._judge(mode, culprit, plain.results.get(culprit, "none"), "crash", hooked.output))
            skip.append(culprit)
            hooked = self.test(mode, skip=skip)
            results |= hooked.results
            total += hooked.seconds
        crashed = {difference.test for difference in differences}
        if hooked.ended == "crash" and not hooked.limited:
            differences.append(Difference("", plain.ended, "crash", excerpt(hooked.output), Verdict.DIFFERENT))
        tests = [test for test in plain.results if not any(test == name or test.startswith(f"{name}/") for name in crashed)]
        wrong = [test for test in tests if results.get(test, "none") != plain.results[test] and (test in results or not (hooked.limited or hooked.ended == "crash"))]
        wrong += [test for test in results if test not in plain.results and test.partition("/")[0] not in crashed]
        for test in _innermost(wrong):
            differences.append(self._judge(mode, test, plain.results.get(test, "none"), results.get(test, "none"), hooked.outputs.get(test, "")))
        if not differences and hooked.limited:
            done = sum(test in results for test in plain.results)
            return self._result(mode, plain, Verdict.SLOW, compared=done, why=f"{done} of {len(plain.results)} tests after {hooked.seconds:.0f} s")
        return self._result(mode, plain, worst(differences), differences, compared=len(plain.results), seconds=total)

    def _judge(self, mode: Mode, test: str, plain: str, hooked: str, output: str) -> Difference:
        """Runs it again by itself, if it can be: a test that only exists for the others of its package is a difference."""
        text = excerpt(output)
        if DAMAGE.search(output):
            return Difference(test, plain, hooked, text, Verdict.DIFFERENT)
        plains = {self._alone(None, test)[0] for _ in range(AGAIN)}
        if len(plains | {plain}) > 1:
            return Difference(test, plain, hooked, text, Verdict.FLAKY)
        again = [self._alone(mode, test) for _ in range(AGAIN)]
        if any(DAMAGE.search(said) for _, said in again) or any(result not in plains for result, _ in again):
            worse = next((said for result, said in again if result not in plains), output)
            return Difference(test, plain, hooked, excerpt(worse or output), Verdict.DIFFERENT)
        return Difference(test, plain, hooked, text, Verdict.ONCE)

    def _alone(self, mode: Mode | None, test: str) -> tuple[str, str]:
        pattern = "/".join(f"^{re.escape(part)}$" for part in test.split("/"))
        done = self.test(mode, only=pattern)
        if done.limited:
            return "slow", done.output
        return done.results.get(test, "none" if done.ended in {"pass", "fail", "skip"} else done.ended), done.outputs.get(test, "") + done.output

    def test(self, mode: Mode | None, only: str = "", skip: Sequence[str] = ()) -> Tested:
        chain = Toolchain(self.config, mode, self.work)
        limit = self.limit * (1 if mode is None else self.patience)
        command = [chain.go, "test", "-short", "-json", "-count=1", "-vet=off", f"-timeout={limit:.0f}s", *chain.flags]
        if chain.runner:
            command.append(f"-exec={' '.join(chain.runner)}")
        if only:
            command.append(f"-run={only}")
        if skip:
            command.append(f"-skip=^({'|'.join(re.escape(name) for name in skip)})$")
        return read(run([*command, self.package], self.where, chain.env(), limit + 900))

    def _result(self, mode: Mode, tested: Tested, verdict: Verdict, differences: list[Difference] | None = None, compared: int = 0, why: str = "", seconds: float = 0.0) -> Result:
        return Result(self.suite, self.package, self.config.key, mode.value, verdict, compared, 0, round(seconds or tested.seconds, 1), why, differences or [])


def _innermost(tests: list[str]) -> list[str]:
    """Without tests that differ only because a test of theirs does."""
    return [test for test in tests if not any(other.startswith(f"{test}/") for other in tests)]


def read(done: Finished) -> Tested:
    """What `go test -json` has said (cmd/internal/test2json)."""
    tested = Tested(seconds=done.seconds, limited=bool(done.limited))
    running: dict[str, None] = {}
    whole: list[str] = []
    for line in done.output.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            whole.append(line + "\n")
            continue
        if not isinstance(event, dict):
            continue
        action, test = event.get("Action"), ADDRESS.sub("0x…", event.get("Test", ""))
        if action == "output":
            whole.append(event["Output"])
            if test:
                tested.outputs[test] = tested.outputs.get(test, "") + event["Output"]
        elif action == "build-output":
            whole.append(event["Output"])
        elif test and action == "run":
            running[test] = None
        elif test and action in {"pass", "fail", "skip"}:
            running.pop(test, None)
            tested.results[test] = action
        elif action in {"pass", "fail", "skip"}:
            tested.ended = action
    tested.output = "".join(whole)
    tested.limited = tested.limited or "panic: test timed out after" in tested.output
    tested.built = "[build failed]" not in tested.output and "[setup failed]" not in tested.output and bool(tested.ended)
    if tested.ended == "fail" and (running or CRASHED.search(tested.output)):
        tested.ended = "crash"
        tested.culprit = _culprit(tested, list(running))
    return tested


def _culprit(tested: Tested, running: list[str]) -> str:
    """The top-level test that the program crashed in: named by the first traceback, or the last one that was begun, or failed."""
    fatal = FATAL.search(tested.output)
    named = re.search(r"\.(Test\w+)(?:\.func[\w.]*)?\(", tested.output[fatal.start() :]) if fatal else None
    begun = [test.partition("/")[0] for test in (*(test for test, result in tested.results.items() if result == "fail"), *running)]
    if named and named[1] in {*begun, *tested.results}:
        return named[1]
    return begun[-1] if begun else ""
