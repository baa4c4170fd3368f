"""What the go command says of a build: the link command line, importcfg.link, build settings, the module files of the user; and running it."""

from objinst.gobuild.buildinfo import BuildInfo, Module
from objinst.gobuild.command import LinkCommand
from objinst.gobuild.importcfg import ImportCfg

__all__ = ["BuildInfo", "ImportCfg", "LinkCommand", "Module"]
