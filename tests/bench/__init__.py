"""Figures of the ledger, measured on the machine at hand.

    make bench                  small sizes, at most ten minutes, marked `scaled`
    make bench SCALE=full       the same with as much time as it takes
    make soak                   load for SOAK_MINUTES (60) with kills, then every invariant

Rules. Whatever shares a table is measured in one run and in interleaved rounds, so that a slow minute of the machine
falls on all of it; a figure is the median of its rounds and stands beside their smallest and largest. Servers run with
fsync, in a folder on a disk. Nothing is measured that was not also checked: an append that did not append, an award
that was not made, ends the run. Results go to `docs/benchmarks.md` for people and `docs/benchmarks.json` for programs.
"""
