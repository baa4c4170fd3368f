"""Programs and tests that nobody here wrote, run plain and with everything hooked, and compared result by result.

`python -m torture` (with `tests/lib` on PYTHONPATH, as `make torture` has it) takes Go's own test directory, the standard library's tests and those of
well-known modules. It is no part of otelobj and imports nothing from it: what it runs is the go command with `-toolexec=otelobj`.
"""
