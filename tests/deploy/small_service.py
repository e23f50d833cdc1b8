"""A real small HTTP server in the place of a service: ready at once, and it tells what it was told.

usage: small_service.py NAME. `GET /environment` lists the names of its CREDLEDGER_ settings. With STUBBORN=on it
ignores polite requests to end; with FRAGILE naming it, it ends at once.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

OFFSETS = {"registry": 0, "issuance": 1, "revocation": 2}


class Answers(BaseHTTPRequestHandler):
    """Ready, and frank about its settings' names."""

    def do_GET(self) -> None:
        names = sorted(name for name in os.environ if name.startswith("CREDLEDGER_"))
        body = json.dumps(names).encode()
        self.send_response(200 if self.path in ("/readyz", "/environment") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: polling is no news."""


name = sys.argv[1]
if os.environ.get("FRAGILE") == name:
    print(f"{name} cannot live like this", flush=True)
    sys.exit(7)
if os.environ.get("STUBBORN") == "on":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
HTTPServer(("127.0.0.1", int(os.environ["CREDLEDGER_PORT"]) + OFFSETS[name]), Answers).serve_forever()
