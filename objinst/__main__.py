"""Runs otelobj: `--tool` and `--version-full` come from the launcher, the rest is the command line for people.

The launcher names this file (in a checkout) or this module (installed), in Python's isolated mode, so the checkout puts itself on
the path. Start-up time is part of every link: nothing is imported before it is known what is wanted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs milliseconds before anything is known
if not __package__:
    sys.path.insert(0, os.path.dirname(HERE))  # noqa: PTH120
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def keep_bytecode() -> None:
    """An installation that cannot be written and has no bytecode keeps it in the cache."""
    sys.dont_write_bytecode = False
    if not os.access(HERE, os.W_OK) and not os.path.isdir(os.path.join(HERE, "__pycache__")):  # noqa: PTH112, PTH118
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
        sys.pycache_prefix = os.path.join(os.environ.get("OTELOBJ_CACHE_DIR") or os.path.join(base, "otelobj"), "pycache")  # noqa: PTH118


class Stopped(BaseException):
    """A signal that ends the process: raised in its place, so that everything under way is undone first."""


def main(argv: list[str]) -> int:
    """Returns the exit status; every error is one message. A signal, or one that ended the linker, ends this process too."""
    if argv[:1] not in (["--tool"], ["--version-full"], ["link"]):
        return attempt(lambda: people(argv))
    end_by_exception()
    try:
        return as_linker(attempt(lambda: tool(*argv), instead=None if argv[0] == "link" else argv[1:]))
    except Stopped as stopped:
        die(*stopped.args)
        return 1


def attempt(work: Callable[[], int], instead: list[str] | None = None) -> int:
    """What work returns. instead: the tool's command line, for OTELOBJ_ON_ERROR=plain."""
    from objinst.errors import explained  # noqa: PLC0415 - after keep_bytecode, as all others

    try:
        return work()
    except KeyboardInterrupt:
        print("otelobj: interrupted; nothing was written", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - no traceback may reach a user
        if os.environ.get("OTELOBJ_TRACEBACK"):
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        problem = explained(error)
    if instead and os.environ.get("OTELOBJ_ON_ERROR") == "plain":
        from objinst.toolexec.plain import link_plainly  # noqa: PLC0415

        return attempt(lambda: link_plainly(instead, problem.brief()))
    print(f"otelobj: {problem.brief()}", file=sys.stderr)
    return problem.exit_status


def tool(mode: str, *argv: str) -> int:
    """What builds ask for: a link, or the linker's identity."""
    if mode != "--version-full":
        import gc  # noqa: PLC0415

        gc.disable()  # what a link makes has no cycles to speak of, and the collector would walk all of it again and again
    if mode == "link":
        from objinst import standin  # noqa: PLC0415

        return standin.main(argv)
    if mode == "--tool":
        from objinst import driver  # noqa: PLC0415

        return driver.main(argv)
    from objinst.toolexec import version  # noqa: PLC0415

    return version.main(argv)


def people(argv: list[str]) -> int:
    """The command line for people must not pay for the driver, nor the driver for that."""
    if argv == ["--self-check"]:  # the launcher asks whether this Python will do
        import yaml  # noqa: F401, PLC0415

        return 0
    from objinst import cli  # noqa: PLC0415

    return cli.main(argv)


def end_by_exception() -> None:
    """Signals that end a process raise Stopped instead, once; the go command and the terminal send them to the whole process group."""

    def stop(number: int, _frame: object) -> None:
        for other in ENDING:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def as_linker(status: int) -> int:
    """A linker that a signal ended (out of memory, say) gives a negative status."""
    if status < 0:
        die(-status)
    return status


def die(number: int) -> None:
    """By a signal, as a tool without cleanup of its own does: whoever waits for us sees that."""
    sys.stderr.flush()
    with contextlib.suppress(OSError):  # SIGKILL has no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    keep_bytecode()
    sys.exit(main(sys.argv[1:]))
