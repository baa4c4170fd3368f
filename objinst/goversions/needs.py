"""What otelobj relies on in Go's sources beyond numbers that are in the tables: names, layouts, signatures. Definitions only.

A version in which one of these is different is not added by the generator but by somebody who changes the code that relies on it, and then
this file. docs/contributing/internals.md says what that code does; each entry here is one that would corrupt programs, or lose spans, if it were not so.
"""

from __future__ import annotations

from trampolines.arch import ARCHES

CONSTANTS = {
    "kinds": ("STEXT", "SRODATA", "SDATA", "SNOPTRDATA", "SNOPTRBSS", "SDWARFFCN", "SDWARFLINES"),
    "relocs": (
        "R_ADDR", "R_WEAK", "R_METHODOFF", "R_USEIFACE", "R_USEIFACEMETHOD", "R_INITORDER",
        *sorted({name for found in ARCHES.values() for name in found.relocations.values()}),
    ),
    "obj_flags": ("ObjFlagFromAssembly",),
    "sym_flags": ("SymFlagDupok", "SymFlagNoSplit", "SymFlagLeaf"),
    "sym_flags2": (),
    "aux": (
        "AuxGotype", "AuxFuncInfo", "AuxFuncdata", "AuxDwarfInfo", "AuxDwarfLoc", "AuxDwarfRanges", "AuxDwarfLines",
        "AuxPcsp", "AuxPcfile", "AuxPcline", "AuxPcinline", "AuxPcdata",
    ),
    "func_ids": ("FuncIDWrapper", "FuncID_asyncPreempt"),
    "func_flags": ("FuncFlagAsm",),
    "pcdata": ("PCDATA_UnsafePoint", "FUNCDATA_ArgsPointerMaps", "FUNCDATA_LocalsPointerMaps", "FUNCDATA_ArgInfo", "FUNCDATA_OpenCodedDeferInfo"),
}  # fmt: skip
"""By table of objects.json: what the code asks for by name."""

VALUES = {
    "relocs": {"R_WEAK": -0x8000},  # an int16; objinst/goobj/records.py has the bits
    "obj_flags": {"ObjFlagFromAssembly": 4},
    "func_flags": {"FuncFlagAsm": 4},
    "pcdata": {
        "FUNCDATA_LocalsPointerMaps": 1, "FUNCDATA_StackObjects": 2, "FUNCDATA_InlTree": 3, "FUNCDATA_OpenCodedDeferInfo": 4,
        "PCDATA_UnsafePoint": 0, "PCDATA_StackMapIndex": 1,
    },
}  # fmt: skip
"""Numbers that code has written down, because their order is a layout."""

OBJECT_FILE = "cmd/internal/goobj/objfile.go"
BLOCKS = (
    "BlkAutolib", "BlkPkgIdx", "BlkFile", "BlkSymdef", "BlkHashed64def", "BlkHasheddef", "BlkNonpkgdef", "BlkNonpkgref", "BlkRefFlags", "BlkHash64",
    "BlkHash", "BlkRelocIdx", "BlkAuxIdx", "BlkDataIdx", "BlkReloc", "BlkAux", "BlkData", "BlkRefName", "BlkEnd", "NBlk",
)  # fmt: skip
PACKAGE_INDICES = {"PkgIdxNone": 0x7FFFFFFF, "PkgIdxHashed64": 0x7FFFFFFE, "PkgIdxHashed": 0x7FFFFFFD, "PkgIdxBuiltin": 0x7FFFFFFC, "PkgIdxSelf": 0x7FFFFFFB}
LINES = {
    OBJECT_FILE: (
        'const Magic = "\\x00go120ld"',
        "const stringRefSize = 8",
        "const importedPkgSize = stringRefSize + 8",
        "const SymSize = stringRefSize + 2 + 1 + 1 + 1 + 4 + 4",
        "const Hash64Size = 8",
        "const HashSize = 16",
        "const RelocSize = 4 + 1 + 2 + 8 + 8",
        "const AuxSize = 1 + 8",
        "const RefFlagsSize = 8 + 1 + 1",
        "const RefNameSize = 8 + stringRefSize",
    ),
}
"""Lines of a source to the letter: sizes of the records of object files (objinst/goobj/records.py)."""

