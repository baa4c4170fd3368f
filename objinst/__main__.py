"""Runs otelobj: `--tool` and `--version-full` come from the launcher, the rest is the command line for people.

The launcher names this file (in a checkout) or this module (installed), in Python's isolated mode, so the checkout puts itself on
the path. Start-up time is part of every link: nothing is imported before it is known what is wanted.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs milliseconds before anything is known
if not __package__:
    sys.path.insert(0, os.path.dirname(HERE))  # noqa: PTH120


def keep_bytecode() -> None:
    """An installation that cannot be written and has no bytecode keeps it in the cache."""
    sys.dont_write_bytecode = False
    if not os.access(HERE, os.W_OK) and not os.path.isdir(os.path.join(HERE, "__pycache__")):  # noqa: PTH112, PTH118
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
        sys.pycache_prefix = os.path.join(os.environ.get("OTELOBJ_CACHE_DIR") or os.path.join(base, "otelobj"), "pycache")  # noqa: PTH118


def main(argv: list[str]) -> int:
    """Returns the exit status; every error is one message."""
    from objinst.errors import OtelobjError  # noqa: PLC0415 - after keep_bytecode, as all others

    try:
        return run(argv)
    except OtelobjError as error:
        print(f"otelobj: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("otelobj: interrupted; nothing was written", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"otelobj: {error.filename or ''}: {error.strerror}\n  remedy: check the disk and the permissions of this path", file=sys.stderr)
        return 1


def run(argv: list[str]) -> int:
    """The command line for people must not pay for the driver, nor the driver for that."""
    mode = argv[0] if argv else ""
    if mode == "--tool":
        from objinst import driver  # noqa: PLC0415

        return driver.main(argv[1:])
    if mode == "--version-full":
        from objinst.toolexec import version  # noqa: PLC0415

        return version.main(argv[1:])
    if mode == "--self-check":  # the launcher asks whether this Python will do
        import yaml  # noqa: F401, PLC0415

        return 0
    from objinst import cli  # noqa: PLC0415

    return cli.main(argv)


if __name__ == "__main__":
    keep_bytecode()
    sys.exit(main(sys.argv[1:]))
