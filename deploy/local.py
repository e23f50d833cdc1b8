"""The one-command ledger: PostgreSQL, nats-server and the three services as children of this process.

    python deploy/local.py            start, and stop with Ctrl-C
    python deploy/local.py status     what runs on this data

Rules: nothing is installed on the host, no OS user is made, nothing is written outside the state folder, and no child
outlives this process. The operator's manual is deploy/README.md.
"""

import sys
from pathlib import Path

# As a script, Python looks for modules in deploy/; the package `deploy` lies one folder up.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from deploy.runtime.command import main  # noqa: E402  the line above must come first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
