"""What instrumentation costs one program: builds, sizes, starts, benchmarks and load, of the plain program and of others made from it.

`program.py` knows the user's program, `variants.py` the ways to build it. `builds.py`, `starts.py`, `gobench.py` and `load.py` each say what is to be
measured, as a list of steps; `measure.py` runs the steps of all variants in turn, so that the machine's drift meets all of them. `model.py` has the
samples, `stats.py` compares them, `show.py` puts them into words and `page.py` into HTML.

The user's files are read, never written. Everything that is made lies in one temporary folder (objinst.ending).
"""
