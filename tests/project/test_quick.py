"""`make quick` runs what needs no Go toolchain, and finds out by itself what does."""

from __future__ import annotations

import os

import pytest
from places import ROOT

pytest_plugins = ["pytester"]

TESTS = """
    import shutil, subprocess, sys

    import pytest
    import toolchains
    from toolchains import goroot

    def test_asks_for_nothing():
        pass

    def test_fails_on_its_own():
        assert not "failed on its own"

    def test_asks_for_a_toolchain():
        goroot("1.26")

    def test_asks_through_a_helper():
        toolchains.std_archives("1.26", "amd64")

    def test_starts_go():
        subprocess.run(["go", "version"], check=True)

    def test_starts_go_and_does_not_mind_what_comes_of_it():
        subprocess.run(["go", "version"], check=False)

    def test_a_child_starts_go():
        subprocess.run([sys.executable, "-c", "import os; os.execlp('go', 'go', 'version')"], check=True)

    @pytest.fixture(scope="module")
    def built():
        subprocess.run(["go", "version"], check=True)

    @pytest.mark.parametrize("number", range(2))
    def test_a_fixture_starts_go(built, number):
        pass
"""


def test_what_asks_for_go_is_skipped(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'tests/lib'}")
    pytester.makeconftest("import quick\n\ndef pytest_configure(config):\n    config.pluginmanager.register(quick.Quick())\n")
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(passed=1, failed=1, skipped=7)
    done.stdout.fnmatch_lines(["*failed on its own*"])
