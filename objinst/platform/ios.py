"""iOS: what was said of darwin."""

from __future__ import annotations

from dataclasses import replace

from objinst.platform import darwin

TARGET = replace(darwin.TARGET, goos="ios")
