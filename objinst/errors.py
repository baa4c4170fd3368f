"""The one exception root of otelobj.

A refusal (a function that cannot be hooked) is data in the plan, never an exception. A corrupt or unknown input is an
exception that names the thing and the remedy. Nothing but OtelobjError crosses the command line; the driver prints its
text and exits with its status.
"""

from __future__ import annotations


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

    def __str__(self) -> str:
        return f"{self.what}\n  remedy: {self.remedy}" if self.remedy else self.what


class UsageError(OtelobjError):
    """A command line, environment variable or rule file that does not mean anything."""

    exit_status = 2


class ObjectError(OtelobjError):
    """A corrupt, truncated or unknown archive or object."""
