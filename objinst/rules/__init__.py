"""Rules: which functions are hooked by what. YAML in the schema of the OpenTelemetry SIG, merged from several files."""

from objinst.rules.load import is_built_in, load, supports
from objinst.rules.model import Action, InjectHooks, Probe, ProbeKind, Rule, RuleSet, Where
from objinst.rules.names import FuncName, parse_func_name
from objinst.rules.packages import PROBE, RT, SPAN, hook_packages
from objinst.rules.spans import Span, ValuePath

__all__ = [
    "PROBE", "RT", "SPAN", "Action", "FuncName", "InjectHooks", "Probe", "ProbeKind", "Rule", "RuleSet", "Span", "ValuePath", "Where", "hook_packages",
    "is_built_in", "load", "parse_func_name", "supports",
]  # fmt: skip
