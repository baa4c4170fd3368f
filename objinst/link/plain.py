"""Runs the linker without hooks, if OTELOBJ_ON_ERROR=plain asks for that instead of an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from objinst.link.options import options

ID = "-buildid="
MARK = "otelobj-plain/"


def link_plainly(argv: Sequence[str], problem: str) -> NoReturn:
    """argv: options of otelobj, then the tool and its arguments. Never returns. Raises UsageError for unknown options."""
    _, command = options(argv)
    print(f"otelobj: warning: linking without hooks: {problem}", file=sys.stderr, flush=True)
    os.execv(command[0], [unremembered(arg) for arg in command])  # noqa: S606 - no shell is wanted


def unremembered(arg: str) -> str:
    """The build ID with a prefix. The cause of a failure may disappear (a full disk, no network), so the go command must not reuse the
    program without hooks as the requested one (cmd/go/internal/work/buildid.go, useCache and updateBuildID)."""
    return ID + MARK + arg.removeprefix(ID) if arg.startswith(ID) and arg.count("/") > 2 else arg
