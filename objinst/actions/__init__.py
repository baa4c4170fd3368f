"""What a rule can do to a function: one file per action, named as in rule files. docs/contributing/action.md says how to add one.

An action is a value. `parse` reads it from a rule. `plan` says what it does to one function, as a `Use`, and `emit` writes that use into the
function's object. All other code goes through these methods and does not know which actions exist.
"""

from importlib import import_module
from pkgutil import iter_modules

from objinst.rules.action import Action

ACTIONS: dict[str, type[Action]] = {name: import_module(f"{__name__}.{name}").ACTION for _, name, _ in iter_modules(__path__)}
"""By their names in rule files: each file of this folder has its action as ACTION."""
