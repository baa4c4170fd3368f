"""Go object files: reader, edits and writer, pc tables, FuncInfo, stack maps, verifier (cmd/internal/goobj, Go 1.22-1.27)."""

from objinst.goobj.edit import Edit
from objinst.goobj.funcinfo import FuncInfo, InlNode
from objinst.goobj.header import Header
from objinst.goobj.object import Object
from objinst.goobj.records import STATIC_ABI, Aux, Reloc, Resolved, Sym, SymRef
from objinst.goobj.verify import verify, verify_copies, verify_turned

__all__ = [
    "STATIC_ABI",
    "Aux",
    "Edit",
    "FuncInfo",
    "Header",
    "InlNode",
    "Object",
    "Reloc",
    "Resolved",
    "Sym",
    "SymRef",
    "verify",
    "verify_copies",
    "verify_turned",
]
