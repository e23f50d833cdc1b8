"""`python -m ledger.cli`: the same as `credledger`."""

import sys

from ledger.cli import main

if __name__ == "__main__":
    sys.exit(main())
