"""Runs otelobj: `--tool` and `--version-full` come from the launcher, everything else is an interactive command.

The launcher names this file (in a checkout) or this module (installed), in Python's isolated mode, so the checkout puts itself on
the path. Start-up time is part of every link, so nothing is imported before the request is known.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs milliseconds before anything is known
if not __package__:
    sys.path.insert(0, os.path.dirname(HERE))  # noqa: PTH120


def keep_bytecode() -> None:
    """If the installation is read-only and has no bytecode, keeps bytecode in the cache."""
    sys.dont_write_bytecode = False
    if not os.access(HERE, os.W_OK) and not os.path.isdir(os.path.join(HERE, "__pycache__")):  # noqa: PTH112, PTH118
        from pathlib import Path  # noqa: PLC0415

        from objinst.platform.host import host  # noqa: PLC0415
        from objinst.store.root import distrust  # noqa: PLC0415

        base = host().cache_folder(os.environ)
        cache = os.environ.get("OTELOBJ_CACHE_DIR") or (os.path.join(base, "otelobj") if base else "")  # noqa: PTH118
        if os.path.isabs(cache) and os.path.isdir(cache) and not distrust(Path(cache)):  # noqa: PTH112, PTH117 - bytecode is run: nobody else's
            sys.pycache_prefix = os.path.join(cache, "pycache")  # noqa: PTH118
            try:  # noqa: SIM105 - the path of the tool: contextlib is not loaded
                os.mkdir(sys.pycache_prefix, 0o700)  # noqa: PTH102 - Python would make it as the umask says
            except OSError:
                pass  # it is there, or cannot be


def main(argv: list[str]) -> int:
    """Returns the exit status; every error is one message. A signal, or one that ended the linker, ends this process too."""
    if argv == ["--self-check"]:  # the launcher asks whether this Python will do
        import yaml  # noqa: F401, PLC0415

        return 0
    if argv[:1] == ["--platform"]:  # the launcher asks whether programs for this GOOS and GOARCH can be hooked
        return attempt(lambda: platform(*argv[1:]))
    from objinst import ending  # noqa: PLC0415

    is_tool = argv[:1] in (["--tool"], ["--version-full"], ["link"])
    ending.handle(interrupts=is_tool)
    if not is_tool:
        return attempt(lambda: people(argv))
    status = attempt(lambda: tool(*argv), instead=None if argv[0] == "link" else argv[1:])
    if status < 0:  # a signal has ended the linker (out of memory, say)
        ending.die(-status)
    return status


def attempt(work: Callable[[], int], instead: list[str] | None = None) -> int:
    """Returns the result of `work`. instead: the tool's command line, for OTELOBJ_ON_ERROR=plain."""
    from objinst.errors import explained  # noqa: PLC0415 - after keep_bytecode, as all others

    try:
        return work()
    except KeyboardInterrupt:
        from objinst import ending  # noqa: PLC0415

        ending.clear()
        print("otelobj: interrupted; nothing was written", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - no traceback may reach a user
        if os.environ.get("OTELOBJ_TRACEBACK"):
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        problem = explained(error, rerun())
    if instead and os.environ.get("OTELOBJ_ON_ERROR") == "plain":
        from objinst.link.plain import link_plainly  # noqa: PLC0415

        return attempt(lambda: link_plainly(instead, problem.brief()))
    print(f"otelobj: {problem.brief()}", file=sys.stderr)
    return problem.exit_status


def rerun() -> str:
    """The command that the user ran: the go command, if that started this process."""
    import shlex  # noqa: PLC0415

    from objinst.platform.host import host  # noqa: PLC0415

    try:
        parent = [word for word in host().command(os.getppid()) if word]
    except OSError:
        parent = []
    is_go = parent and os.path.basename(parent[0]) in {"go", "go.exe"}  # noqa: PTH119
    return shlex.join(parent if is_go else ["otelobj", *(word for word in sys.argv[1:] if word != "--tool")])


def tool(mode: str, *argv: str) -> int:
    """Requests of builds: a link, or the linker's identity."""
    if mode != "--version-full":
        import gc  # noqa: PLC0415

        gc.disable()  # what a link makes has no cycles to speak of, and the collector would walk all of it again and again
    if mode == "link":
        from objinst.link import external  # noqa: PLC0415

        return external.main(argv)
    if mode == "--tool":
        from objinst.link import main as link  # noqa: PLC0415

        return link.main(argv)
    from objinst.link import version  # noqa: PLC0415

    return version.main(argv)


def platform(goos: str, goarch: str) -> int:
    """Returns the exit status. Raises OtelobjError for one that cannot be hooked."""
    from objinst.platform.target import check  # noqa: PLC0415

    check(goos, goarch)
    return 0


def people(argv: list[str]) -> int:
    """Interactive commands, imported here so that they and links do not pay for each other's imports."""
    from objinst import cli  # noqa: PLC0415

    return cli.main(argv)


if __name__ == "__main__":
    keep_bytecode()
    sys.exit(main(sys.argv[1:]))