STRUCTS = {
    (OBJECT_FILE, "type Header"): ("Magic", "Fingerprint", "Flags", "Offsets"),
    ("cmd/internal/goobj/funcinfo.go", "type FuncInfo"): ("Args", "Locals", "FuncID", "FuncFlag", "StartLine", "File", "InlTree"),
    ("cmd/internal/goobj/funcinfo.go", "type InlTreeNode"): ("Parent", "File", "Line", "Func", "ParentPC"),
    ("internal/abi/type.go", "type Type"): (
        "Size_", "PtrBytes", "Hash", "TFlag", "Align_", "FieldAlign_", "Kind_", "Equal", "GCData", "Str", "PtrToThis",
    ),
    ("internal/abi/type.go", "type ArrayType"): ("Type", "Elem", "Slice", "Len"),
    ("internal/abi/type.go", "type ChanType"): ("Type", "Elem", "Dir"),
    ("internal/abi/type.go", "type PtrType"): ("Type", "Elem"),
    ("internal/abi/type.go", "type SliceType"): ("Type", "Elem"),
    ("internal/abi/type.go", "type FuncType"): ("Type", "InCount", "OutCount"),
    ("internal/abi/type.go", "type StructType"): ("Type", "PkgPath", "Fields"),
    ("internal/abi/type.go", "type StructField"): ("Name", "Typ", "Offset"),
    ("internal/abi/type.go", "type InterfaceType"): ("Type", "PkgPath", "Methods"),
    ("internal/abi/type.go", "type Imethod"): ("Name", "Typ"),
    ("internal/abi/type.go", "type Method"): ("Name", "Mtyp", "Ifn", "Tfn"),
    ("internal/abi/type.go", "type UncommonType"): ("PkgPath", "Mcount", "Xcount", "Moff", "_"),
    ("runtime/select.go", "type scase"): ("c", "elem"),
    ("runtime/runtime2.go", "type _func"): (
        "NotInHeap", "entryOff", "nameOff", "args", "deferreturn", "pcsp", "pcfile", "pcln", "npcdata", "cuOffset", "startLine", "funcID", "flag", "_",
        "nfuncdata",
    ),
}  # fmt: skip
"""Structs whose layout is written down in code: all fields, in order."""

FIELDS = {
    ("runtime/runtime2.go", "type g"): ("goid", "m", "param", "_panic", "throwsplit"),
    ("runtime/runtime2.go", "type _panic"): ("fp",),
    ("runtime/runtime2.go", "type m"): ("curg", "locks", "mallocing", "preemptoff"),
    ("runtime/chan.go", "type hchan"): ("elemsize", "qcount", "dataqsiz", "recvq"),
    ("runtime/sigqueue.go", "var sig"): ("wanted", "ignored"),
}
"""Structs whose layout is read from their type descriptors: fields that must be among theirs."""

BEGINNINGS = {
    ("runtime/symtab.go", "type moduledata"): (
        "NotInHeap", "pcHeader", "funcnametab", "cutab", "filetab", "pctab", "pclntable", "ftab", "findfunctab", "minpc", "maxpc",
    ),
    ("runtime/symtab.go", "type pcHeader"): ("magic", "pad1", "pad2", "minLC", "ptrSize", "nfunc", "nfiles"),
}  # fmt: skip
"""Structs whose first fields are read in linked programs."""

MAP_TYPES = (
    ("internal/abi/map.go", "type MapType"),
    ("internal/abi/type.go", "type MapType"),
    ("internal/abi/map_swiss.go", "type SwissMapType"),
    ("internal/abi/map_noswiss.go", "type OldMapType"),
)
MAP_BEGINNING = ("Type", "Key", "Elem")

