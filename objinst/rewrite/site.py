"""What an action writes to: its hook in the descriptor of one function, and the code that hooks/rt calls there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from objinst import hooktree
from objinst.goobj import ABI_INTERNAL, Edit, Object, SymRef
from objinst.plan.model import FunctionPlan, HookFunction, Value
from objinst.plan.specs import BUILT_IN_THUNK, thunk_spec
from objinst.rewrite.dwarf import entry_name
from objinst.rewrite.static import Address, Layout, Slice, StaticData, layout
from objinst.rewrite.tables import ObjectTable
from objinst.rewrite.text import Role, TextShape, add_text
from trampolines import Arch
from trampolines.contract import Base, ThunkSpec

THUNK_ARGS = 40


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the rewrite of a function needs to know of hooks/rt, and of the hook packages that read what an action writes. call_hash: type
    hash of *rt.Call, for itabs; load: the object of a package of the link or its hooks."""

    path: str
    desc: Layout
    value: Layout
    hook: Layout
    call_hash: int
    load: Callable[[str], Object | None]
    structs: dict[str, Layout] = field(default_factory=dict)

    @classmethod
    def of(cls, obj: Object, path: str, load: Callable[[str], Object | None]) -> Runtime:
        """Reads the layouts from the archive of rt. Raises ObjectError if it is of another version."""
        index = obj.find(f"type:*{path}.Call")
        call_hash = 0 if index is None else int.from_bytes(obj.data(index)[16:20], "little")
        desc, value, hook = (layout(obj, f"{path}.{name}") for name in ("Desc", "Value", "Hook"))
        return cls(path, desc, value, hook, call_hash, load)

    def struct(self, package: str, name: str) -> Layout:
        """A struct of a hook package. Raises ObjectError if the package is of another version."""
        key = f"{package}.{name}"
        if key not in self.structs:
            obj = self.load(package)
            if obj is None:
                raise ValueError(f"{package} is not in the link")
            self.structs[key] = layout(obj, key)
        return self.structs[key]


@dataclass(frozen=True, slots=True)
class Site:
    """One hook of one function. data: of the function's descriptor; tables: hook package -> what its actions keep in this object."""

    TELEMETRY: ClassVar[int] = 1
    SUPPORT: ClassVar[int] = 2
    """Flags of rt.Hook."""
    edit: Edit
    arch: Arch
    rt: Runtime
    data: StaticData
    plan: FunctionPlan
    tables: Mapping[str, ObjectTable]

    def struct(self, package: str, name: str) -> Layout:
        """See Runtime."""
        return self.rt.struct(package, name)

    def address(self, at: int = 0, symbol: SymRef | None = None) -> Address:
        """Of what lies at an offset of a symbol, or of `data`."""
        return Address(symbol, at)

    def slice(self, at: int, count: int) -> Slice:
        """Of what lies at an offset of `data`."""
        return Slice(at, count)

    def flags(self, instrumentation: str) -> int:
        """Flags of rt.Hook: the program switches telemetry off as a whole, and does not list supporting hooks."""
        if instrumentation in hooktree.supporting():
            return self.SUPPORT
        return self.TELEMETRY if instrumentation in hooktree.libraries() else 0

    def typed_before(self, hook: HookFunction) -> Address:
        """A func value of the thunk that calls a typed hook at the entry."""
        return self._typed(hook, self.plan.params, Base.ARGS)

    def typed_after(self, hook: HookFunction) -> Address:
        """As typed_before, at the exit."""
        return self._typed(hook, self.plan.results, Base.RESULTS)

    def _typed(self, hook: HookFunction, values: tuple[Value, ...], base: Base) -> Address:
        """base: of values that are not in the args area."""
        return self._func(add_thunk(self.edit, self.arch, self.rt, hook.symbol, thunk_spec(hook, values, base)))

    def built_in(self, hook: str) -> Address:
        """A func value of the thunk of a built-in hook, which reads the areas itself. The whole object shares one thunk."""
        if hook not in self.edit.shared:
            self.edit.shared[hook] = add_thunk(self.edit, self.arch, self.rt, hook, BUILT_IN_THUNK)
        return self._func(self.edit.shared[hook])

    def _func(self, thunk: SymRef) -> Address:
        return Address(None, self.data.words([Address(thunk)]))

    def hook_context(self, hook: HookFunction) -> Address:
        """The itab of a typed hook's hook context: (its interface, *rt.Call), internal/abi/iface.go, ITab, Go 1.22-1.27. Where the
        interface has no methods, it is an `any`, which has the type."""
        call = f"*{self.rt.path}.Call"
        if not hook.methods:
            return Address(type_ref(self.edit, call))
        words: list[Address | int] = [Address(type_ref(self.edit, name)) for name in (hook.context_type, call)]
        words.append(self.rt.call_hash)
        words += [Address(self.edit.add_ref(f"{self.rt.path}.(*Call).{method}", ABI_INTERNAL)) for method in hook.methods]
        return Address(None, self.data.words(words))


def type_ref(edit: Edit, type_name: str) -> SymRef:
    return edit.add_ref(f"type:{type_name}", 0)


def add_thunk(edit: Edit, arch: Arch, rt: Runtime, hook: str, spec: ThunkSpec) -> SymRef:
    code = arch.thunk(spec)
    file = edit.add_file("<otelobj>")
    nosplit = bool(dict(code.entries).get("nosplit"))
    shape = TextShape(THUNK_ARGS, (not nosplit,) * (THUNK_ARGS // 8), 0, 0, 1, file, 1, entry_name(hook))
    flag = edit.tables.sym_flags["SymFlagNoSplit"] if nosplit else 0
    roles: Mapping[str, Role] = {
        "hook": Role(edit.add_ref(hook, ABI_INTERNAL)),
        "catch": Role(edit.add_ref(f"{rt.path}.catch·f", 0)),
        "deferreturn": Role(edit.add_ref("runtime.deferreturn", ABI_INTERNAL)),
        "morestack": Role(edit.add_ref("runtime.morestack_noctxt", 0)),
    }
    return add_text(edit, f"otelobj.thunk.{hook}", code, shape, roles, flag=flag)
