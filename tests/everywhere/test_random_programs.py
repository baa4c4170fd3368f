"""Random programs do the same with a disturbance at every third entry and return of every function as they do plain (tests/lib/programs).

Some large ones by default, $OTELOBJ_TEST_PROGRAMS of them in a long run. What was found so far is in tests/lib/programs/found; by hand: `python -m programs`.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from needs import emulator
from hookmodules import usable
from places import ROOT, TESTS
import scriptrunner
from toolchains import newest
from programs import generate, oracle, reduce
from programs.tree import Program

FOUND = sorted((TESTS / "lib/programs/found").glob("*.txtar"))
PROGRAMS = int(os.environ.get("OTELOBJ_TEST_PROGRAMS", "40"))
UNOPTIMISED = ("-gcflags=rnd/...=-N -l",)
SEED = 20_000
FLAGS: list[tuple[str, ...]] = [(), (), (), UNOPTIMISED, ("-buildmode=pie",)]


def same(how: oracle.How, program: Program, folder: Path) -> None:
    emulator(how.goarch)
    program.write(folder)
    found = oracle.difference(how, folder)
    if found is not None:
        keep = Path("/tmp/programs") / f"{program.seed}-{how.version}-{how.goarch}"
        program.write(keep)
        pytest.fail(f"seed {program.seed}, kept in {keep}\n=== plain\n{found[0]}\n=== hooked\n{found[1]}")


@pytest.mark.parametrize(
    ("version", "goarch", "seed", "flags"), [("1.26", "amd64", 2, UNOPTIMISED), (newest(), "amd64", 3, ()), ("1.26", "arm64", 4, ())]
)
def test_programs_do_the_same(version: str, goarch: str, seed: int, flags: tuple[str, ...], tmp_path: Path) -> None:
    program = generate.make(seed, int(version.partition(".")[2]))
    same(oracle.How(version, goarch, flags=flags), program, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("part", range(4))
def test_many_programs_do_the_same(part: int, goarch: str, tmp_path: Path) -> None:
    """With versions and kinds of builds by turns."""
    for number in range(part * PROGRAMS // 4, (part + 1) * PROGRAMS // 4):
        rng = random.Random(number)
        version = rng.choice((*usable("sdk"), "1.26"))
        flags = rng.choice(FLAGS)
        same(oracle.How(version, goarch, flags=flags), generate.make(SEED + number, int(version.partition(".")[2])), tmp_path / str(number))


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found(path: Path, goarch: str, tmp_path: Path) -> None:
    """Each file is a module; the comment at its head says what differed."""
    files = scriptrunner.parse(path).files
    if goarch == "arm64" and not any(name.endswith("_arm64.s") for name in files) and any(name.endswith(".s") for name in files):
        pytest.skip("its assembly is for amd64")
    same(oracle.How(goarch=goarch), Program(0, fixed=files), tmp_path)


def test_a_seed_is_a_program() -> None:
    one, other = generate.make(7, 26).sources(), generate.make(7, 26).sources()
    assert one == other != generate.make(8, 26).sources()
    texts = "\n".join(text for seed in range(3) for text in generate.make(seed, 26).sources().values())
    for word in ("defer", "recover()", "goto L", "select {", "go func(", "unsafe.Pointer", "TEXT ·", "iter.Pull", "[TA ", "signal.", "reflect", "sup.Made"):
        assert word in texts, word
    assert "iter.Pull" not in "\n".join(text for name, text in generate.make(7, 22).sources().items() if not name.startswith("sup/"))



def test_reduction_keeps_what_differs() -> None:
    """A program that must hold a certain statement loses nearly all else."""
    program = generate.make(7, 26)
    wanted = reduce.candidates(program)[-5]
    before = len(reduce.candidates(program))
    reduce.reduce(program, lambda each: wanted in reduce.candidates(each))
    left = reduce.candidates(program)
    assert wanted in left and len(left) < 12 < before
    assert all(line in program.text("main.go") or line in program.text("p0/p0.go") for line in wanted.lines() if not line.startswith("L"))


DAMAGES = {
    "stack map": ("objinst/rewrite/swap.py", "shape(original, args_map, name)", "shape(original, (False,) * len(args_map), name)"),
    "register": ("trampolines/sequences.py", "    restore(asm, asm.SP, frame.args, spec.spills)\n", "    restore(asm, asm.SP, frame.args, spec.spills[:-1])\n"),
    "results": ("objinst/rewrite/text.py", "locals_map=code.locals_map)", "locals_map=(False,) * len(code.locals_map))"),
}


@pytest.mark.parametrize("damage", [pytest.param(name, marks=[pytest.mark.long] if name != "register" else []) for name in DAMAGES])
def test_a_damaged_stub_is_noticed(damage: str, tmp_path: Path) -> None:
    """An otelobj with one line spoilt makes a program that does otherwise: the oracle sees what it is for."""
    copy = tmp_path / "otelobj"
    for name in ("objinst", "trampolines", "hooks", "bin"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    place, line, spoilt = DAMAGES[damage]
    text = (copy / place).read_text()
    assert line in text, f"{place} has another form now; say here what to damage"
    (copy / place).write_text(text.replace(line, spoilt))
    program = generate.make(1, 26)
    program.write(tmp_path / "rnd")
    how = oracle.How(launcher=copy / "bin" / "otelobj", target="rnd/**", patience=120)
    assert oracle.difference(how, tmp_path / "rnd") is not None
