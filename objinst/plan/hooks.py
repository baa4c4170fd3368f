"""Finds hook functions in their package's archive, and compares their signatures with the target's.

A hook is `func BeforeX(ictx I, recv R, p0 P0, ...)` or `func AfterX(ictx I, r0 R0, ...)`, where I is an interface whose methods
are among HOOK_CONTEXT_METHODS. A parameter has the target's type, or is interface{}. Anything else is refused with both signatures.
"""

from __future__ import annotations

from dataclasses import dataclass

from objinst.errors import OtelobjError
from objinst.goobj import ABI_INTERNAL, Load, Object
from objinst.plan.model import HookFunction, Refusal, Value
from objinst.signatures.find import Signatures
from objinst.types import GoType, Kind, NoSignature, Signature, Unknown, assign, interface_methods, resolve
from objinst.types.names import escape

HOOK_CONTEXT_METHODS = frozenset(
    {
        "GetData", "GetFuncName", "GetKeyData", "GetPackageName", "GetParam", "GetParamCount", "GetReturnVal", "GetReturnValCount",
        "HasKeyData", "IsSkipCall", "PanicStack", "SetData", "SetKeyData", "SetParam", "SetReturnVal", "SetSkipCall", "Unwound",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HookFinder:
    """Finds and checks hooks. load: the object of a package of the link or the hook set, None if there is none."""

    goarch: str
    signatures: Signatures
    load: Load

    def find(self, package: str, name: str, target: str, values: tuple[Value, ...], what: str) -> HookFunction | Refusal:
        """values: the target's parameters for a before hook, its results for an after hook; what: "parameters" or "results".

        Raises OtelobjError if there is no such function: a rule that names it is wrong, whatever the target.
        """
        obj, symbol, declared = self._declared(package, name)
        typed = resolve(declared, self.signatures.table, obj)
        if isinstance(typed, Unknown):
            return Refusal("hook-type", f"hook {symbol}: type {typed.name}: {typed.reason}")
        problem = _mismatch(declared, typed.params, values)
        if problem:
            shown = ", ".join(f"{value.name} {value.type.name}" for value in values)
            places = ", ".join(f"{value.name} in {value.home.place(self.goarch)}" for value in values)
            return Refusal(
                "hook-signature",
                f"{problem}\n  hook: {symbol}({', '.join(f'{param.name} {param.type}' for param in declared.params)})"
                f"\n  {what} of {target}: ({shown})\n  layout: {places or 'nothing'}",
            )
        methods = tuple(method.name for method in interface_methods(typed.params[0]))
        boxed = tuple(i for i, (param, value) in enumerate(zip(typed.params[1:], values, strict=True)) if param.name != value.type.name)
        return HookFunction(package, symbol, assign(self.goarch, typed.params, typed.results), typed.params[0].name, methods, boxed)

    def claimed(self, package: str, before: str, after: str) -> Signature | None:
        """The signature that hooks declare for a function that nothing else describes: the parameters after the hook context are the function's
        parameters, or its results. before, after: "" for none. None if one is interface{}, which may stand for another type.

        Raises OtelobjError as `find` does.
        """
        params, results = (self._declared(package, name)[2].params[1:] if name else None for name in (before, after))
        if any(param.type == "interface {}" for param in (*(params or ()), *(results or ()))):
            return None
        return Signature(params or (), results or (), incomplete=results is None)

    def _declared(self, package: str, name: str) -> tuple[Object, str, Signature]:
        obj = self.load(package)
        if obj is None:
            raise OtelobjError(f"hook package {package} is not in the link", "check the rule's `path`, and that the package compiles")
        symbol = f"{escape(package)}.{name}"
        index = obj.find(symbol, ABI_INTERNAL)
        if index is None:
            raise OtelobjError(f"hook package {package} has no function {name}", "check `before` and `after` of the rule; the name must be exported")
        declared = self.signatures.of(obj, index)
        if isinstance(declared, NoSignature):
            raise OtelobjError(f"hook {symbol}: {declared.reason}", "compile the hook package with DWARF (without -dwarf=false)")
        return obj, symbol, declared


def _mismatch(declared: Signature, params: tuple[GoType, ...], values: tuple[Value, ...]) -> str:
    """Why a hook does not match the target; "" if it does."""
    if declared.results:
        return "a hook has no results"
    if not params or params[0].kind is not Kind.INTERFACE or params[0].methods is None:
        return "a hook's first parameter is its hook context, an interface"
    strange = sorted({method.name for method in params[0].methods} - HOOK_CONTEXT_METHODS)
    if strange:
        return f"the hook context asks for {', '.join(strange)}, which no hook context has"
    if len(params) - 1 != len(values):
        return f"{len(params) - 1} parameters after the hook context, {len(values)} needed"
    for param, value in zip(params[1:], values, strict=True):
        if param.name not in (value.type.name, "interface {}"):
            return f"{value.name} is {value.type.name}, not {param.name}"
    return ""
