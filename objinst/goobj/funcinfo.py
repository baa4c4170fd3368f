"""FuncInfo, the aux symbol of a text symbol (cmd/internal/goobj/funcinfo.go, the same from Go 1.21 to 1.27)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from objinst.errors import ObjectError
from objinst.goobj.records import SymRef

FIXED = struct.Struct("<IIBB2xi")
NODE = struct.Struct("<iIiIIi")
NO_NODES = 24
"""Bytes of a FuncInfo without files and inlined calls."""


class InlNode(NamedTuple):
    """An inlined call. parent: index in the tree or -1; file: of the call, in the object's file table; func: the callee."""

    parent: int
    file: int
    line: int
    func: SymRef
    parent_pc: int


@dataclass(frozen=True, slots=True)
class FuncInfo:
    """args, locals: bytes; files: indices in the object's file table."""

    args: int
    locals: int
    func_id: int
    func_flag: int
    start_line: int
    files: tuple[int, ...]
    inl_tree: tuple[InlNode, ...]

    @classmethod
    def parse(cls, data: bytes | memoryview, origin: str = "FuncInfo") -> FuncInfo:
        """Raises ObjectError if the data has another length than its counts say."""
        try:
            args, locals_, func_id, flag, line = FIXED.unpack_from(data)
            (n_files,) = struct.unpack_from("<I", data, 16)
            end = 20 + 4 * n_files
            if end + 4 > len(data):
                raise ObjectError(f"{origin}: FuncInfo of {len(data)} bytes names {n_files} files")
            files = struct.unpack_from(f"<{n_files}I", data, 20)
            (n_nodes,) = struct.unpack_from("<I", data, end)
            if end + 4 + n_nodes * NODE.size != len(data):
                raise ObjectError(f"{origin}: FuncInfo of {len(data)} bytes has {n_nodes} inlined calls")
            nodes = tuple(InlNode(p, f, ln, SymRef(a, b), pc) for p, f, ln, a, b, pc in NODE.iter_unpack(bytes(data[end + 4 :])))
        except struct.error as error:
            raise ObjectError(f"{origin}: truncated FuncInfo ({len(data)} bytes)") from error
        return cls(args, locals_, func_id, flag, line, files, nodes)

    @classmethod
    def parse_head(cls, data: bytes | memoryview, origin: str = "FuncInfo") -> FuncInfo:
        """Without files and inlined calls, which most functions are never asked for. Raises ObjectError if the data is too short."""
        if len(data) < FIXED.size:
            raise ObjectError(f"{origin}: truncated FuncInfo ({len(data)} bytes)")
        args, locals_, func_id, flag, line = FIXED.unpack_from(data)
        return cls(args, locals_, func_id, flag, line, (), ())

    def to_bytes(self) -> bytes:
        parts = [FIXED.pack(self.args, self.locals, self.func_id, self.func_flag, self.start_line)]
        parts.append(struct.pack(f"<I{len(self.files)}I", len(self.files), *self.files))
        parts.append(struct.pack("<I", len(self.inl_tree)))
        parts += [NODE.pack(n.parent, n.file, n.line, n.func.pkg, n.func.idx, n.parent_pc) for n in self.inl_tree]
        return b"".join(parts)
