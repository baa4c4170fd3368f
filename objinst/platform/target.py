"""The system that a program is linked for: which architectures and build modes of it can be hooked, and what its programs look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from objinst.errors import OtelobjError
from objinst.platform import system, systems
from trampolines.contract import GateSpec

PLAINLY = "OTELOBJ_ON_ERROR=plain links without hooks"


@dataclass(frozen=True, slots=True)
class Target:
    """A system. goos: as Go names it; architectures: GOARCH of those whose programs can be hooked, () if none yet; build_modes: that can be hooked;
    gates: by GOARCH, what gates need to hold up the signals that end a Go program silently if it does not handle them (runtime/sigtab_*.go, _SigKill);
        programs for an architecture without it have no gates;
    udata_form: what DW_FORM_udata_pseudo stands for (cmd/internal/dwarf/dwarf.go, expandPseudoForm);
    programs: how a linked program begins, and what it is; reader: the module that reads one (its function `read` gives an Image).
    """

    goos: str
    architectures: tuple[str, ...] = ()
    build_modes: tuple[str, ...] = ()
    gates: Mapping[str, GateSpec] = field(default_factory=dict)
    udata_form: str = "udata"
    programs: Mapping[bytes, str] = field(default_factory=dict)
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A linked program as its loader sets it up. segments: (address, bytes, whether they are executed), addresses in them relocated;
    function_table: address of the runtime's own (cmd/link/internal/ld/pcln.go); symbols: name -> address, as far as they are there.
    """

    goarch: str
    segments: list[tuple[int, bytearray, bool]]
    function_table: int
    symbols: Mapping[str, int]


class DamagedImageError(ValueError):
    """A file that is not a program of its system, or that its reader cannot parse."""


def target(goos: str) -> Target | None:
    """None for an unknown system."""
    found = getattr(system(goos), "TARGET", None)
    return found if isinstance(found, Target) else None


def targets() -> list[Target]:
    """All systems that are known, those that can be hooked or not."""
    return [found for module in systems() if isinstance(found := getattr(module, "TARGET", None), Target)]


def platforms() -> tuple[str, ...]:
    """What can be hooked, such as linux/amd64."""
    return tuple(f"{one.goos}/{goarch}" for one in targets() for goarch in one.architectures)


def check(goos: str, goarch: str) -> Target:
    """The system, if programs for it can be hooked. Raises OtelobjError."""
    found = target(goos)
    if found is None or goarch not in found.architectures:
        *most, last = platforms()
        raise OtelobjError(f"{goos}/{goarch} is not supported yet", f"{', '.join(most)}{' and ' if most else ''}{last} are; {PLAINLY}")
    return found


def check_mode(one: Target, mode: str, *, linkshared: bool) -> None:
    """mode: of -buildmode, "" if it was not given. Raises OtelobjError for one that cannot be hooked."""
    if mode not in {"", "default", *one.build_modes} or linkshared:
        flag = "-linkshared" if linkshared else f"-buildmode={mode}"
        raise OtelobjError(f"{flag} is not supported yet", f"-buildmode {' and '.join(one.build_modes)} are; {PLAINLY}")
