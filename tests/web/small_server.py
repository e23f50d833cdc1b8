"""The sample application as a process of its own: `python -m tests.web.small_server PORT`."""

import sys

from tests.web.sample import app, settings

from ledger.web import serve

if __name__ == "__main__":
    base = str(int(sys.argv[1]))
    serve(lambda configured: app(configured=configured), settings(CREDLEDGER_PORT=base))
