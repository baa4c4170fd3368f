"""What a rule can do to a function: one file an action, called as in rule files. docs/contributing/action.md says how to add one.

An action is a value that is read from a rule (`parse`), asked of a function what it does to it (`plan`), and what it answers writes itself into the
function's object (`emit`). All other code asks these values; none of it knows which actions there are.
"""

from importlib import import_module
from pkgutil import iter_modules

from objinst.rules.action import Action

ACTIONS: dict[str, type[Action]] = {name: import_module(f"{__name__}.{name}").ACTION for _, name, _ in iter_modules(__path__)}
"""By their names in rule files: each file of this folder has its action as ACTION."""
