"""The hook set of a link: the archives of the hook packages and of everything that only they import."""

from objinst.hookpkgs.resolve import HookRequest, HookSet, resolve

__all__ = ["HookRequest", "HookSet", "resolve"]
