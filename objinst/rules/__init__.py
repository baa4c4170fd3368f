"""Rules: which functions are hooked by what. YAML in the schema of the OpenTelemetry SIG, merged from several files."""

from objinst.rules.action import Action
from objinst.rules.load import is_built_in, load, supports
from objinst.rules.model import Rule, RuleSet, Where, version_key
from objinst.rules.names import FuncName, parse_func_name
from objinst.rules.packages import OBSERVERS, PRIVATE, RT, hook_packages
from objinst.rules.paths import ValuePath

__all__ = [
    "OBSERVERS", "PRIVATE", "RT", "Action", "FuncName", "Rule", "RuleSet", "ValuePath", "Where", "hook_packages", "is_built_in", "load", "parse_func_name",
    "supports", "version_key",
]  # fmt: skip
