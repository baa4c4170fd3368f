"""What does not fit is refused with an EncodeError: a wrong register or map would corrupt the user's program without a sound."""

from __future__ import annotations

import pytest

import trampolines
from trampolines.arch import ArchError
from trampolines.asm import EncodeError
from trampolines.contract import Base, ScopeFilter, ClosureUse, Copy, EntrySpec, ExitSpec, GateSpec, Load, Piece, RegClass, ThunkSpec
from trampolines_case import ARCHES, SLOT

WRONG_PIECES = [
    (Piece(RegClass.INT, 16, 8, 0),), (Piece(RegClass.INT, -1, 8, 0),), (Piece(RegClass.FLOAT, 16, 8, 0),), (Piece(RegClass.FLOAT, 0, 2, 0),),
    (Piece(RegClass.INT, 0, 3, 0),), (Piece(RegClass.INT, 0, 8, 4),), (Piece(RegClass.INT, 0, 8, -8),),
    (Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 0, 8, 8)),
]  # fmt: skip


@ARCHES
@pytest.mark.parametrize("wrong", WRONG_PIECES)
def test_wrong_registers_are_refused(goarch: str, wrong: tuple[Piece, ...]) -> None:
    arch = trampolines.load(goarch)
    teardown, frame = (b"\x48\x83\xc4\x30\x5d", 0x38) if goarch == "amd64" else (b"", 0)
    with pytest.raises(EncodeError):
        arch.entry_stub(EntrySpec(wrong, ClosureUse.RAW))
    with pytest.raises(EncodeError):
        arch.entry_stub(EntrySpec((), ClosureUse.RAW, skippable=True, results=wrong))
    with pytest.raises(EncodeError):
        arch.exit_stub(ExitSpec(teardown, frame, wrong, 16, (False, False), SLOT))


@ARCHES
def test_maps_that_do_not_fit_are_refused(goarch: str) -> None:
    arch = trampolines.load(goarch)
    teardown, frame = (b"\x48\x83\xc4\x30\x5d", 0x38) if goarch == "amd64" else (b"", 0)
    word, half = Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 0, 4, 0)
    arch.exit_stub(ExitSpec(teardown, frame, (word,), 8, (True,), SLOT))
    for results, area, area_map in (((word,), 8, ()), ((word,), 8, (True, False)), ((half,), 8, (True,)), ((word,), 16, (False, True)), ((word,), 4, (False,))):
        with pytest.raises(EncodeError):
            arch.exit_stub(ExitSpec(teardown, frame, results, area, area_map, SLOT))
    for wrong in ((b"\x5d", 0x38), (b"\x48\x83\xc4\x28\x5d", 0x38), (b"\x48\x83\xc4\x30", 0x38), (b"", 0x38)):
        with pytest.raises(EncodeError):
            arch.exit_stub(ExitSpec(*wrong, (), 0, (), SLOT))


@ARCHES
def test_thunks_that_do_not_fit_are_refused(goarch: str) -> None:
    arch = trampolines.load(goarch)
    for loads, copies, size in (
        ((Load(Base.ARGS, Piece(RegClass.INT, 1, 8, 0)),), (), 64),
        ((Load(Base.ARGS, Piece(RegClass.INT, 2, 8, -8)),), (), 64),
        ((), (Copy(Base.ARGS, 0, 60, 8),), 64),
        ((), (Copy(Base.ARGS, 0, -8, 8),), 64),
        ((), (), 4096),
    ):
        with pytest.raises(EncodeError):
            arch.thunk(ThunkSpec(loads, copies, size))


@ARCHES
@pytest.mark.parametrize(
    "wrong", [((), 1, 2, 3), ((0,), 1, 2, 3), ((65,), 1, 2, 3), ((15,), -1, 2, 3), ((15,), 1, 1 << 16, 3), ((15,), 1, 2, 1 << 16), ((15,), 1, 2, -1)]
)
def test_gates_that_cannot_be_are_refused(goarch: str, wrong: tuple[tuple[int, ...], int, int, int]) -> None:
    arch = trampolines.load(goarch)
    for make in (arch.death_gate, arch.foreign_gate):
        make(GateSpec((1, 64), 0, (1 << 16) - 1, (1 << 16) - 1))
        with pytest.raises(EncodeError):
            make(GateSpec(*wrong))


def test_unknown_architecture() -> None:
    with pytest.raises(ArchError):
        trampolines.load("riscv64")


@ARCHES
@pytest.mark.parametrize(("inherited", "sends", "mark"), [(True, None, (26, 2)), (False, None, (24, 4)), (False, None, (24, 0)), (True, 16, None)])
def test_filters_that_do_not_fit_are_refused(goarch: str, inherited: bool, sends: int | None, mark: tuple[int, int] | None) -> None:
    with pytest.raises(EncodeError):
        trampolines.load(goarch).entry_stub(EntrySpec((), ClosureUse.RAW, filter=ScopeFilter(SLOT, 152, 8, 20, 18, 32, inherited, sends, mark)))
