"""Rule files with the actions that otelobj has."""

from __future__ import annotations

import functools

from objinst.actions import ACTIONS
from objinst.rules.load import load as load_rules
from objinst.rules.load import read_file as read_rules

load = functools.partial(load_rules, actions=ACTIONS)
read_file = functools.partial(read_rules, actions=ACTIONS)
