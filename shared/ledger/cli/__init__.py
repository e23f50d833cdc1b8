"""The command line `credledger` (also `python -m ledger.cli`).

    credledger verify badge.png            what the registry says of a credential, check by check
    credledger replay --check              read the whole log and recompute every leaf
    credledger award-csv class.csv --achievement ach_…
    credledger --help                      all commands

Every command takes `--json`. Exit status: 0 done · 1 refused, or not verified · 2 wrong usage · 69 not there now.
"""

from ledger.cli.app import main

__all__ = ["main"]
