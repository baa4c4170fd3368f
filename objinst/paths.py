"""Where otelobj's own files are, in a checkout or in an installed wheel; and files that live as long as one link."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from objinst.ending import temporaries, temporary_folder
from objinst.errors import OtelobjError
from objinst.platform.host import host

HERE = Path(__file__).resolve().parent
SCRATCH = "otelobj-"


def hooks_dir() -> Path:
    """The Go modules of the hooks."""
    inside = HERE / "_hooks"
    return inside if inside.is_dir() else HERE.parent / "hooks"


def trampolines_dir() -> Path:
    """The package trampolines, of which only the place is asked: its code makes machine code."""
    return HERE.parent / "trampolines"


def demo_dir() -> Path:
    """The Go sources of the demo."""
    inside = HERE / "_demo"
    return inside if inside.is_dir() else HERE.parent / "testbins" / "demo"


def launcher() -> Path:
    """The sh launcher that go runs."""
    checkout = HERE.parent / "bin" / "otelobj"
    if checkout.exists():
        return checkout
    import sys  # noqa: PLC0415 - only installed wheels come here

    return Path(sys.executable).parent / host().LAUNCHER


@contextlib.contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A folder for files of one link. In the go command's $WORK (beside importcfg.link), which it removes even if we are killed."""
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(temporary_folder(beside.absolute().parent, SCRATCH))
        except OSError:  # a build system's importcfg may lie where nothing can be written
            made = stack.enter_context(scratch_anywhere())
        yield made


@contextlib.contextmanager
def scratch_anywhere(prefix: str = SCRATCH) -> Iterator[Path]:
    """A folder among the system's temporary files. Raises OtelobjError if there is no such folder."""
    with temporary_folder(temporaries(), prefix) as made:
        yield made


def write_scratch(path: Path, data: bytes) -> Path:
    """Raises OtelobjError that names the folder: a write that fails does not say where."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OtelobjError(f"{path}: {error.strerror}", "free some space there, or point GOTMPDIR or TMPDIR at another disk") from error
    return path
