"""The link tool's command line, as the go command and other build systems write it (cmd/link/internal/ld/main.go, Go 1.22-1.27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from objinst.errors import UsageError

WITH_VALUE = frozenset(
    {
        "B", "D", "E", "H", "I", "L", "R", "T", "X", "benchmark", "benchmarkprofile", "buildid", "buildmode", "capturehostobjs", "cpuprofile",
        "debugtextsize", "debugtramp", "extar", "extld", "extldflags", "fipso", "funcalign", "importcfg", "installsuffix", "k", "libgcc",
        "linkmode", "macos", "macsdk", "memprofile", "memprofilerate", "o", "pluginpath", "r", "randlayout", "strictdups", "tmpdir",
    }
)  # fmt: skip
"""Flags that take the next argument as their value if they have no `=`."""
BOOLEAN = frozenset(
    {
        "V", "a", "asan", "aslr", "bindnow", "c", "checklinkname", "compressdwarf", "d", "debugnosplit", "dumpdep", "e", "f", "g", "h",
        "linkshared", "msan", "n", "pruneweakmap", "race", "s", "v", "w",
    }
)  # fmt: skip
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """tool: the real linker; flags: (name, value or None, the arguments as they were) in order; main: the root package's archive."""

    tool: str
    flags: tuple[tuple[str, str | None, tuple[str, ...]], ...]
    main: str

    @classmethod
    def parse(cls, argv: Sequence[str]) -> LinkCommand:
        """argv: tool path and arguments, response files included. Raises UsageError if there is no archive to link.

        A flag of a later linker is kept; the next word is its value if it is neither a flag nor the last argument.
        """
        tool, *rest = argv
        args = _expanded(rest)
        flags: list[tuple[str, str | None, tuple[str, ...]]] = []
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] not in ("-", "--"):
            name, equals, value = args[at].removeprefix("-").removeprefix("-").partition("=")
            unknown = name not in WITH_VALUE and name not in BOOLEAN
            takes_next = name in WITH_VALUE or (unknown and at + 2 < len(args) and not args[at + 1].startswith("-"))
            if not equals and takes_next and at + 1 < len(args):
                flags.append((name, args[at + 1], (args[at], args[at + 1])))
                at += 2
            else:
                flags.append((name, value if equals else None, (args[at],)))
                at += 1
        at += args[at : at + 1] == ["--"]
        if at + 1 != len(args):
            raise UsageError(f"link: one archive to link expected, found {args[at:]}", "run otelobj as `go build -toolexec=otelobj`, or `otelobj link ARGS`")
        return cls(tool, tuple(flags), args[at])

    def get(self, name: str) -> str | None:
        """The value of the last flag of this name; "" for a flag without one; None if it was not given."""
        return next((value or "" for flag, value, _ in reversed(self.flags) if flag == name), None)

    def on(self, name: str) -> bool:
        """Whether a boolean flag is on."""
        value = self.get(name)
        return value is not None and value not in FALSE

    def replaced(self, *, importcfg: Path, main: Path) -> LinkCommand:
        """The same command for other packages."""
        flags = tuple(flag for flag in self.flags if flag[0] != "importcfg")
        return replace(self, flags=(("importcfg", str(importcfg), ("-importcfg", str(importcfg))), *flags), main=str(main))

    def argv(self) -> list[str]:
        return [self.tool, *(arg for _, _, args in self.flags for arg in args), self.main]


def _expanded(args: Sequence[str]) -> list[str]:
    """Response files opened, also those named in response files."""
    return [word for arg in args for word in (_expanded(_response_file(Path(arg[1:]))) if arg.startswith("@") else [arg])]


def _response_file(path: Path) -> list[str]:
    """Arguments in a file, one a line, with \\n and \\\\ escaped (cmd/internal/objabi/flag.go, expandArgs and DecodeArg)."""
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise UsageError(f"response file {path}: {error.strerror}", "the go command writes it; was the build interrupted?") from error
    lines = text.replace("\r", "").strip().split("\n")
    return [line.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\") for line in lines]
