"""Programs with random signatures, run: hooks see exactly the arguments passed and the results returned, under the garbage collector.

The programs are chosen by seeds, or by hypothesis, which shrinks what it finds: $OTELOBJ_TYPES_PROGRAMS of them in a long run.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from needs import emulator
import types_program
from hypothesis import HealthCheck, given, settings, strategies
from toolchains import go_env, versions

CASES = [
    pytest.param(version, goarch, seed, count, rounds, flags, marks=[pytest.mark.long] if long else [])
    for version, goarch, seed, count, rounds, flags, long in [
        ("1.26", "amd64", 1, 120, 2, (), False),
        ("1.26", "arm64", 2, 60, 1, (), False),
        *((version, goarch, 10 + n, 400, 2, (), True) for n, version in enumerate(versions()) if version >= "1.24" for goarch in ("amd64", "arm64")),
        ("1.26", "amd64", 30, 300, 2, ("-gcflags=rnd/...=-N -l",), True),
    ]
]


OF_LEAVES = {"nosplit", "no-frame"}
"""Why a function without a frame may be refused: a uintptr among its parameters, or no way to see its return (docs/limits.md)."""
PROGRAMS = int(os.environ.get("OTELOBJ_TYPES_PROGRAMS", "40"))


@pytest.mark.parametrize(("version", "goarch", "seed", "count", "rounds", "flags"), CASES)
def test_hooks_see_what_is_passed(version: str, goarch: str, seed: int, count: int, rounds: int, flags: tuple[str, ...], tmp_path: Path) -> None:
    made = types_program.write(tmp_path / "rnd", random.Random(seed), count, rounds)
    refused = run(made, version, goarch, rounds, flags).keys()
    assert len(refused - made.leaves) <= count // 20
    assert len(refused & made.leaves) <= len(made.leaves) // 2


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_programs_found_by_hypothesis(goarch: str) -> None:
    @settings(max_examples=PROGRAMS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.randoms(use_true_random=False))
    def look(rng: random.Random) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(types_program.write(Path(folder) / "rnd", rng, 4, 1, named=4), "1.26", goarch, 1)

    look()


def run(made: types_program.Program, version: str, goarch: str, rounds: int, flags: tuple[str, ...] = ()) -> dict[str, str]:
    """Builds and runs a program, and checks that its hooks saw every value as it was. The rules that were refused, and why."""
    command = [*emulator(goarch), "./app"]
    env = go_env(version, goarch, OTELOBJ_DISABLE="all", OTELOBJ_REPORT=str(made.folder / "report.json"))
    build = ["go", "build", *flags, "-toolexec=otelobj --rules rules.yaml", "-o", "app", "."]
    done = subprocess.run(build, cwd=made.folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(command, cwd=made.folder, env=env | {"GODEBUG": "clobberfree=1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert wrong == []
    seen = re.search(r"^seen (\d+) wrong 0$", done.stdout, re.MULTILINE)
    assert seen is not None, done.stdout
    targets = json.loads((made.folder / "report.json").read_text())["targets"]
    refused = {target["rule"]: target["reason"] for target in targets if target["status"] != "hooked"}
    reasons = {rule: reason.partition(":")[0] for rule, reason in refused.items()}
    assert all(reason == "too-large" or (rule in made.leaves and reason in OF_LEAVES) for rule, reason in reasons.items()), refused
    assert int(seen[1]) >= rounds * sum(number for rule, number in made.values.items() if rule not in refused)
    return refused
