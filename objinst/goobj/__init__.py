"""Go object files: reader, edits and writer, pc tables, FuncInfo, stack maps, verifier (cmd/internal/goobj, Go 1.22-1.27)."""

from objinst.goobj.edit import Edit
from objinst.goobj.funcinfo import FuncInfo, InlNode
from objinst.goobj.header import Header
from objinst.goobj.object import Load, Object
from objinst.goobj.records import ABI_INTERNAL, FILE_PREFIX, R_WEAK, STATIC_ABI, TYPE_PREFIX, Aux, Reloc, Resolved, Sym, SymRef
from objinst.goobj.verify import verify, verify_copies, verify_turned

__all__ = [
    "ABI_INTERNAL",
    "FILE_PREFIX",
    "R_WEAK",
    "STATIC_ABI",
    "TYPE_PREFIX",
    "Aux",
    "Edit",
    "FuncInfo",
    "Header",
    "InlNode",
    "Load",
    "Object",
    "Reloc",
    "Resolved",
    "Sym",
    "SymRef",
    "verify",
    "verify_copies",
    "verify_turned",
]
