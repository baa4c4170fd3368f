"""Types of Go functions: signatures from DWARF, layouts from type descriptors, registers from the ABI."""

from objinst.types.abi import Assigned, FuncABI, assign
from objinst.types.agree import Evidence, agree
from objinst.types.dwarf import signature
from objinst.types.methods import method_signature
from objinst.types.model import Field, GoType, Kind, Method, NoSignature, Param, Signature, Typed, Unknown
from objinst.types.table import TypeTable, interface_methods, resolve

__all__ = [
    "Assigned", "Evidence", "Field", "FuncABI", "GoType", "Kind", "Method", "NoSignature", "Param", "Signature", "TypeTable", "Typed", "Unknown",
    "agree", "assign", "interface_methods", "method_signature", "resolve", "signature",
]  # fmt: skip
