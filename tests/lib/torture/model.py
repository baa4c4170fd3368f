"""What is run, how it is built, and what came of it. Definitions only."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Mode(Enum):
    """The probe that all functions get."""

    COUNT = "count"
    STRESS = "stress"
    HOT = "hot"


class Form(Enum):
    """How the program is built."""

    DEFAULT = "default"
    NOOPT = "noopt"
    PIE = "pie"
    RACE = "race"


@dataclass(frozen=True, slots=True)
class Config:
    """go: minor version."""

    go: str
    arch: str = "amd64"
    form: Form = Form.DEFAULT

    @property
    def key(self) -> str:
        return f"{self.go}-{self.arch}-{self.form.value}"

    @classmethod
    def parse(cls, text: str) -> Config:
        """Raises ValueError if `text` is no key; what follows the version may be left out."""
        go, _, rest = text.partition("-")
        arch, _, form = rest.partition("-")
        return cls(go, arch or "amd64", Form(form or "default"))

    @property
    def flags(self) -> list[str]:
        """For go build and go test."""
        return {Form.DEFAULT: [], Form.NOOPT: ["-gcflags=all=-N -l"], Form.PIE: ["-buildmode=pie"], Form.RACE: ["-race"]}[self.form]

    @property
    def cgo(self) -> bool:
        """The race detector is linked in by cgo."""
        return self.form is Form.RACE


class Verdict(Enum):
    SAME = "same"
    DIFFERENT = "different"
    KNOWN = "known"
    """Different, with a cause that known.yaml names."""
    FLAKY = "flaky"
    """The plain program or test does not give the same result every time."""
    ONCE = "once"
    """A test failed among the others of its package, without a sign of damage, and passed each time it was run again."""
    SLOW = "slow"
    """It was still computing at the time limit."""
    SKIPPED = "skipped"
    """The plain toolchain does not build it, or its build constraints leave it out."""


@dataclass(frozen=True, slots=True)
class Difference:
    """test: "" for a program, or for a package as a whole. plain, hooked: how each ended. output: of the hooked one, the end of it."""

    test: str
    plain: str
    hooked: str
    output: str
    verdict: Verdict
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one program, or one package's tests, in one mode. compared: programs or tests; calls: that probes have counted, where they are asked;
    why: for SKIPPED and SLOW."""

    suite: str
    name: str
    config: str
    mode: str
    verdict: Verdict
    compared: int = 1
    calls: int = 0
    seconds: float = 0.0
    why: str = ""
    differences: list[Difference] = field(default_factory=list)
    date: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.suite, self.name, self.config, self.mode

    def to_json(self) -> dict[str, Any]:
        raw = asdict(self)
        raw["verdict"] = self.verdict.value
        for difference in raw["differences"]:
            difference["verdict"] = difference["verdict"].value
        return raw

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Result:
        """Raises TypeError, ValueError or KeyError if `raw` is no result of this version."""
        differences = [Difference(**(each | {"verdict": Verdict(each["verdict"])})) for each in raw["differences"]]
        return cls(**(raw | {"verdict": Verdict(raw["verdict"]), "differences": differences}))


SEVERITY = [Verdict.DIFFERENT, Verdict.SLOW, Verdict.ONCE, Verdict.KNOWN, Verdict.FLAKY, Verdict.SAME]


def worst(differences: list[Difference]) -> Verdict:
    """Of a package, by those of its tests."""
    return min((difference.verdict for difference in differences), key=SEVERITY.index, default=Verdict.SAME)


def excerpt(output: str) -> str:
    """What is kept of a long output: its begin, which says what went wrong, and its end."""
    return output if len(output) <= 6000 else f"{output[:4000]}\n…\n{output[-2000:]}"
