"""The root package's copy: loads the hook packages and runs their init functions.

The linker loads a package only if an Autolib entry of a loaded object names it with the right fingerprint, and runs its
init only if an R_INITORDER relocation of the root's `..inittask` reaches it (cmd/link/internal/ld/{lib,inittask}.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from objinst.errors import ObjectError
from objinst.goobj import Edit, Reloc
from objinst.types.names import escape


def load_packages(edit: Edit, root: str, packages: Mapping[str, tuple[bytes, bool]]) -> None:
    """packages: import path -> (fingerprint, has an inittask). root: `main`, or a plugin's path.

    Raises ObjectError if the root object has no inittask.
    """
    tables = edit.tables
    index = edit.object.find(f"{root}..inittask")
    if index is None:
        raise ObjectError(f"{edit.object.origin}: no symbol {root}..inittask", "is this the main package of the link?")
    present = {path for path, _ in edit.object.autolib}
    relocs = list(edit.object.relocs(index))
    for path, (fingerprint, has_inittask) in packages.items():
        if path not in present:
            edit.add_autolib(path, fingerprint)
        if has_inittask:
            relocs.append(Reloc(0, 0, tables.relocs["R_INITORDER"], 0, edit.add_ref(f"{escape(path)}..inittask", 0)))
    edit.replace(index, relocs=relocs)
