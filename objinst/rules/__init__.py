"""Rules: which functions are hooked by what. YAML in the schema of the OpenTelemetry SIG, merged from several files."""

from objinst.rules.load import is_built_in, load
from objinst.rules.model import InjectHooks, Rule, RuleSet, Where
from objinst.rules.names import FuncName, parse_func_name

__all__ = ["FuncName", "InjectHooks", "Rule", "RuleSet", "Where", "is_built_in", "load", "parse_func_name"]
