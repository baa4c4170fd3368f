"""Random Go programs, run plain and with everything hooked: both must print the same and end the same way.

`tree` is a program as nodes that can be left out, `kinds` its types, `expressions` and `statements` make it, `assembly` its stubs in machine
code, `generate` puts it together, `oracle` builds, runs and compares, `reduce` leaves out what a difference does not need. `found/` has
the programs in which a difference was found. By hand: `python -m programs --help`, with tests/lib on PYTHONPATH.
"""
