"""Which libraries of a program otelobj instruments, and which well-known ones it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from objinst import hooktree
from objinst.hookpkgs.sources import is_in
from objinst.plan.model import Status, Target
from objinst.plan.popular import POPULAR
from objinst.rules import Rule


@dataclass(frozen=True, slots=True)
class Library:
    """A library in a program. name: of its instrumentation, "" if there is none; version: of its module, "" for the standard library; hooked: number of
    functions; why: what is missing, or what the module is for where there is no instrumentation."""

    name: str
    title: str
    version: str
    hooked: int
    why: str = ""


def inventory(
    packages: Collection[str],
    modules: Mapping[str, str],
    version_of: Callable[[str], str | None],
    known: Sequence[Rule],
    in_force: Collection[Rule],
    targets: Iterable[Target],
    lacking: Iterable[str],
) -> list[Library]:
    """Libraries with an instrumentation first, by name.

    packages: of the link; modules: of the program, path -> version. known: every built-in rule; in_force: those that count in this program. targets: what
    was planned. lacking: what libraries lack, a line each, which begins with the library's title.
    """
    found: list[Library] = []
    instrumented: set[str] = set()
    planned, lines = list(targets), list(lacking)
    for library in hooktree.libraries().values():
        ours = [rule for rule in known if rule.instrumentation == library.name]
        has = sorted({package for package in packages if any(rule.matches_package(package) for rule in ours)})
        instrumented |= {module for module in POPULAR for rule in ours if is_in(rule.target, [module])}
        if not has:
            continue
        names = {rule.name for rule in ours}
        hooked = len({target.symbol for target in planned if target.rule in names and target.status is Status.HOOKED})
        version = next((known_as for package in has if (known_as := version_of(package))), "")
        found.append(Library(library.name, library.title, version, hooked, _why(library, ours, in_force, hooked, lines)))
    unknown = [Library("", path, version, 0, POPULAR[path]) for path, version in sorted(modules.items()) if path in POPULAR and path not in instrumented]
    return [*found, *(library for library in unknown if any(is_in(package, [library.title]) for package in packages))]


def _why(library: hooktree.Library, ours: Sequence[Rule], in_force: Collection[Rule], hooked: int, lacking: Iterable[str]) -> str:
    """Why a library is not instrumented, or not in full; "" if it is."""
    if not {rule.name for rule in ours} & {rule.name for rule in in_force}:
        return f"off: OTELOBJ_DISABLE names it, or `all`{'' if library.default else f', or OTELOBJ_ENABLE={library.name} is needed'}"
    said = next((line.removeprefix(library.title).strip() for line in lacking if line.startswith(f"{library.title} ")), "")
    return said or ("" if hooked else "nothing of it is hooked")
