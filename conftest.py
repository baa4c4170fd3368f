"""Options of the test suite: --quick runs what needs no Go toolchain, --long what takes minutes, --bless rewrites golden files."""

from __future__ import annotations

import signal

import pytest
import quick

APART = {"test_scripts.py"}
"""Files whose tests share nothing: each goes to the next process that is free (`make test`), so that none idles at the end. The tests of any
other file stay together, for what they build once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only the tests that need no Go toolchain")
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")
    parser.addoption("--bless", action="store_true", help="rewrite golden files from what is produced now")


def pytest_configure(config: pytest.Config) -> None:
    """Programs under test must not inherit that signals are ignored, as nohup and shells without job control have it: they would wait for ever."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    if config.getoption("--quick"):
        config.pluginmanager.register(quick.Quick())


@pytest.hookimpl(tryfirst=True)  # xdist looks for the marks in its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if item.path.name not in APART:
                item.add_marker(pytest.mark.xdist_group(str(item.path)))
    if config.getoption("--long"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes; run with --long"))
