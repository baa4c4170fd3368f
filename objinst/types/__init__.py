"""Types of Go functions: signatures from DWARF, layouts from type descriptors, registers from the ABI."""

from objinst.types.abi import Assigned, FuncABI, assign
from objinst.types.model import Field, GoType, Kind, Method, NoSignature, Param, Signature, Typed, Unknown
from objinst.types.table import TypeTable, interface_methods, resolve

__all__ = [
    "Assigned", "Field", "FuncABI", "GoType", "Kind", "Method", "NoSignature", "Param", "Signature", "TypeTable", "Typed", "Unknown",
    "assign", "interface_methods", "resolve",
]  # fmt: skip