KINDS = (
    "Invalid", "Bool", "Int", "Int8", "Int16", "Int32", "Int64", "Uint", "Uint8", "Uint16", "Uint32", "Uint64", "Uintptr", "Float32", "Float64",
    "Complex64", "Complex128", "Array", "Chan", "Func", "Interface", "Map", "Pointer", "Slice", "String", "Struct", "UnsafePointer",
)  # fmt: skip
"""internal/abi.Kind, from 0 on."""

NO_TYPES, TWO_WORDS = ("()",), ("(*hchan, unsafe.Pointer)",)
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "runtime.gopanic": ("(any)",),
    "runtime.preprintpanics": ("(*_panic)",),
    "runtime.deferreturn": NO_TYPES,
    "runtime.(*_panic).nextFrame": ("() (bool)",),
    "runtime.Goexit": NO_TYPES,
    "syscall.Exit": ("(int)",),
    "os.sigpipe": NO_TYPES,
    "runtime.goexit1": NO_TYPES,
    "runtime.gcBgMarkWorker": ("()", "(chan struct{})"),
    "runtime.chansend1": TWO_WORDS,
    "runtime.selectnbsend": ("(*hchan, unsafe.Pointer) (bool)",),
    "runtime.chanrecv1": TWO_WORDS,
    "runtime.chanrecv2": ("(*hchan, unsafe.Pointer) (bool)",),
    "runtime.selectnbrecv": ("(unsafe.Pointer, *hchan) (bool, bool)",),
    "runtime.selectgo": ("(*scase, *uint16, *uintptr, int, int, bool) (int, bool)",),
    "runtime.newproc1": ("(*funcval, *g, uintptr) *g", "(*funcval, *g, uintptr, bool, waitReason) *g"),
    "runtime.dieFromSignal": ("(uint32)",),
    "runtime.raisebadsignal": ("(uint32, *sigctxt)",),
    "runtime.newobject": ("(*_type) unsafe.Pointer",),
    "runtime.typedmemmove": ("(*abi.Type, unsafe.Pointer, unsafe.Pointer)",),
    "runtime.assertE2I": ("(*interfacetype, *_type) *itab",),
    "runtime.Callers": ("(int, []uintptr) int",),
    "runtime.nanotime": ("() int64",),
    "runtime.notetsleepg": ("(*note, int64) bool",),
    "runtime.FuncForPC": ("(uintptr) *Func",),
    "runtime.(*Func).Entry": ("() uintptr",),
    "runtime.(*Func).Name": ("() string",),
    "runtime.isSecureMode": ("() bool",),
}
"""Functions of package runtime that are hooked or called, with the signatures that the code knows (objinst/rewrite/runtimepkg.py, rtpkg.py)."""
LINKNAMED = {"syscall.Exit": "syscall_Exit", "os.sigpipe": "os_sigpipe"}
"""Symbols that package runtime defines under a name of its own."""
ALTERNATIVES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"runtime.runfinq": NO_TYPES},
    {"runtime.runFinalizers": NO_TYPES, "runtime.runCleanups": NO_TYPES},
)
"""The runtime's own goroutines that run finalizers and cleanups: all functions of one of these."""
CORO_START, CORO_DEFER = "runtime.corostart.deferwrap1", "defer coroexit("
"""Where a coroutine ends: in a deferred call of corostart, or in a call of it, which ends in goexit1."""

PROGRAM_FLAGS = (("KindGCProg", 1 << 6), ("TFlagGCMaskOnDemand", 1 << 4))
"""Flags in a type descriptor that say that GCData is no mask: one of them, with its value."""
BRACKET_PAIRS = {3: 1, 5: 2}
"""By the number of pieces that funcNamePiecesForPrint returns: pairs of brackets that the runtime prints of a name."""
