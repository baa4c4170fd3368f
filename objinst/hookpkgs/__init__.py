"""The hook set of a link: the archives of the hook packages and of everything that only they import."""

from objinst.hookpkgs.request import HookRequest, HookSet, chosen_exporters, chosen_sdk
from objinst.hookpkgs.zone import resolve

__all__ = ["HookRequest", "HookSet", "chosen_exporters", "chosen_sdk", "resolve"]
