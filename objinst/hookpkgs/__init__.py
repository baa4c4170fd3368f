"""The archives of the hook packages, and of what only they need, for the link at hand."""

from objinst.hookpkgs.resolve import Closure, HookRequest, resolve

__all__ = ["Closure", "HookRequest", "resolve"]
