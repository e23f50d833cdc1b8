"""`credledger demo`: what lies in `deploy/demo` becomes institutions, awards and samples, over the public API."""

from ledger.cli.demo.loading import Loaded, load_demo

__all__ = ["Loaded", "load_demo"]
