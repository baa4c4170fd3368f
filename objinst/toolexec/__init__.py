"""The tool path: the link command line, importcfg.link, the settings of the build at hand, and running the real linker."""

from objinst.toolexec.command import LinkCommand
from objinst.toolexec.importcfg import ImportCfg
from objinst.toolexec.settings import BuildInfo, Module

__all__ = ["BuildInfo", "ImportCfg", "LinkCommand", "Module"]
