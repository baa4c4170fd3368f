"""The archives of the hook packages, and of what only they need, for the link at hand."""

from objinst.hookpkgs.resolve import HookRequest, HookSet, resolve

__all__ = ["HookRequest", "HookSet", "resolve"]
