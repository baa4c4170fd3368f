"""A slice of `make torture`: programs of Go's test directory do with a disturbance at every third call what they do plainly.

All have every function hooked and run in hot mode with GODEBUG=clobberfree=1. Where one does not do what the directory expects, the plain program decides.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import missing
from torture import godir, known
from torture.__main__ import default_cache
from torture.model import Config, Difference, Mode, Result, Verdict
from torture.programs import Runner
from torture.session import SLICE

CONFIG = Config("1.26")
PARTS = 4
"""So that a failure names few programs; the archives are rewritten once for all. Every other part is left to long mode."""
ONCE_WRONG = {"retjmp.go", "fixedbugs/issue15329.go", "fixedbugs/issue15609.go", "fixedbugs/issue28748.go", "fixedbugs/issue30908.go"}
"""Programs that did otherwise once. They are always among those that run."""


@pytest.fixture(scope="module")
def source() -> Path:
    try:
        return godir.fetch(default_cache() / "go-1.19")[0]
    except godir.UnavailableError as error:
        missing(f"Go's test directory: {error}")


@pytest.fixture(scope="module", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("part", [pytest.param(part, marks=[pytest.mark.long] if part % 2 else []) for part in range(PARTS)])
def test_slice(part: int, source: Path, tmp_path: Path) -> None:
    names = SLICE.read_text().split()[part::PARTS]
    programs = {program.name: program for program in godir.read(source)}
    assert programs.keys() >= set(names)
    entries = known.load()
    results = [
        known.explain(result, entries)
        for name in names
        for result in Runner(programs[name], source, CONFIG, tmp_path, 120).compare([Mode.HOT], plainly=False)
    ]
    assert [told(result) for result in results if result.verdict in {Verdict.DIFFERENT, Verdict.SLOW}] == []
    ran = [result for result in results if result.verdict is not Verdict.SKIPPED]
    assert len(ran) >= len(names) - 2
    assert sum(result.calls for result in ran) > 20 * len(ran)


def test_programs_that_were_wrong_once_run() -> None:
    names = SLICE.read_text().split()
    assert not ONCE_WRONG - {*names[0::PARTS], *names[2::PARTS]}


def told(result: Result) -> str:
    difference = result.differences[0] if result.differences else Difference("", "", result.why, "", result.verdict)
    return f"{result.name}: {difference.hooked}, plainly {difference.plain}\n{difference.output}"
