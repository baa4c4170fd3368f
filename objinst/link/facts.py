"""The pass that gathers, from all archives of a link, the facts that the rewrite of one needs about the others (objinst.plan.facts).

The facts of each archive are cached, and so are the combined facts of all archives but the root package's. After an edit, a link reads one
archive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from objinst.goobj import Object
from objinst.goobj.archive import Archive
from objinst.plan import facts, reach
from objinst.store.known import Known
from trampolines import Arch


def gather(
    packages: Mapping[str, Path], rt: str, arch: Arch, identity: Callable[[Path], str], load: Callable[[str], Object | None]
) -> facts.Facts:
    """packages: all of the link, including hook packages. identity: distinguishes an archive from others; load: the object of a package.

    Raises ObjectError.
    """
    known = Known("facts", packages, identity, lambda package: facts.read(Archive.read(packages[package]), package, arch))
    everything = sorted(packages)
    others = [package for package in everything if package != facts.ROOT]
    return facts.of_link(
        known.together(f"merged {rt}", others, lambda: facts.merged(known.of_each(others), rt)),
        known.of(facts.ROOT) if facts.ROOT in packages else facts.NOTHING,
        packages,
        rt,
        holders=lambda: known.together("holders", others, lambda: facts.holders(known.of_each(others))),
        reached=lambda above, excluded: known.together(
            "\n".join(["reached", *sorted(above)]), everything, lambda: dict(reach.reached(above, excluded, everything, load))
        ),
    )
