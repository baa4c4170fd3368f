"""The one exception root of otelobj.

A refusal (a function that cannot be hooked) is data in the plan, never an exception. A corrupt or unknown input is an
exception that names the thing and the remedy. Only OtelobjError reaches the command line; `__main__` prints its
text and exits with its status.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType


class OtelobjError(Exception):
    """An error that stops otelobj.

    what: one sentence that names file, member, offset and symbol as far as they are known.
    remedy: what the user can do about it; printed on a line of its own.
    """

    exit_status = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def brief(self) -> str:
        """The form for printing: long output of a tool is shortened."""
        return str(type(self)(bounded(self.what), self.remedy))

    def __str__(self) -> str:
        return f"{self.what}\n  remedy: {self.remedy}" if self.remedy else self.what


FIRST, LAST = 8, 1
"""Lines to show of a message that has more."""
WIDEST = 1000
"""Characters of a line."""


def bounded(text: str) -> str:
    """A message of a few lines: the first ones, which contain the cause, the number left out, and the last one. Not shortened with
    OTELOBJ_TRACEBACK."""
    lines = [line if len(line) <= WIDEST else line[:WIDEST] + " …" for line in text.splitlines()]
    if len(lines) <= FIRST + LAST + 1:
        return "\n".join(lines)
    left_out = f"… {len(lines) - FIRST - LAST} more lines; OTELOBJ_TRACEBACK=1 shows all"
    return "\n".join([*lines[:FIRST], left_out, *lines[-LAST:]])


class UsageError(OtelobjError):
    """An invalid command line, environment variable or rule file."""

    exit_status = 2


class ObjectError(OtelobjError):
    """A corrupt, truncated or unknown archive or object."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


REPORT = "https://github.com/otelobj/otelobj/issues"
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs milliseconds of every link
"""The folder of objinst and trampolines."""


def explained(error: Exception, rerun: str = "") -> OtelobjError:
    """Any exception as one message with a remedy: a system error, or a defect of otelobj with its place in the source.
    rerun: the command that reproduces it."""
    if isinstance(error, OtelobjError):
        return error
    if isinstance(error, OSError):
        return OtelobjError(f"{error.filename or 'writing a file'}: {reason(error)}", _remedy(error.errno))
    if isinstance(error, MemoryError):
        return OtelobjError("out of memory", "link with more memory, or fewer links at a time (go build -p 1)")
    shown = f"`OTELOBJ_TRACEBACK=1 {rerun}`" if rerun else "OTELOBJ_TRACEBACK=1"
    return OtelobjError(
        f"internal error{_place(error.__traceback__)}: {type(error).__name__}: {error}",
        f"this is a defect of otelobj, not of your program: report it at {REPORT} with what {shown} shows; OTELOBJ_ON_ERROR=plain links without hooks",
    )


def _place(trace: TracebackType | None) -> str:
    """The innermost line of our own code in a traceback."""
    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(OURS + os.sep):
            found = f" at {code.co_filename[len(OURS) + 1 :]}:{trace.tb_lineno}, in {code.co_qualname}"
        trace = trace.tb_next
    return found


def reason(error: OSError) -> str:
    """The system's message. shutil collects several errors in one that has no text of its own."""
    several = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return error.strerror or (str(several[-1][-1]) if several else str(error))


def _remedy(number: int | None) -> str:
    if number in FULL:
        return "free some space on the disk that holds it, or point GOTMPDIR or TMPDIR at another"
    if number in FORBIDDEN:
        return "check the permissions of this path"
    return "check that this path exists and can be read"
