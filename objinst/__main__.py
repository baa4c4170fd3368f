"""`python -m objinst`: the link step when the first argument that is no option is a tool's path, else the command line for people."""

from __future__ import annotations

import sys

from objinst.errors import OtelobjError


def main(argv: list[str]) -> int:
    """Returns the exit status; every error is one message."""
    try:
        if argv and argv[0] == "--tool":
            from objinst import driver  # noqa: PLC0415 - the command line for people must not pay for it, nor it for that

            return driver.main(argv[1:])
        if argv and argv[0] == "--version-full":
            from objinst.toolexec import version  # noqa: PLC0415

            return version.main(argv[1:])
        from objinst import cli  # noqa: PLC0415

        return cli.main(argv)
    except OtelobjError as error:
        print(f"otelobj: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("otelobj: interrupted; nothing was written", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"otelobj: {error.filename or ''}: {error.strerror}\n  remedy: check the disk and the permissions of this path", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
