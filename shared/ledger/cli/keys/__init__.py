"""`credledger keys`: API keys (list, create, rotate, revoke), the keys that seal the vault (status, rewrap, new-epoch,
destroy-epoch), and an institution's signing keys (schedule, signed, compromise, reissue,
ceremony-key, export, import)."""

from ledger.cli.keys.api_keys import app, caller
from ledger.cli.keys.epochs import destroy_epoch, new_epoch, rewrap, status
from ledger.cli.keys.signing import compromise, reissue, schedule, signed

for command in (status, rewrap, new_epoch, destroy_epoch, schedule, signed, compromise, reissue):
    app.command(command)
# By path: what asks HTTP alone must not wait for the libraries of a ceremony.
for name in ("ceremony-key", "export", "import"):
    function = name.replace("-", "_") if "-" in name else f"{name}_keys"
    app.command(f"ledger.cli.keys.ceremony:{function}", name=name)

__all__ = ["app", "caller"]
