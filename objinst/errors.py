"""The one exception root of otelobj.

A refusal (a function that cannot be hooked) is data in the plan, never an exception. A corrupt or unknown input is an
exception that names the thing and the remedy. Nothing but OtelobjError crosses the command line; `__main__` prints its
text and exits with its status.
"""

from __future__ import annotations

import contextlib
import errno
import struct
from collections.abc import Iterator


class OtelobjError(Exception):
    """Something that otelobj cannot go on with.

    what: one sentence that names file, member, offset and symbol as far as they are known.
    remedy: what the user can do about it; printed on a line of its own.
    """

    exit_status = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def brief(self) -> str:
        """As it is printed: what a tool said at length is shortened."""
        return str(type(self)(bounded(self.what), self.remedy))

    def __str__(self) -> str:
        return f"{self.what}\n  remedy: {self.remedy}" if self.remedy else self.what


FIRST, LAST = 8, 1
"""Lines to show of a message that has more."""
WIDEST = 1000
"""Characters of a line."""


def bounded(text: str) -> str:
    """A message of a few lines: the first ones, where the cause stands, how many were left out, and the last one. All of it with
    OTELOBJ_TRACEBACK."""
    lines = [line if len(line) <= WIDEST else line[:WIDEST] + " …" for line in text.splitlines()]
    if len(lines) <= FIRST + LAST + 1:
        return "\n".join(lines)
    left_out = f"… {len(lines) - FIRST - LAST} more lines; OTELOBJ_TRACEBACK=1 shows all"
    return "\n".join([*lines[:FIRST], left_out, *lines[-LAST:]])


class UsageError(OtelobjError):
    """A command line, environment variable or rule file that does not mean anything."""

    exit_status = 2


class ObjectError(OtelobjError):
    """A corrupt, truncated or unknown archive or object."""


@contextlib.contextmanager
def making_sense(subject: str) -> Iterator[None]:
    """Around work on objects whose structure is whole: what they say of types and functions may still be damaged, or unknown to us, and
    then fits nowhere. Raises ObjectError in place of what comes of that. subject: what is worked on.
    """
    try:
        yield
    except (ArithmeticError, LookupError, ValueError, struct.error) as error:
        raise ObjectError(
            f"{subject}: what it says of its types and functions, or an archive that it uses, makes no sense ({type(error).__name__}: {error})",
            "rebuild the packages (go clean -cache); if that does not help, report it with what OTELOBJ_TRACEBACK=1 shows",
        ) from error


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explained(error: Exception) -> OtelobjError:
    """Any exception as one message with a remedy: what the system refused, or else a defect of ours, with its place in the source."""
    if isinstance(error, OtelobjError):
        return error
    if isinstance(error, OSError):
        return OtelobjError(f"{error.filename or 'writing a file'}: {reason(error)}", _remedy(error.errno))
    if isinstance(error, MemoryError):
        return OtelobjError("out of memory", "link with more memory, or fewer links at a time (go build -p 1)")
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
    return OtelobjError(
        f"internal error: {type(error).__name__}: {error}{where}",
        "this is a defect of otelobj: report it with what OTELOBJ_TRACEBACK=1 shows; OTELOBJ_ON_ERROR=plain links without hooks",
    )


def reason(error: OSError) -> str:
    """What the system said. shutil collects several errors in one that has no text of its own."""
    several = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return error.strerror or (str(several[-1][-1]) if several else str(error))


def _remedy(number: int | None) -> str:
    if number in FULL:
        return "free some space on the disk that holds it, or point GOTMPDIR or TMPDIR at another"
    if number in FORBIDDEN:
        return "check the permissions of this path"
    return "check that this path exists and can be read"
