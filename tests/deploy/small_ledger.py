"""The real supervisor with the real servers, and small programs in the place of services and demo."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from deploy.runtime.command import main  # noqa: E402  the path comes first, as in deploy/local.py
from deploy.runtime.supervisor import Programs  # noqa: E402

SERVICE = (sys.executable, "-P", str(Path(__file__).with_name("small_service.py")))
DEMO = (sys.executable, "-c", "import os; print('demo', os.environ['CREDLEDGER_DATA'], flush=True)")

if __name__ == "__main__":
    services = {name: (*SERVICE, name) for name in ("issuance", "registry", "revocation")}
    sys.exit(main(sys.argv[1:], Programs(services=services, demo=DEMO)))
